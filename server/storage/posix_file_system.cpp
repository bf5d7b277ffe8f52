// FileSystem on the calls of POSIX and Linux. Every failing call is reported with its path and errno's text.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "server/storage/file_system.h"

namespace wk::storage {
namespace {

constexpr ::mode_t kFileMode = 0644;
constexpr ::mode_t kDirectoryMode = 0755;

Error fault(int code, const char* what, const std::string& path) {
  const std::string why = std::error_code(code, std::generic_category()).message();
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      return {Errc::kNoSpace, fmt::format("cannot {} {}: {}; free space on that disk", what, path, why)};
    case EMFILE:
    case ENFILE:
      return {Errc::kNoSpace,
              fmt::format("cannot {} {}: {}; raise the limit of open files (LimitNOFILE, ulimit -n)", what,
                          path, why)};
    case ENOENT:
      return {Errc::kNotFound, fmt::format("cannot {} {}: {}", what, path, why)};
    case EACCES:
    case EPERM:
    case EROFS:
      return {Errc::kNotAllowed,
              fmt::format("cannot {} {}: {}; check owner and mode of the path and how it is mounted", what,
                          path, why)};
    default:
      return {Errc::kIo, fmt::format("cannot {} {}: {}", what, path, why)};
  }
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ::ssize_t count = ::pread(descriptor_.get(), into.data() + done, into.size() - done,
                                      static_cast<::off_t>(offset + done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fault(errno, "read", path_);
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ::ssize_t count =
          ::pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<::off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fault(errno, "write", path_);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
    return {};
  }

  Result<void> set_size(std::uint64_t size) override {
    int result = 0;
    do {
      result = ::ftruncate(descriptor_.get(), static_cast<::off_t>(size));
    } while (result != 0 && errno == EINTR);
    if (result != 0) return fault(errno, "resize", path_);
    return {};
  }

  Result<std::uint64_t> size() override {
    struct ::stat status {};
    if (::fstat(descriptor_.get(), &status) != 0) return fault(errno, "examine", path_);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Result<std::uint64_t> find_data(std::uint64_t offset) override {
    const ::off_t found = ::lseek(descriptor_.get(), static_cast<::off_t>(offset), SEEK_DATA);
    if (found >= 0) return static_cast<std::uint64_t>(found);
    if (errno == ENXIO) return size();
    if (errno == EINVAL || errno == ENOTSUP) return offset;  // a file system that does not know its holes
    return fault(errno, "seek in", path_);
  }

  Result<void> write_back(std::uint64_t offset, std::uint64_t bytes) override {
    const int result =
        ::sync_file_range(descriptor_.get(), static_cast<::off_t>(offset), static_cast<::off_t>(bytes),
                          SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    // A kernel or a sandbox without the call, a file that has no pages to write: sync() does all of it.
    if (result == 0 || errno == ENOSYS || errno == EINVAL || errno == ESPIPE) return {};
    return fault(errno, "write back", path_);
  }

  Result<void> sync() override {
    if (::fdatasync(descriptor_.get()) != 0) return fault(errno, "sync", path_);
    return {};
  }

 private:
  Descriptor descriptor_;
  std::string path_;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open_to_read(const std::string& path) override {
    return open(path, O_RDONLY, "open");
  }

  Result<std::unique_ptr<File>> open_to_write(const std::string& path) override {
    return open(path, O_RDWR, "open for writing");
  }

  Result<std::unique_ptr<File>> create(const std::string& path) override {
    return open(path, O_RDWR | O_CREAT | O_TRUNC, "create");
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0)
      return fault(errno, "rename", fmt::format("{} to {}", from, to));
    return {};
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return fault(errno, "remove", path);
    return {};
  }

  Result<bool> exists(const std::string& path) override {
    struct ::stat status {};
    if (::stat(path.c_str(), &status) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return fault(errno, "examine", path);
  }

  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override {
    const std::unique_ptr<::DIR, int (*)(::DIR*)> stream(::opendir(directory.c_str()), ::closedir);
    if (stream == nullptr) return fault(errno, "list", directory);
    std::vector<DirectoryEntry> entries;
    for (;;) {
      errno = 0;
      const ::dirent* entry = ::readdir(stream.get());
      if (entry == nullptr) break;
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct ::stat status {};
      if (::fstatat(::dirfd(stream.get()), entry->d_name, &status, 0) != 0) {
        if (errno == ENOENT) continue;  // removed while the folder is read, or a dangling link
        return fault(errno, "examine", directory + "/" + name);
      }
      const bool plain = S_ISREG(status.st_mode);
      entries.push_back({name, plain ? static_cast<std::uint64_t>(status.st_size) : 0, plain});
    }
    if (errno != 0) return fault(errno, "list", directory);
    std::ranges::sort(entries, {}, &DirectoryEntry::name);
    return entries;
  }

  Result<void> create_directories(const std::string& directory) override {
    for (std::size_t end = directory.find('/', 1);; end = directory.find('/', end + 1)) {
      const std::string part = directory.substr(0, end);
      if (::mkdir(part.c_str(), kDirectoryMode) == 0) {
        const std::size_t slash = part.rfind('/');
        const std::string parent =
            slash == std::string::npos ? "." : part.substr(0, std::max<std::size_t>(slash, 1));
        if (const auto synced = sync_directory(parent); !synced) return synced;
      } else if (errno != EEXIST) {
        return fault(errno, "create the folder", part);
      }
      if (end == std::string::npos) break;
    }
    struct ::stat status {};
    if (::stat(directory.c_str(), &status) != 0) return fault(errno, "examine", directory);
    if (!S_ISDIR(status.st_mode)) return fault(ENOTDIR, "use", directory);
    return {};
  }

  Result<bool> is_writable(const std::string& directory) override {
    if (::access(directory.c_str(), W_OK | X_OK) == 0) return true;
    if (errno == EACCES || errno == EROFS) return false;
    return fault(errno, "examine", directory);
  }

  Result<void> sync_directory(const std::string& directory) override {
    const Descriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor.get() < 0) return fault(errno, "open the folder", directory);
    if (::fsync(descriptor.get()) == 0) return {};
    Error error = fault(errno, "sync the folder", directory);
    error.code = Errc::kIo;  // whatever the reason, it is unknown what is durable
    return error;
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    Descriptor descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode));
    if (descriptor.get() < 0) return fault(errno, "open the lock file", path);
    if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return fault(errno, "lock", path);
      char text[32] = {};
      const ::ssize_t count = ::pread(descriptor.get(), text, sizeof text - 1, 0);
      const std::string_view holder(text, count > 0 ? static_cast<std::size_t>(count) : 0);
      return Error{Errc::kNotAllowed,
                   fmt::format("{} is held by another process{}; stop it, or give this server another folder",
                               path, holder.empty() ? "" : fmt::format(" (pid {})", printable(holder)))};
    }
    const std::string pid = std::to_string(::getpid());
    if (::ftruncate(descriptor.get(), 0) != 0 || ::pwrite(descriptor.get(), pid.data(), pid.size(), 0) < 0) {
      // The lock holds without the note of who has it; a full disk is no reason to refuse it.
    }
    return std::unique_ptr<FileLock>(std::make_unique<PosixLock>(std::move(descriptor)));
  }

 private:
  static Result<std::unique_ptr<File>> open(const std::string& path, int flags, const char* what) {
    Descriptor descriptor(::open(path.c_str(), flags | O_CLOEXEC, kFileMode));
    if (descriptor.get() < 0) return fault(errno, what, path);
    return std::unique_ptr<File>(std::make_unique<PosixFile>(std::move(descriptor), path));
  }
};

}  // namespace

FileSystem& posix_file_system() {
  static PosixFileSystem file_system;
  return file_system;
}

}  // namespace wk::storage
