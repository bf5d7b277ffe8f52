// A Replica with a clock that the test moves, a log that syncs when the test says so, and clients that speak
// in encoded frames.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "jute/records.h"
#include "server/replica/io.h"
#include "server/replica/recovery.h"
#include "server/replica/replica.h"
#include "server/session/identity.h"

namespace wk::replica {

using Bytes = std::vector<std::byte>;

template <typename... Records>
Bytes encode(const Records&... records) {
  Bytes bytes;
  jute::Writer out(bytes);
  (write(out, records), ...);
  return bytes;
}

template <typename Record>
Record decode(std::span<const std::byte> bytes) {
  Record record{};
  jute::Reader in(bytes);
  read(in, record);
  EXPECT_TRUE(in.ok()) << "a reply cannot be decoded";
  EXPECT_EQ(in.remaining(), 0U) << "a reply has bytes behind its end";
  return record;
}

/// A frame as a client receives it: ReplyHeader and body.
struct Reply {
  jute::ReplyHeader header;
  Bytes body;

  template <typename Record>
  [[nodiscard]] Record as() const {
    return decode<Record>(body);
  }
};

inline jute::Acl anyone(std::int32_t perms = jute::kPermAll) { return {perms, {"world", "anyone"}}; }

inline Settings test_settings() {
  Settings settings;
  settings.tick = std::chrono::milliseconds{2'000};
  settings.owners.extended_types = true;
  return settings;
}

class Member {
 public:
  explicit Member(const Settings& settings = test_settings())
      : Member(settings, Recovery(settings).take(), std::nullopt) {}
  Member(const Settings& settings, std::unique_ptr<Database> database, std::optional<Zxid> snapshot)
      : replica(settings, std::move(database), now) {
    orphans = replica.start(snapshot, now, output_);
    snapshot_asked = output_.start_snapshot;
    carry_out();
    if (snapshot_asked) step(SnapshotFinished{true});
  }

  void step(const Event& event) {
    replica.step({now, event}, output_);
    carry_out();
  }

  /// Moves the clock in steps of at most 100 ms with a Tick after each.
  void advance(std::chrono::milliseconds duration) {
    while (duration.count() > 0) {
      const auto part = std::min(duration, std::chrono::milliseconds{100});
      now = now + part;
      duration -= part;
      tick();
    }
  }
  void tick() {
    do {
      ++ticks;
      more_work = false;
      step(Tick{});
    } while (more_work);
  }

  /// Everything given to the log so far is on stable storage.
  void sync() {
    if (!log.empty()) step(LogSynced{log.rbegin()->first});
  }
  /// The log took what stands up to `durable` and has no room for the rest.
  void exhaust(Zxid durable) {
    log.erase(log.upper_bound(durable), log.end());
    step(LogSpaceExhausted{durable});
  }
  [[nodiscard]] Zxid last_logged() const { return log.empty() ? Zxid{} : log.rbegin()->first; }

  ConnectionId accept(std::string_view address = "127.0.0.1") {
    const ConnectionId id{next_connection_++};
    step(ClientOpened{id, address});
    return id;
  }
  void frame(ConnectionId id, const Bytes& payload) { step(ClientFrame{id, payload}); }
  /// The next frame sent to the connection, without its length prefix.
  std::optional<Bytes> take(ConnectionId id) {
    std::deque<Bytes>& frames = received_[id];
    if (frames.empty()) return std::nullopt;
    Bytes first = std::move(frames.front());
    frames.pop_front();
    return first;
  }
  [[nodiscard]] std::size_t waiting(ConnectionId id) { return received_[id].size(); }
  [[nodiscard]] std::optional<CloseReason> closed(ConnectionId id) const {
    const auto close = closes_.find(id);
    return close == closes_.end() ? std::nullopt : std::optional(close->second);
  }
  [[nodiscard]] bool paused(ConnectionId id) const {
    const auto flow = flows_.find(id);
    return flow != flows_.end() && flow->second;
  }

  Moment now{std::chrono::steady_clock::time_point{std::chrono::seconds{1'000}},
             std::chrono::system_clock::time_point{std::chrono::seconds{1'700'000'000}}};
  Replica replica;
  /// Payloads given to the log, by zxid.
  std::map<Zxid, Bytes> log;
  /// Syncs at once whatever is appended.
  bool auto_sync = false;
  std::size_t orphans = 0;
  bool more_work = false;
  int ticks = 0;
  std::optional<SnapshotStart> snapshot_asked;
  /// Sends of the last step.
  std::vector<Send> last_sends;

 private:
  void carry_out() {
    std::map<ConnectionId, Bytes> streams;
    for (const Send& send : output_.sends) {
      ASSERT_LE(send.offset + send.size, output_.bytes.size());
      ASSERT_FALSE(closes_.contains(send.connection)) << "sent after it was closed";
      Bytes& stream = streams[send.connection];
      const auto from = output_.bytes.begin() + static_cast<std::ptrdiff_t>(send.offset);
      stream.insert(stream.end(), from, from + static_cast<std::ptrdiff_t>(send.size));
    }
    for (auto& [id, stream] : streams) {
      std::span<const std::byte> rest = stream;
      while (!rest.empty()) {
        jute::Reader in(rest);
        const auto length = static_cast<std::size_t>(in.read_int());
        ASSERT_LE(length, in.remaining());
        rest = rest.subspan(4);
        received_[id].emplace_back(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(length));
        rest = rest.subspan(length);
      }
    }
    for (const Close& close : output_.closes) {
      ASSERT_TRUE(closes_.emplace(close.connection, close.reason).second) << "closed twice";
    }
    for (const Flow& flow : output_.flows) flows_[flow.connection] = flow.paused;
    for (const Append& append : output_.appends) {
      ASSERT_TRUE(log.empty() || log.rbegin()->first < append.zxid);
      const auto from = output_.log_bytes.begin() + static_cast<std::ptrdiff_t>(append.offset);
      log[append.zxid] = Bytes(from, from + static_cast<std::ptrdiff_t>(append.size));
    }
    if (output_.start_snapshot) snapshot_asked = output_.start_snapshot;
    more_work = more_work || output_.more_work;
    last_sends = output_.sends;
    const bool appended = !output_.appends.empty();
    output_.clear();
    if (auto_sync && appended) sync();
  }

  Output output_;
  std::uint64_t next_connection_ = 1;
  std::map<ConnectionId, std::deque<Bytes>> received_;
  std::map<ConnectionId, CloseReason> closes_;
  std::map<ConnectionId, bool> flows_;
};

/// A client on one connection. Calls that expect an answer fail the test when there is none.
class Client {
 public:
  explicit Client(Member& member, std::string_view address = "127.0.0.1")
      : member_(member), connection(member.accept(address)) {}

  /// Sends a ConnectRequest for a new session.
  void hello(std::int32_t timeout_ms = 10'000) {
    member_.frame(connection, encode(jute::ConnectRequest{0, Zxid{}, timeout_ms, SessionId{},
                                                          std::string(16, '\0'), false}));
  }
  void resume(SessionId id, std::string password, std::int32_t timeout_ms = 10'000) {
    member_.frame(connection,
                  encode(jute::ConnectRequest{0, Zxid{}, timeout_ms, id, std::move(password), false}));
  }
  void resume(SessionId id) {
    const session::Password password = session::password_of(id);
    resume(id, std::string(password.data(), password.size()));
  }
  /// The ConnectResponse that has arrived.
  std::optional<jute::ConnectResponse> welcome() {
    const std::optional<Bytes> frame = member_.take(connection);
    if (!frame) return std::nullopt;
    const auto response = decode<jute::ConnectResponse>(*frame);
    session = response.session_id;
    return response;
  }
  /// Opens a session, syncing the log on the way.
  Client& open(std::int32_t timeout_ms = 10'000) {
    hello(timeout_ms);
    member_.sync();
    EXPECT_TRUE(welcome().has_value()) << "no ConnectResponse";
    return *this;
  }

  template <typename... Records>
  std::int32_t send(jute::OpCode op, const Records&... records) {
    const std::int32_t xid = ++last_xid;
    send_as(xid, op, records...);
    return xid;
  }
  template <typename... Records>
  void send_as(std::int32_t xid, jute::OpCode op, const Records&... records) {
    member_.frame(connection, encode(jute::RequestHeader{xid, op}, records...));
  }
  std::optional<Reply> next() {
    const std::optional<Bytes> frame = member_.take(connection);
    if (!frame) return std::nullopt;
    Reply reply;
    jute::Reader in(*frame);
    read(in, reply.header);
    EXPECT_TRUE(in.ok()) << "a frame is shorter than its header";
    reply.body.assign(frame->end() - static_cast<std::ptrdiff_t>(in.remaining()), frame->end());
    return reply;
  }
  /// Sends and takes the reply, syncing the log on the way.
  template <typename... Records>
  Reply call(jute::OpCode op, const Records&... records) {
    const std::int32_t xid = send(op, records...);
    member_.sync();
    std::optional<Reply> reply = next();
    EXPECT_TRUE(reply.has_value()) << "no reply to " << jute::name(op);
    if (!reply) return {};
    EXPECT_EQ(reply->header.xid, xid);
    return *reply;
  }
  /// The error of a call.
  template <typename... Records>
  jute::ErrorCode outcome(jute::OpCode op, const Records&... records) {
    return call(op, records...).header.error;
  }
  std::int32_t send_create(const std::string& path, const std::string& data = "",
                           jute::CreateMode mode = jute::CreateMode::kPersistent) {
    return send(jute::OpCode::kCreate, create_request(path, data, mode));
  }
  jute::ErrorCode create(const std::string& path, const std::string& data = "",
                         jute::CreateMode mode = jute::CreateMode::kPersistent) {
    return outcome(jute::OpCode::kCreate, create_request(path, data, mode));
  }
  static jute::CreateRequest create_request(const std::string& path, const std::string& data,
                                            jute::CreateMode mode = jute::CreateMode::kPersistent) {
    return {path, data, std::vector<jute::Acl>{anyone()}, mode};
  }

 private:
  Member& member_;

 public:
  ConnectionId connection;
  SessionId session{};
  std::int32_t last_xid = 0;
};

}  // namespace wk::replica
