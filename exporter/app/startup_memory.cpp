#include "exporter/app/startup_memory.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wk::exporter {
namespace {

/// One mapping of /proc/self/smaps, as far as it matters here.
struct Mapping {
  std::uintptr_t begin = 0, end = 0;
  std::size_t resident = 0;
  bool may_drop = false;  ///< of a file, and read-only
};

std::optional<Mapping> heading(const std::string& line) {
  Mapping mapping;
  char rights[5] = {};
  int path_at = 0;
  // "7f0a-7f0b r-xp 00000000 08:01 1234 /usr/lib/libc.so.6"
  if (std::sscanf(line.c_str(), "%lx-%lx %4s %*s %*s %*s %n", &mapping.begin, &mapping.end, rights,
                  &path_at) != 3)
    return std::nullopt;
  mapping.may_drop = path_at > 0 && line.compare(static_cast<std::size_t>(path_at), 1, "/") == 0 &&
                     std::string_view(rights).starts_with("r-") && rights[3] == 'p';
  return mapping;
}

/// The number of kilobytes behind `name`, in bytes.
std::optional<std::size_t> bytes_of(const std::string& line, std::string_view name) {
  if (!line.starts_with(name)) return std::nullopt;
  unsigned long kilobytes = 0;
  if (std::sscanf(line.c_str() + name.size(), "%lu", &kilobytes) != 1) return std::nullopt;
  return kilobytes * 1024;
}

std::vector<Mapping> droppable_mappings() {
  std::vector<Mapping> found;
  std::ifstream smaps("/proc/self/smaps");
  bool open = false;  // the mapping under way can still be dropped, and stands at the end of `found`
  for (std::string line; std::getline(smaps, line);) {
    if (const auto next = heading(line)) {
      open = next->may_drop;
      if (open) found.push_back(*next);
    } else if (open) {
      if (const auto resident = bytes_of(line, "Rss:")) found.back().resident = *resident;
      if (const auto changed = bytes_of(line, "Anonymous:"); changed && *changed > 0) {
        found.pop_back();
        open = false;
      }
    }
  }
  return found;
}

}  // namespace

std::size_t return_startup_memory() {
  std::size_t dropped = 0;
  for (const Mapping& mapping : droppable_mappings()) {
    void* const begin = reinterpret_cast<void*>(mapping.begin);
    if (madvise(begin, mapping.end - mapping.begin, MADV_DONTNEED) == 0) dropped += mapping.resident;
  }
  malloc_trim(0);
  return dropped;
}

}  // namespace wk::exporter
