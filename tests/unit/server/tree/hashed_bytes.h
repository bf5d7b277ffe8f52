// Work that a test counts instead of timing it.
#pragma once

#include <cstdint>

namespace wk::tree {

/// Bytes that libdeflate's CRC-32 has gone over in this process, whoever asked for it.
[[nodiscard]] std::uint64_t hashed_bytes();

}  // namespace wk::tree
