// A member without network and disk, for tests: requests are prepared, wait as long as the test wants, and
// are applied. Every applied transaction must leave the tree with the digest that was computed when it was
// prepared.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "jute/records.h"
#include "jute/txn_records.h"
#include "server/session/session_table.h"
#include "server/tree/data_tree.h"
#include "server/tree/watch_table.h"
#include "server/txn/apply.h"
#include "server/txn/operation.h"
#include "server/txn/outstanding.h"
#include "server/txn/prepare.h"
#include "server/txn/read.h"

namespace wk::txn {

using jute::ErrorCode;
using jute::EventType;
using jute::OpCode;

struct FiredEvent {
  ConnectionId connection{};
  EventType type = EventType::kNone;
  std::string path{};
  Zxid zxid{};
  friend bool operator==(const FiredEvent&, const FiredEvent&) = default;
};

inline void PrintTo(const FiredEvent& event, std::ostream* out) {
  *out << jute::name(event.type) << " " << event.path << " to " << event.connection.value << " zxid "
       << event.zxid.value;
}

struct Reply {
  ErrorCode error = ErrorCode::kOk;
  std::vector<std::byte> body{};
  bool rolled_back = false;

  /// The body as one record.
  template <typename Record>
  [[nodiscard]] Record as() const {
    auto record = jute::decode<Record>(body);
    EXPECT_TRUE(record) << "unexpected body of " << body.size() << " bytes";
    return record ? *record : Record{};
  }
};

/// One connection with its session.
struct Client {
  SessionId session{};
  ConnectionId connection{};
  std::vector<jute::Id> identities{};
  std::int32_t xid = 0;
};

inline const std::vector<jute::Acl> kOpen{{jute::kPermAll, {"world", "anyone"}}};
inline const std::vector<jute::Acl> kReadOnly{{jute::kPermRead, {"world", "anyone"}}};
inline const jute::Id kAlice{"digest", "alice:abc"};

inline jute::CreateRequest creating(std::string path, jute::CreateMode mode = jute::CreateMode::kPersistent,
                                    std::vector<jute::Acl> acl = kOpen,
                                    std::optional<std::string> data = "") {
  return {std::move(path), std::move(data), std::move(acl), mode};
}

template <typename Record>
std::vector<std::byte> encoded(const Record& record) {
  std::vector<std::byte> bytes;
  jute::Writer out(bytes);
  write(out, record);
  EXPECT_TRUE(out.status());
  return bytes;
}

class Member final : public EventSink {
 public:
  explicit Member(Settings with = {}, tree::OwnerRules rules = {.extended_types = true})
      : settings(with),
        tree({.owners = rules, .hash_seed = 1}),
        watches(2),
        sessions(std::chrono::seconds(2)),
        outstanding(with.digest) {}

  /// A new client with session; its identity is ip:127.0.0.1.
  Client connect() {
    Client client;
    client.session.value = 0x100 + static_cast<std::int64_t>(++clients_);
    client.connection.value = clients_;
    client.identities = {{"ip", "127.0.0.1"}};
    EXPECT_EQ(call(client, OpCode::kCreateSession, std::int32_t{30000}).error, ErrorCode::kOk);
    connections[client.connection.value] = client.identities;
    return client;
  }

  /// Adds an identity to a client and to its connection.
  void authenticate(Client& client, jute::Id identity) {
    client.identities.push_back(std::move(identity));
    connections[client.connection.value] = client.identities;
  }

  /// Prepares a request; its transaction, unless it makes none, waits for apply_next(). \return what
  /// prepare() answered
  ErrorCode submit_bytes(Client& client, OpCode op, std::span<const std::byte> body) {
    const Request request{.op = op,
                          .session = client.session,
                          .cxid = ++client.xid,
                          .connection = client.connection,
                          .identities = client.identities,
                          .body = body,
                          .session_check = session_check};
    std::vector<std::byte> log{std::byte{0xaa}};  // Whatever stands before the payload is left alone.
    const Prepared prepared = prepare(request, Zxid{zxid + 1}, ++wall_ms, settings, tree, outstanding, log);
    EXPECT_EQ(prepared.offset, 1U);
    EXPECT_EQ(prepared.offset + prepared.size, log.size());
    if (prepared.size == 0) return prepared.error;
    ++zxid;
    log.erase(log.begin());
    waiting.push_back({op, std::move(log)});
    return prepared.error;
  }
  template <typename Record>
  ErrorCode submit(Client& client, OpCode op, const Record& record) {
    return submit_bytes(client, op, encoded(record));
  }

