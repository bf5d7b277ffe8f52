#include "server/tree/digest.h"

#include <libdeflate.h>

#include <array>
#include <cstddef>

#include "server/tree/path.h"

namespace wk::tree {
namespace {

/// Fills a buffer with big-endian numbers from its start.
class NumberBytes {
 public:
  NumberBytes& add(std::uint64_t value, std::size_t size) {
    for (std::size_t i = size; i > 0; --i)
      bytes_[used_++] = static_cast<unsigned char>(value >> (8 * (i - 1)));
    return *this;
  }
  NumberBytes& add_long(std::int64_t value) { return add(static_cast<std::uint64_t>(value), 8); }
  NumberBytes& add_int(std::int32_t value) { return add(static_cast<std::uint32_t>(value), 4); }
  [[nodiscard]] const std::array<unsigned char, 60>& bytes() const { return bytes_; }

 private:
  std::array<unsigned char, 60> bytes_{};
  std::size_t used_ = 0;
};

}  // namespace

std::uint32_t node_digest(std::string_view path, std::optional<std::string_view> data,
                          const StatPersisted& stat) {
  constexpr std::string_view kExcluded = "/zookeeper/";
  if (path.substr(0, kExcluded.size()) == kExcluded) return 0;
  if (path == kRootPath) path = {};

  NumberBytes numbers;
  numbers.add(stat.czxid.value, 8).add(stat.mzxid.value, 8).add(stat.pzxid.value, 8);
  numbers.add_long(stat.ctime_ms).add_long(stat.mtime_ms);
  numbers.add_int(stat.version).add_int(stat.cversion).add_int(stat.aversion);
  numbers.add_long(stat.ephemeral_owner);

  // An empty view may be null, on which libdeflate starts over.
  std::uint32_t crc = 0;
  if (!path.empty()) crc = libdeflate_crc32(crc, path.data(), path.size());
  if (data && !data->empty()) crc = libdeflate_crc32(crc, data->data(), data->size());
  return libdeflate_crc32(crc, numbers.bytes().data(), numbers.bytes().size());
}

void DigestLog::record(Zxid zxid, std::uint64_t digest) {
  last_ = ZxidDigest{zxid, digest};
  if (zxid.value % kInterval != 0) return;
  entries_.push_back(*last_);
  if (entries_.size() > kMaxEntries) entries_.pop_front();
}

}  // namespace wk::tree
