#include "server/storage/snapshot_writer.h"

#include <utility>

#include "base/check.h"

namespace wk::storage {

SnapshotWriter::SnapshotWriter(FileSystem& files, std::string directory, Zxid zxid, Compression compression)
    : files_(&files),
      directory_(std::move(directory)),
      zxid_(zxid),
      compression_(compression),
      unfinished_path_(join(directory_, unfinished_snapshot_name(zxid, compression))) {}

Result<SnapshotWriter> SnapshotWriter::create(FileSystem& files, std::string directory, Zxid zxid,
                                              Compression compression) {
  SnapshotWriter writer(files, std::move(directory), zxid, compression);
  auto file = files.create(writer.unfinished_path_);
  if (!file) return file.error();
  writer.file_ = std::move(*file);
  writer.sink_ = open_byte_sink(*writer.file_, compression);
  return writer;
}

SnapshotWriter::~SnapshotWriter() {
  if (!file_) return;
  sink_.reset();
  file_.reset();
  // Best effort: what cannot be removed now is removed at the next start.
  [[maybe_unused]] const auto removed = files_->remove(unfinished_path_);
}

Result<void> SnapshotWriter::append(std::span<const std::byte> bytes) {
  WK_CHECK(file_ != nullptr, "a snapshot goes on after its end");
  if (const auto written = sink_->write(bytes); !written) return written.error();
  for (; sink_->bytes_written() - written_back_ >= kWriteBackBytes; written_back_ += kWriteBackBytes)
    if (const auto done = file_->write_back(written_back_, kWriteBackBytes); !done) return done.error();
  return {};
}

Result<void> SnapshotWriter::commit() {
  WK_CHECK(file_ != nullptr, "a snapshot ends twice");
  if (const auto finished = sink_->finish(); !finished) return finished.error();
  if (const auto synced = file_->sync(); !synced) return synced.error();
  if (const auto renamed = files_->rename(unfinished_path_, join(directory_, name())); !renamed)
    return renamed.error();
  file_.reset();
  if (const auto synced = files_->sync_directory(directory_); !synced) return synced;
  // Of equal zxids readers take the uncompressed file: an older one must not stand in for what was just
  // written.
  bool removed = false;
  for (const Compression other : {Compression::kNone, Compression::kGzip, Compression::kSnappy}) {
    if (other == compression_) continue;
    const auto gone = files_->remove(join(directory_, snapshot_name(zxid_, other)));
    if (!gone && gone.error().code != Errc::kNotFound) return gone.error();
    removed = removed || gone;
  }
  if (!removed) return {};
  return files_->sync_directory(directory_);
}

}  // namespace wk::storage
