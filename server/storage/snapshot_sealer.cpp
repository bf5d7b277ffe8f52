#include "server/storage/snapshot_sealer.h"

#include "server/storage/big_endian.h"
#include "server/storage/log_format.h"

namespace wk::storage {
namespace {

void append_text(std::vector<std::byte>& out, std::string_view text) {
  append_u32(out, static_cast<std::uint32_t>(text.size()));
  const auto bytes = std::as_bytes(std::span(text));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace

void SnapshotSealer::count(std::span<const std::byte> bytes) { checksum_ = adler32(checksum_, bytes); }

void SnapshotSealer::seal(std::vector<std::byte>& out) {
  const std::size_t start = out.size();
  append_u64(out, checksum_);
  append_text(out, "/");
  count(std::span(out).subspan(start));
}

void SnapshotSealer::finish(std::vector<std::byte>& out, const SnapshotTail& tail) {
  std::size_t start = out.size();
  append_text(out, kEndOfNodes);
  count(std::span(out).subspan(start));
  seal(out);
  if (tail.digest) {
    start = out.size();
    append_u64(out, tail.digest->zxid.value);
    append_u32(out, static_cast<std::uint32_t>(tail.digest->version));
    append_u64(out, tail.digest->digest);
    count(std::span(out).subspan(start));
    seal(out);
  }
  if (tail.last_processed) {
    start = out.size();
    append_u64(out, tail.last_processed->value);
    count(std::span(out).subspan(start));
    seal(out);
  }
}

}  // namespace wk::storage
