#include "server/storage/snapshot_sealer.h"

#include "jute/writer.h"
#include "server/storage/log_format.h"

namespace wk::storage {

void SnapshotSealer::count(std::span<const std::byte> bytes) { checksum_ = adler32(checksum_, bytes); }

void SnapshotSealer::finish(std::vector<std::byte>& out, const SnapshotTail& tail) {
  jute::Writer writer(out);
  std::size_t counted = out.size();
  // A seal holds the checksum of everything before it, the seals before it included.
  const auto seal = [&] {
    count(std::span(out).subspan(counted));
    counted = out.size();
    writer.write_long(checksum_);
    writer.write_string("/");
  };
  writer.write_string(kEndOfNodes);
  seal();
  if (tail.digest) {
    writer.write_long(static_cast<std::int64_t>(tail.digest->zxid.value));
    writer.write_int(tail.digest->version);
    writer.write_long(static_cast<std::int64_t>(tail.digest->digest));
    seal();
  }
  if (tail.last_processed) {
    writer.write_long(static_cast<std::int64_t>(tail.last_processed->value));
    seal();
  }
}

}  // namespace wk::storage
