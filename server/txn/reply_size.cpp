#include "server/txn/reply_size.h"

#include <algorithm>
#include <string_view>

#include "jute/records.h"
#include "jute/views.h"
#include "server/txn/reading.h"

namespace wk::txn {
namespace {

using jute::OpCode;

/// Length prefix, ReplyHeader, Stat and the lengths of the fields.
constexpr std::size_t kFixedBytes = 100;
/// A name in a list of children, and a path in one of ephemerals, with their length prefixes.
constexpr std::size_t kNameBytes = 64;
constexpr std::size_t kPathBytes = 128;

std::size_t part_bytes(OpCode op, std::string_view path, const tree::DataTree& tree,
                       std::size_t longest_change) {
  const tree::Znode node = tree.find(path);
  std::size_t now = 0;
  if (node) {
    if (op == OpCode::kGetData)
      now = node.data().value_or(std::string_view{}).size();
    else if (op == OpCode::kGetAcl)
      now = tree.acls().list(node.acl()).encoded().size();
    else
      now = std::size_t{node.num_children()} * kNameBytes;
  }
  return kFixedBytes + std::max(now, longest_change);
}

}  // namespace

std::size_t expected_reply_bytes(const Operation& operation, SessionId session,
                                 std::span<const std::byte> body, const tree::DataTree& tree,
                                 std::size_t longest_change) {
  jute::Reader in(body);
  switch (operation.code) {
    case OpCode::kGetData:
    case OpCode::kGetAcl:
    case OpCode::kGetChildren:
    case OpCode::kGetChildren2: {
      jute::PathView request;
      read(in, request);
      return in.ok() ? part_bytes(operation.code, request.path, tree, longest_change) : kFixedBytes;
    }
    case OpCode::kMultiRead: {
      std::size_t bytes = kFixedBytes;
      for (;;) {
        jute::MultiHeader header;
        jute::ReadRequestView request;
        read(in, header);
        if (!in.ok() || header.done) return bytes;
        read(in, request);
        if (!in.ok()) return bytes;
        bytes += part_bytes(header.op, request.path, tree, longest_change);
        if (bytes >= kMaxMultiReadBytes) return kMaxMultiReadBytes;
      }
    }
    case OpCode::kGetEphemerals:
      return kFixedBytes + tree.ephemerals_of(session) * kPathBytes + longest_change;
    default:
      // Events and echoes: each path of the request comes back once, in a frame of its own.
      return kFixedBytes + 2 * body.size();
  }
}

}  // namespace wk::txn
