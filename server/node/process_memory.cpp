#include "server/node/process_memory.h"

#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>

namespace wk::node {

ProcessMemory process_memory() {
  ProcessMemory memory;
  struct sysinfo info {};
  if (::sysinfo(&info) == 0) {
    memory.system_bytes = std::uint64_t{info.totalram} * info.mem_unit;
    memory.system_free_bytes = std::uint64_t{info.freeram} * info.mem_unit;
  }
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total_pages = 0, resident_pages = 0;
  if (statm >> total_pages >> resident_pages)
    memory.resident_bytes = resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return memory;
}

std::optional<std::uint64_t> control_group_memory_max(const std::filesystem::path& root) {
  constexpr std::string_view kVersion2 = "0::/";
  std::ifstream groups(root / "proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line) && !line.starts_with(kVersion2)) {
  }
  if (!line.starts_with(kVersion2)) return std::nullopt;
  std::optional<std::uint64_t> least;
  const std::filesystem::path top = root / "sys/fs/cgroup";
  for (std::filesystem::path group = line.substr(kVersion2.size());; group = group.parent_path()) {
    std::uint64_t bytes = 0;
    // "max" is no number: no limit at this level.
    if (std::ifstream file(top / group / "memory.max"); file >> bytes)
      least = std::min(bytes, least.value_or(bytes));
    if (group.empty()) return least;
  }
}

}  // namespace wk::node
