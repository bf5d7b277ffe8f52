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

bool is_left_out(std::string_view path) { return path.starts_with("/zookeeper/"); }

}  // namespace

std::uint32_t content_crc(std::string_view path, std::optional<std::string_view> data) {
  if (is_left_out(path)) return 0;
  if (path == kRootPath) path = {};
  // An empty view may be null, on which libdeflate starts over.
  std::uint32_t crc = 0;
  if (!path.empty()) crc = libdeflate_crc32(crc, path.data(), path.size());
  if (data && !data->empty()) crc = libdeflate_crc32(crc, data->data(), data->size());
  return crc;
}

std::uint32_t digest_of_content(std::string_view path, std::uint32_t content, const StatPersisted& stat) {
  if (is_left_out(path)) return 0;
  NumberBytes numbers;
  numbers.add(stat.czxid.value, 8).add(stat.mzxid.value, 8).add(stat.pzxid.value, 8);
  numbers.add_long(stat.ctime_ms).add_long(stat.mtime_ms);
  numbers.add_int(stat.version).add_int(stat.cversion).add_int(stat.aversion);
  numbers.add_long(stat.ephemeral_owner);
  return libdeflate_crc32(content, numbers.bytes().data(), numbers.bytes().size());
}

std::uint32_t node_digest(std::string_view path, std::optional<std::string_view> data,
                          const StatPersisted& stat) {
  return digest_of_content(path, content_crc(path, data), stat);
}

void DigestLog::record(Zxid zxid, std::uint64_t digest) {
  last_ = ZxidDigest{zxid, digest};
  if (zxid.value % kInterval != 0) return;
  entries_.push_back(*last_);
  if (entries_.size() > kMaxEntries) entries_.pop_front();
}

}  // namespace wk::tree
