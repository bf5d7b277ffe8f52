// How many file descriptors this process has open.
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

}  // namespace wk
