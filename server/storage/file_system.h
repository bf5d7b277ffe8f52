// The only door from storage to a disk, so that tests can put a crashing or full disk behind it.
//
// The promises are those of POSIX and no more. Written bytes survive a crash only after File::sync(). A file
// that was created, renamed or removed is so after a crash only after FileSystem::sync_directory() of its
// folder. Until then a crash may keep any subset of the sectors and of the directory changes.
// Thread: an object belongs to one thread at a time; different files may be used by different threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace wk::storage {

/// Smallest unit that a disk writes wholly or not at all. Real disks have this or a multiple of it.
inline constexpr std::size_t kSectorBytes = 512;

/// An open file; closed by its destructor. Errors name the file and what was tried: Errc::kNoSpace when the
/// device or the quota is full, Errc::kIo otherwise.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  /// Reads at `offset` until `into` is full or the file ends. \return bytes read
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) = 0;
  /// Writes all of `bytes` at `offset`. After an error any part of them may have been written.
  virtual Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  /// Cuts the file or extends it by bytes that read as zero and take no space.
  virtual Result<void> set_size(std::uint64_t size) = 0;
  virtual Result<std::uint64_t> size() = 0;
  /// The first place at or after `offset` where bytes other than zero may stand; the file's size when there
  /// is none. Skips the holes of a sparse file without reading them.
  virtual Result<std::uint64_t> find_data(std::uint64_t offset) = 0;
  /// Brings the written bytes of this range to the device and waits for it, so that a later sync() has less
  /// left to do. Promises nothing that a crash keeps, and may do nothing. An error is as final as sync()'s,
  /// which would not tell it again.
  virtual Result<void> write_back(std::uint64_t offset, std::uint64_t bytes) = 0;
  /// Makes content and size durable (fdatasync). After an error it is unknown what is durable and a second
  /// call would lie: the caller must give the file up.
  virtual Result<void> sync() = 0;
};

/// Exclusive hold on a lock file; released by its destructor or by the end of the process.
class FileLock {
 public:
  FileLock() = default;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  virtual ~FileLock() = default;
};

struct DirectoryEntry {
  std::string name{};
  std::uint64_t size = 0;  ///< bytes; 0 for what is not a plain file
  bool plain_file = true;
};

/// Paths are absolute or relative to the working folder; nothing is expanded. Whatever opens something
/// answers Errc::kNoSpace, too, when this process or the system may open no more files: nothing was done
/// then, and it may be tried again.
class FileSystem {
 public:
  FileSystem() = default;
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;
  virtual ~FileSystem() = default;

  /// Errc::kNotFound when there is no such file.
  virtual Result<std::unique_ptr<File>> open_to_read(const std::string& path) = 0;
  /// An existing file, content kept. Errc::kNotFound when there is no such file.
  virtual Result<std::unique_ptr<File>> open_to_write(const std::string& path) = 0;
  /// An empty file; an existing one loses its content.
  virtual Result<std::unique_ptr<File>> create(const std::string& path) = 0;
  /// Atomic; replaces `to`.
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  /// Errc::kNotFound when there is no such file.
  virtual Result<void> remove(const std::string& path) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  /// Sorted by name, without "." and "..". Errc::kNotFound when there is no such folder.
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& directory) = 0;
  /// Creates what is missing of the path, durably; nothing when it is there.
  virtual Result<void> create_directories(const std::string& directory) = 0;
  /// Whether this process may create files in the folder.
  virtual Result<bool> is_writable(const std::string& directory) = 0;
  /// Makes creations, renames and removals in the folder durable. Errc::kNoSpace: the folder could not be
  /// opened for want of a descriptor; a sync that failed is another error, final as File::sync()'s.
  virtual Result<void> sync_directory(const std::string& directory) = 0;
  /// Takes the lock file, creating it; never waits. Errc::kNotAllowed, with the holder's process id where it
  /// is known, when somebody holds it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

/// The machine's file system.
FileSystem& posix_file_system();

}  // namespace wk::storage
