#include "server/storage/snapshot_encoder.h"

#include <cstring>

#include "base/check.h"
#include "jute/writer.h"
#include "server/storage/big_endian.h"

namespace wk::storage {
namespace {

/// Bytes of a node beside the text of its path and its data.
constexpr std::size_t kNodeFixedBytes = 4 + 4 + 8 + 4 * 8 + 3 * 4 + 2 * 8;

}  // namespace

void SnapshotEncoder::begin(std::vector<std::byte>& out, std::span<const SnapshotSession> sessions,
                            std::span<const SnapshotAcl> acls) {
  WK_CHECK(!begun_, "a snapshot begins twice");
  begun_ = true;
  append_u32(out, kSnapshotMagic);
  append_u32(out, kSnapshotVersion);
  append_u64(out, ~std::uint64_t{0});
  append_u32(out, static_cast<std::uint32_t>(sessions.size()));
  for (const SnapshotSession& session : sessions) {
    append_u64(out, static_cast<std::uint64_t>(session.id.value));
    append_u32(out, static_cast<std::uint32_t>(session.timeout_ms));
  }
  append_u32(out, static_cast<std::uint32_t>(acls.size()));
  jute::Writer writer(out, jute::kLongestString);
  for (const SnapshotAcl& acl : acls) {
    writer.write_long(acl.number);
    writer.write_count(acl.acl.size());
    for (const jute::Acl& entry : acl.acl) jute::write(writer, entry);
  }
}

void SnapshotEncoder::node(std::vector<std::byte>& out, const SnapshotNode& node) {
  WK_CHECK(begun_, "a node before the beginning of a snapshot");
  WK_CHECK(node.path != kEndOfNodes, "the root's path in a snapshot is empty");
  const std::size_t data_bytes = node.data ? node.data->size() : 0;
  const std::size_t start = out.size();
  out.resize(start + kNodeFixedBytes + node.path.size() + data_bytes);
  std::byte* at = out.data() + start;
  const auto put_text = [&at](std::string_view text) {
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    at += text.size();
  };
  const auto put = [&at](auto value) { at = store_big_endian(at, value); };
  const auto put_long = [&put](std::int64_t value) { put(static_cast<std::uint64_t>(value)); };
  const auto put_int = [&put](std::int32_t value) { put(static_cast<std::uint32_t>(value)); };
  put(static_cast<std::uint32_t>(node.path.size()));
  put_text(node.path);
  put_int(node.data ? static_cast<std::int32_t>(data_bytes) : -1);
  put_text(node.data.value_or(std::string_view()));
  put_long(node.acl);
  put(node.czxid.value);
  put(node.mzxid.value);
  put_long(node.ctime_ms);
  put_long(node.mtime_ms);
  put_int(node.version);
  put_int(node.cversion);
  put_int(node.aversion);
  put_long(node.ephemeral_owner);
  put(node.pzxid.value);
  ++nodes_;
}

}  // namespace wk::storage
