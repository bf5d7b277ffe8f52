#include "base/startup_memory.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wk {
namespace {

struct Mapping {
  std::uintptr_t begin = 0, end = 0;
};

/// The mapping of a line of /proc/self/maps, when it is a file's, private and read-only.
std::optional<Mapping> read_only_file(const std::string& line) {
  Mapping mapping;
  char rights[5] = {};
  int path_at = 0;
  // "7f0a-7f0b r-xp 00000000 08:01 1234 /usr/lib/libc.so.6"
  if (std::sscanf(line.c_str(), "%lx-%lx %4s %*s %*s %*s %n", &mapping.begin, &mapping.end, rights,
                  &path_at) != 3)
    return std::nullopt;
  if (path_at == 0 || line.compare(static_cast<std::size_t>(path_at), 1, "/") != 0) return std::nullopt;
  if (!std::string_view(rights).starts_with("r-") || rights[3] != 'p') return std::nullopt;
  return mapping;
}

std::vector<Mapping> read_only_files() {
  std::vector<Mapping> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (const auto mapping = read_only_file(line)) found.push_back(*mapping);
  return found;
}

/// /proc/self/pagemap: one number for each page of the address space.
class PageMap {
 public:
  PageMap() : file_(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) {}
  ~PageMap() {
    if (file_ >= 0) ::close(file_);
  }
  PageMap(const PageMap&) = delete;
  PageMap& operator=(const PageMap&) = delete;

  /// \return  resident bytes of a mapping all of whose pages are the file's; absent when one is not, or when
  ///          that cannot be known
  [[nodiscard]] std::optional<std::size_t> resident_of_file(const Mapping& mapping) const {
    std::size_t resident = 0;
    std::array<std::uint64_t, 512> pages;
    for (std::uintptr_t page = mapping.begin / kPage; page < mapping.end / kPage;) {
      const std::size_t wanted = std::min<std::size_t>(pages.size(), mapping.end / kPage - page);
      const ssize_t got =
          ::pread(file_, pages.data(), wanted * sizeof pages[0], static_cast<off_t>(page * sizeof pages[0]));
      if (got != static_cast<ssize_t>(wanted * sizeof pages[0])) return std::nullopt;
      for (std::size_t i = 0; i < wanted; ++i) {
        if ((pages[i] & (kPresent | kSwapped)) == 0) continue;
        if ((pages[i] & kOfFile) == 0) return std::nullopt;
        resident += kPage;
      }
      page += wanted;
    }
    return resident;
  }

 private:
  static constexpr std::uint64_t kOfFile = std::uint64_t{1} << 61;
  static constexpr std::uint64_t kSwapped = std::uint64_t{1} << 62;
  static constexpr std::uint64_t kPresent = std::uint64_t{1} << 63;
  const std::size_t kPage = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

  int file_;
};

}  // namespace

std::size_t return_startup_memory() {
  std::size_t dropped = 0;
  const PageMap pages;
  for (const Mapping& mapping : read_only_files()) {
    const auto resident = pages.resident_of_file(mapping);
    if (!resident) continue;
    void* const begin = reinterpret_cast<void*>(mapping.begin);
    if (madvise(begin, mapping.end - mapping.begin, MADV_DONTNEED) == 0) dropped += *resident;
  }
  malloc_trim(0);
  return dropped;
}

}  // namespace wk
