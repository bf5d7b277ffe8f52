// Appends transactions to the log files of a folder, and makes them durable.
//
// A file holds a 16-byte header, then records {Adler-32 of the payload as a long, length, payload, 'B'}, then
// zeros up to the preallocated size. Files are byte for byte those that Apache writes when it flushes every
// record; its sizes differ when a batch crosses the end of the padding inside its 8 KiB buffer.
//
// What a crash can leave behind, and why a restart is never refused for it: before the first record of a file
// is written, its header, its size and its name are durable, and so is everything in the file before it.
// So only the last file can be unfinished, and in it only what was appended since the last sync(). That part
// is a mixture of new sectors and zeros; LogReader recognises it (server/storage/log_damage.h) and mend_log()
// removes it before anything is appended again.
//
// Thread: disk (one owner). Source: persistence/FileTxnLog.java, FilePadding.java; reference storage-formats
// 3.1 to 3.6. Differs: the file before a roll is synced before the new one is created, and folders are synced
// too; Apache leaves both to luck.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "server/storage/file_system.h"
#include "server/storage/log_format.h"

namespace wk::storage {

struct TransactionLogSettings {
  /// preAllocSize: how far ahead of the records a file is extended, in bytes; 0 never extends.
  std::uint64_t preallocation_bytes = 64ULL << 20;
  /// txnLogSizeLimitInKb: after a sync, a file of at least this size (padding counts) is rolled; absent:
  /// never.
  std::optional<std::uint64_t> file_bytes_max{};
  /// Longest payload that a log file may hold: what the reader of this folder is given, too.
  std::size_t payload_bytes_max = kPayloadBytesMaxDefault;
  /// forceSync: false leaves durability to the kernel's leisure, as forceSync=no does.
  bool force_sync = true;
};

class TransactionLog {
 public:
  /// Bytes that are gathered in memory before they are handed to the file, sync or not.
  static constexpr std::size_t kGatheredBytesMax = kUnsyncedBytesMax;

  /// Opens nothing: the first record that is written creates a file named after its zxid.
  /// \param directory  the log's version-2 folder; exists, and mend_log() has run on it
  /// \param last       zxid of the recovered database: the next one has to follow it
  TransactionLog(FileSystem& files, std::string directory, Zxid last, TransactionLogSettings settings);
  ~TransactionLog();
  TransactionLog(const TransactionLog&) = delete;
  TransactionLog& operator=(const TransactionLog&) = delete;

  /// Appends one transaction (header, body and digest as in the log); durable only after sync(). Writes when
  /// kGatheredBytesMax is reached and syncs by itself before kUnsyncedBytesMax is passed, so that no crash
  /// can leave more behind than a reader examines. \param zxid     last_zxid() plus one, or the first of a
  /// later epoch (WK_CHECK) \param payload  begins with a transaction header that carries `zxid` (WK_CHECK)
  /// \return  Errc::kNoSpace: this transaction is not in the log; append it again when there is space. Any
  ///          other error is final: failed() from then on.
  Result<void> append(Zxid zxid, std::span<const std::byte> payload);

  /// Hands what was appended to the file, so that sync() has nothing else to do than to sync. Errors as of
  /// sync().
  Result<void> write();

  /// Makes everything appended durable, then rolls if file_bytes_max asks for it. When it returns without an
  /// error, everything up to last_zxid() may be acknowledged.
  /// \return  Errc::kNoSpace: what is above synced_zxid() did not fit, or no file could be opened for it.
  ///          It stays gathered, the file is cut back to its last whole record, and the next sync() tries
  ///          again. Any other error is final: nothing above synced_zxid() may be acknowledged and the
  ///          process must end, because the kernel has dropped the pages that it could not write and a second
  ///          attempt would lie.
  Result<void> sync();

  /// sync(), then closes the file: the next append opens a new one.
  Result<void> roll();

  /// Forgets every transaction above synced_zxid(), as a core does that has heard of a full disk: their zxids
  /// may be appended again, with other contents. Nothing of them is in the file, not even after a crash,
  /// since what did not fit was cut off durably when it was refused. The destructor forgets them, too.
  void abandon_unsynced();

  /// Zxid of the last appended transaction.
  [[nodiscard]] Zxid last_zxid() const { return last_; }
  /// Everything up to here is durable. With force_sync off: handed to the kernel.
  [[nodiscard]] Zxid synced_zxid() const { return synced_; }
  /// A disk error ended this log.
  [[nodiscard]] bool failed() const { return failure_.has_value(); }
  /// Size of the file that is being written, padding included; 0 when none is open.
  [[nodiscard]] std::uint64_t file_bytes() const { return open_ ? std::max(padded_, end_) : 0; }

  struct Stats {
    std::uint64_t appends = 0;
    std::uint64_t payload_bytes = 0;
    std::uint64_t writes = 0;        ///< calls that handed gathered records to a file
    std::uint64_t syncs = 0;         ///< syncs of records
    std::uint64_t forced_syncs = 0;  ///< of those, because kUnsyncedBytesMax was near
    std::uint64_t files_created = 0;
    std::uint64_t no_space = 0;            ///< appends and syncs refused for want of room
    std::chrono::nanoseconds last_sync{};  ///< time that the last sync of records took on the disk
  };
  [[nodiscard]] const Stats& stats() const { return stats_; }

 private:
  Result<void> create_file(Zxid first);
  Result<void> refuse_to_overwrite(Zxid first);
  Result<void> write_gathered();
  Result<void> write_and_sync();
  Result<void> sync_file();
  Result<void> cut_back(Error cause);
  void close_file();
  Error fail(Error error);

  FileSystem& files_;
  std::string directory_;
  TransactionLogSettings settings_;
  Zxid last_;     ///< appended
  Zxid written_;  ///< handed to the file
  Zxid synced_;
  std::unique_ptr<File> open_{};
  std::string path_{};        ///< of open_
  std::uint64_t end_ = 0;     ///< of the records in open_
  std::uint64_t padded_ = 0;  ///< size after the last padding; a large write may pass it
  std::uint64_t synced_end_ = 0;
  std::vector<std::byte> gathered_{};  ///< whole records that follow end_
  Zxid gathered_first_{};
  std::optional<Error> failure_{};
  Stats stats_{};
};

}  // namespace wk::storage
