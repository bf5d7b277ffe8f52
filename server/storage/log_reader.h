// Reads the transactions of a log folder back, in order, and tells exactly what is wrong with what it
// refuses.
//
// Thread: disk, or the one that starts the server. Changes nothing on disk: mend_log() does, afterwards.
// Source: persistence/FileTxnLog.java (FileTxnIterator); reference storage-formats 3.7.
//
// Accepted and refused as Apache 3.9.5 does, but for these. Differs:
//   - a record that a crash left unfinished ends the log even if a later record of the same batch survived;
//   - a silent stop (hole, wrong end byte) before further transactions is refused: Apache drops them;
//   - a last file with half a header, or of zeros only, counts as empty, as one of 0 bytes does;
//   - a gap directly behind the snapshot that was read is refused, as Apache refuses one between two records;
//   - a zxid at or below the one before is passed over with a finding; Apache applies it again;
//   - a last record whose checksum holds is kept even when its end byte is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "server/storage/file_names.h"
#include "server/storage/file_system.h"
#include "server/storage/log_format.h"

namespace wk::storage {

struct LogReadOptions {
  /// Longest payload, from jute.maxbuffer and jute.maxbuffer.extrasize. A longer one is refused as damage.
  std::size_t payload_bytes_max = kPayloadBytesMaxDefault;
  /// Operator's order to start although transactions are lost: reading ends at the first damage of any file,
  /// or the first gap, as if nothing came after it.
  bool accept_loss = false;
  /// The state as of the zxid below `from` is known: the log goes on from there, and a first transaction
  /// that leaves a gap is refused, as it is between two records. Otherwise whatever it begins with is taken.
  bool continues_state = false;
  /// Zxids of snapshots that are there and cannot be read: so far transactions had come.
  std::vector<Zxid> unreadable_snapshots{};
};

/// One transaction; views live until the next call of next().
struct LogRecord {
  Zxid zxid{};
  std::span<const std::byte> payload{};  ///< TxnHeader, body, perhaps digest
  std::string_view file{};               ///< name, without folder
  std::uint64_t offset = 0;              ///< of the record in that file
};

/// How a log ended, complete once next() has answered "no more".
struct LogEnd {
  Zxid first{};                  ///< first transaction handed out; Zxid{0}: none
  Zxid last{};                   ///< last one; Zxid{0}: none
  std::uint64_t records = 0;     ///< handed out
  std::uint64_t skipped = 0;     ///< read over: below the wanted zxid, or at or below an earlier one
  std::uint64_t file_bytes = 0;  ///< sum of the sizes of the files that were read
  /// accept_loss was needed: what was given up and why, a sentence. Empty: nothing was.
  std::string loss{};
  /// What an operator should know though the log was accepted; each names file and offset. Bounded.
  std::vector<std::string> findings{};
  static constexpr std::size_t kFindingsMax = 32;

  /// What mend_log() has to do to the last file.
  enum class Mend { kNothing, kRemoveFile, kCut, kRestoreEndMark };
  Mend mend = Mend::kNothing;
  std::string mend_file{};
  std::uint64_t mend_offset = 0;  ///< kCut: new size; kRestoreEndMark: place of the byte
  /// accept_loss: files after the damage, or a damaged one that the snapshot makes unnecessary; rising order.
  std::vector<std::string> files_set_aside{};

  /// What may never have been synced: the last record, and the kUnsyncedBytesMax before its end. Empty name:
  /// there is no record.
  std::string tail_file{};
  std::uint64_t tail_begin = 0;
  std::uint64_t tail_end = 0;
};

class LogReader {
 public:
  /// Chooses the files: all that begin at or above `from`, and the newest one that begins below it.
  /// \param from  first zxid that is wanted: the snapshot's plus one
  static Result<LogReader> open(FileSystem& files, std::string directory, Zxid from, LogReadOptions options);
  /// One file alone, every transaction in it. Errc::kNotFound when it is not there.
  static Result<LogReader> open_file(FileSystem& files, std::string directory, std::string name,
                                     LogReadOptions options);
  LogReader(LogReader&&) noexcept;
  LogReader& operator=(LogReader&&) noexcept;
  ~LogReader();

  /// The next transaction at or above `from`, in rising order; nullopt at the end of the log.
  /// Errors: Errc::kInvalidInput for damage, Errc::kTooLarge for a payload above the limit, Errc::kIo. The
  /// message names file, offset, the last good zxid, how much is lost when the operator goes on, and how.
  Result<std::optional<LogRecord>> next();

  [[nodiscard]] const LogEnd& end() const;

 private:
  class State;
  explicit LogReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Makes the last file fit for a new start: removes an empty one, cuts off what a crash left unfinished,
/// restores an end mark, and makes durable what was read: the process before may have been killed before its
/// sync, or have ended because the sync failed, and what is served from here on must not go away again. So
/// the tail is written once more, for after a failed sync the kernel takes its pages for clean. A cut is
/// repeated harmlessly when a crash interrupts it. What is cut by order of accept_loss is kept beside, see
/// lost_files.h. \param end  of a LogReader that has answered "no more"
Result<void> mend_log(FileSystem& files, const std::string& directory, const LogEnd& end);

/// Cuts the log right after transaction `last`: what follows is gone for good, as a leader demands of a
/// learner (TRUNC). Durable on return; a crash in between leaves a log that ends somewhere at or after
/// `last`. Errc::kNotFound when the log holds no transaction `last`; nothing is changed then. Source:
/// persistence/FileTxnLog.java (truncate). Differs: Apache cuts after the first record at or above `last`
/// even if that is another one.
Result<void> truncate_log(FileSystem& files, const std::string& directory, Zxid last, LogReadOptions options);

}  // namespace wk::storage
