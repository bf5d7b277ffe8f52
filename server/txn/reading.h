// One request that is answered from the tree: what the read handlers of the operation table work with.
//
// Internal to server/txn. Thread: core. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jute/utf8.h"
#include "jute/views.h"
#include "jute/writer.h"
#include "server/txn/read.h"

namespace wk::txn {

/// Bytes that a multiRead may be answered with. Without a limit one request of jute.maxbuffer bytes could ask
/// for a large znode ten thousand times over. Differs: Apache builds the reply whatever it takes.
inline constexpr std::size_t kMaxMultiReadBytes = 32U << 20;

class Reading {
 public:
  Reading(const Request& request, const ReadTarget& target, std::vector<std::byte>& body)
      : request_(request),
        target_(target),
        body_(body),
        start_(body.size()),
        out_(body, jute::kLongestString) {}

  [[nodiscard]] const Request& request() const { return request_; }
  [[nodiscard]] const tree::DataTree& tree() const { return target_.tree; }
  [[nodiscard]] tree::WatchTable& watches() const { return target_.watches; }
  [[nodiscard]] jute::Writer& out() { return out_; }
  /// Bytes of the reply's body so far.
  [[nodiscard]] std::size_t out_bytes() const { return body_.size() - start_; }

  /// Decodes the request's record; nothing when it is malformed.
  template <typename Record>
  [[nodiscard]] std::optional<Record> decode() const {
    jute::Reader in = reader();
    Record record;
    read(in, record);
    return in.ok() ? std::optional<Record>(record) : std::nullopt;
  }
  [[nodiscard]] jute::Reader reader() const {
    return jute::Reader(request_.body, target_.settings.max_string_bytes);
  }

  /// True when the requester has one of `wanted` (kPerm… bits) on the node.
  [[nodiscard]] bool permits(const tree::Znode& node, std::int32_t wanted) const {
    return target_.tree.acls().permits(node.acl(), wanted, request_.identities, target_.settings.acl);
  }
  /// `path` as Java reads it, for what is kept or sent back though no znode has that path. Valid until the
  /// next call.
  [[nodiscard]] std::string_view text(std::string_view path) {
    if (jute::is_well_formed(path)) return path;
    repaired_ = jute::repaired(path);
    return repaired_;
  }
  /// Sends the requester an event that no transaction caused.
  void fire(jute::EventType type, std::string_view path) const {
    target_.events.fired(std::span(&request_.connection, 1), type, path, kNoZxid);
  }

 private:
  const Request& request_;
  const ReadTarget& target_;
  const std::vector<std::byte>& body_;
  std::size_t start_;
  jute::Writer out_;
  std::string repaired_;
};

// The read handlers of the operation table.
jute::ErrorCode read_nothing(Reading& reading);
jute::ErrorCode read_exists(Reading& reading);
jute::ErrorCode read_data(Reading& reading);
jute::ErrorCode read_acl(Reading& reading);
jute::ErrorCode read_children(Reading& reading);
jute::ErrorCode read_children_and_stat(Reading& reading);
jute::ErrorCode read_all_children_number(Reading& reading);
jute::ErrorCode read_ephemerals(Reading& reading);
jute::ErrorCode read_multi(Reading& reading);
jute::ErrorCode read_sync(Reading& reading);
jute::ErrorCode read_who_am_i(Reading& reading);
jute::ErrorCode read_set_watches(Reading& reading);
jute::ErrorCode read_set_watches2(Reading& reading);
jute::ErrorCode read_add_watch(Reading& reading);
jute::ErrorCode read_check_watches(Reading& reading);
jute::ErrorCode read_remove_watches(Reading& reading);

}  // namespace wk::txn