  /// Applies the oldest transaction that waits.
  Reply apply_next() {
    Reply reply;
    const Waiting next = std::move(waiting.front());
    waiting.pop_front();
    const ReplyTo reply_to{next.op, reply.body};
    const auto applied = apply(next.payload, {tree, sessions, watches, *this, settings}, &reply_to);
    if (!applied) {
      ADD_FAILURE() << applied.error().message;
      return reply;
    }
    EXPECT_FALSE(applied->digest_mismatch) << jute::name(applied->header.type);
    reply.error = applied->error;
    reply.rolled_back = applied->rolled_back;
    outstanding.applied(applied->header.zxid);
    return reply;
  }
  Reply apply_all() {
    Reply last;
    while (!waiting.empty()) last = apply_next();
    return last;
  }

  /// Prepares and applies.
  Reply call_bytes(Client& client, OpCode op, std::span<const std::byte> body) {
    const ErrorCode error = submit_bytes(client, op, body);
    if (!waiting.empty()) return apply_all();
    Reply reply;
    reply.error = error;
    return reply;
  }
  template <typename Record>
  Reply call(Client& client, OpCode op, const Record& record) {
    return call_bytes(client, op, encoded(record));
  }
  /// Creates a node, which must succeed. \return its path
  std::string make(Client& client, jute::CreateRequest request) {
    const Reply reply = call(client, OpCode::kCreate, request);
    EXPECT_EQ(reply.error, ErrorCode::kOk) << request.path;
    return reply.error == ErrorCode::kOk ? reply.as<jute::CreateResponse>().path : std::string();
  }

  Reply read_bytes(const Client& client, OpCode op, std::span<const std::byte> body) {
    const Operation* operation = find_operation(op);
    const Request request{.op = op,
                          .session = client.session,
                          .cxid = client.xid,
                          .connection = client.connection,
                          .identities = client.identities,
                          .body = body,
                          .session_check = session_check};
    Reply reply;
    reply.body.push_back(std::byte{0xaa});  // Whatever stands before the body is left alone.
    reply.error = wk::txn::read(*operation, request, {tree, watches, *this, settings}, reply.body);
    reply.body.erase(reply.body.begin());
    if (reply.error != ErrorCode::kOk) {
      EXPECT_TRUE(reply.body.empty());
    }
    return reply;
  }
  template <typename Record>
  Reply read(const Client& client, OpCode op, const Record& record) {
    return read_bytes(client, op, encoded(record));
  }

  std::vector<FiredEvent> take_events() { return std::exchange(events_, {}); }

  std::span<const jute::Id> identities(ConnectionId connection) override {
    return connections[connection.value];
  }
  void fired(std::span<const ConnectionId> watchers, EventType type, std::string_view path,
             Zxid cause) override {
    EXPECT_FALSE(watchers.empty());
    for (const ConnectionId watcher : watchers) events_.push_back({watcher, type, std::string(path), cause});
  }

  struct Waiting {
    OpCode op = OpCode::kError;
    std::vector<std::byte> payload{};
  };

  Settings settings;
  tree::DataTree tree;
  tree::WatchTable watches;
  session::SessionTable sessions;
  Outstanding outstanding;
  std::deque<Waiting> waiting;
  std::map<std::uint64_t, std::vector<jute::Id>> connections;
  ErrorCode session_check = ErrorCode::kOk;
  std::uint64_t zxid = 0;
  std::int64_t wall_ms = 1'000'000;

 private:
  std::uint64_t clients_ = 0;
  std::vector<FiredEvent> events_;
};

}  // namespace wk::txn
