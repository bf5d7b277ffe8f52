#include "server/storage/log_format.h"

#include <libdeflate.h>

#include "base/check.h"
#include "server/storage/big_endian.h"

namespace wk::storage {
namespace {

/// Source: FilePadding.java; the distance from the end of the padding at which the file is extended.
constexpr std::uint64_t kPaddingMargin = 4096;

}  // namespace

std::uint32_t adler32(std::uint32_t start, std::span<const std::byte> bytes) {
  return libdeflate_adler32(start, bytes.data(), bytes.size());
}

void append_log_header(std::vector<std::byte>& out) {
  append_u32(out, kLogMagic);
  append_u32(out, kLogVersion);
  append_u64(out, 0);
}

void append_log_record(std::vector<std::byte>& out, std::span<const std::byte> payload) {
  append_u64(out, adler32(1, payload));
  append_u32(out, static_cast<std::uint32_t>(payload.size()));
  out.insert(out.end(), payload.begin(), payload.end());
  out.push_back(kRecordEnd);
}

Zxid zxid_of_payload(std::span<const std::byte> payload) {
  WK_CHECK(payload.size() >= kTxnHeaderBytes, "a payload without a transaction header");
  return Zxid{load_u64(payload.subspan(kPayloadZxidOffset))};
}

std::uint64_t padded_log_size(std::uint64_t position, std::uint64_t size, std::uint64_t preallocation) {
  if (preallocation == 0 || position + kPaddingMargin < size) return size;
  if (position > size) return (position + preallocation) / preallocation * preallocation;
  return size + preallocation;
}

}  // namespace wk::storage
