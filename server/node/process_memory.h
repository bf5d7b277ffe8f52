// Memory of this process and of the machine, as the kernel tells it.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace wk::node {

struct ProcessMemory {
  std::uint64_t resident_bytes = 0;
  std::uint64_t system_bytes = 0;
  std::uint64_t system_free_bytes = 0;
};

/// Zeros for what cannot be read.
ProcessMemory process_memory();

/// The least memory.max of this process's control group and those around it; absent where there is none, or
/// version 1 of control groups. Source: the kernel's Documentation/admin-guide/cgroup-v2.rst.
/// \param root  where /proc and /sys are
std::optional<std::uint64_t> control_group_memory_max(const std::filesystem::path& root = "/");

}  // namespace wk::node
