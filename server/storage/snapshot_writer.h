// Writes the bytes of a snapshot to a file that appears under its name only when it is whole and durable.
//
// The file is written under a name that no reader takes for a snapshot, synced, renamed, and the folder
// synced. Thread: disk (one owner). Source: reference storage-formats 4.6, 4.7. Differs: Apache writes most
// snapshots in place and unsynced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "base/ids.h"
#include "server/storage/byte_stream.h"
#include "server/storage/file_names.h"
#include "server/storage/file_system.h"

namespace wk::storage {

class SnapshotWriter {
 public:
  /// The file is brought to the device in pieces of this size while it grows, so that commit() has no more
  /// than one of them left to sync. A sync of the log waits behind one of them at most: with 8 MiB that was
  /// felt ten times a second (docs/PERFORMANCE.md).
  static constexpr std::uint64_t kWriteBackBytes = std::uint64_t{256} << 10;

  /// \param directory  the snapshots' version-2 folder
  /// \param zxid       last transaction that the snapshot certainly contains
  static Result<SnapshotWriter> create(FileSystem& files, std::string directory, Zxid zxid,
                                       Compression compression);
  SnapshotWriter(SnapshotWriter&&) noexcept = default;
  SnapshotWriter& operator=(SnapshotWriter&&) = delete;
  /// Without commit() the unfinished file is removed.
  ~SnapshotWriter();

  /// Appends bytes of a SnapshotEncoder; waits for the disk once every kWriteBackBytes. After an error
  /// (Errc::kNoSpace, Errc::kIo) only destruction is left.
  Result<void> append(std::span<const std::byte> bytes);
  /// Finishes, syncs and names the file. An existing snapshot of the same name is replaced at once or not at
  /// all; those of the same zxid in another compression are removed then.
  Result<void> commit();

  /// Bytes in the file so far, after compression, without what the compressor still holds.
  [[nodiscard]] std::uint64_t file_bytes() const { return sink_ ? sink_->bytes_written() : 0; }
  /// Name that commit() gives, without folder.
  [[nodiscard]] std::string name() const { return snapshot_name(zxid_, compression_); }

 private:
  SnapshotWriter(FileSystem& files, std::string directory, Zxid zxid, Compression compression);

  FileSystem* files_;
  std::string directory_;
  Zxid zxid_;
  Compression compression_;
  std::string unfinished_path_;
  std::unique_ptr<File> file_;
  std::unique_ptr<ByteSink> sink_;
  std::uint64_t written_back_ = 0;  ///< bytes of the file
};

}  // namespace wk::storage
