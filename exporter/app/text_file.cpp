#include "exporter/app/text_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace wk::exporter {
namespace {

Error fault(int code) {
  switch (code) {
    case ENOENT:
      return {Errc::kNotFound, "the file does not exist; check the path"};
    case EACCES:
    case EPERM:
      return {Errc::kNotAllowed, "the file may not be read; give this user read permission"};
    default:
      return {Errc::kIo, fmt::format("the file cannot be read ({}); check the path",
                                     std::generic_category().message(code))};
  }
}

/// Closes what open() opened.
struct Descriptor {
  int value;
  explicit Descriptor(int opened) : value(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

}  // namespace

Result<std::string> read_text_file(const std::string& path, std::size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.value < 0) return fault(errno);
  struct stat status {};
  if (::fstat(file.value, &status) != 0) return fault(errno);
  if (S_ISDIR(status.st_mode)) return Error{Errc::kIo, "this is a directory; name a file"};
  std::string text;
  char block[16384];
  while (true) {
    const ssize_t got = ::read(file.value, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fault(errno);
    if (got == 0) return text;
    text.append(block, static_cast<std::size_t>(got));
    if (text.size() > limit)
      return Error{Errc::kTooLarge,
                   fmt::format("the file is larger than {} bytes; is this the right file?", limit)};
  }
}

}  // namespace wk::exporter
