// How many file descriptors this process has open, and may have.
//
// Thread: any. Source: proc(5), /proc/pid/fd: since Linux 6.2 the folder's size is their number; before, they
// must be listed one by one, which takes about a microsecond each.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace wk {

/// \param proc  where procfs is mounted
/// \return absent when it cannot be read
std::optional<std::uint64_t> open_descriptors(const std::filesystem::path& proc = "/proc");

/// How many file descriptors this process may have open.
struct DescriptorLimit {
  std::uint64_t before = 0;
  std::uint64_t now = 0;
};

/// Raises the soft limit to the hard one, as the JVM does: the usual soft limit (1024) is that of programs
/// with select(), and not meant for servers. \return  absent when the system does not tell
std::optional<DescriptorLimit> raise_descriptor_limit();

}  // namespace wk
