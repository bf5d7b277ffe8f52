#include "server/replica/outbox.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "jute/records.h"
#include "jute/views.h"
#include "jute/writer.h"
#include "server/session/identity.h"
#include "server/txn/operation.h"

namespace wk::replica {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kReplyHeaderBytes = 16;
// Latencies that nobody ever asks to be counted (no OutputDelivered) must not pile up.
constexpr std::size_t kMaxBursts = 65'536;

void put_length(std::vector<std::byte>& bytes, std::size_t start) {
  const auto length = static_cast<std::uint32_t>(bytes.size() - start - kLengthBytes);
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    bytes[start + i] = static_cast<std::byte>(length >> (24 - 8 * i));
}

void put_big_endian(std::byte* place, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) place[i] = static_cast<std::byte>(value >> (8 * (size - 1 - i)));
}

void write_event(std::vector<std::byte>& bytes, jute::EventType type, std::string_view path, Zxid zxid) {
  const std::size_t start = bytes.size();
  bytes.resize(start + kLengthBytes);
  // A path that a client asked about may be longer than what is stored: its malformed bytes were made whole
  // characters.
  jute::Writer out(bytes, jute::kLongestString);
  write(out, jute::ReplyHeader{jute::kXidNotification, zxid, jute::ErrorCode::kOk});
  out.write_int(static_cast<std::int32_t>(type));
  out.write_int(static_cast<std::int32_t>(jute::KeeperState::kSyncConnected));
  out.write_string(path);
  put_length(bytes, start);
}

}  // namespace

void Outbox::send(const Send& one) {
  std::vector<Send>& sends = output_->sends;
  if (!sends.empty() && sends.back().connection == one.connection &&
      sends.back().offset + sends.back().size == one.offset) {
    Send& last = sends.back();
    last.size += one.size;
    last.only_events = last.only_events && one.only_events;
    return;
  }
  sends.push_back(one);
}

void Outbox::note(Connection& connection, const Answered& answered, Zxid zxid, std::size_t size) {
  Stats& stats = state_.stats;
  ++stats.packets_sent;
  stats.response_bytes += size;
  stats.last_response_size = size;
  stats.least_response_size = std::min(stats.least_response_size.value_or(size), size);
  stats.most_response_size = std::max(stats.most_response_size.value_or(size), size);
  ++connection.stats.sent;
  connection.stats.bytes_sent += size + kLengthBytes;
  connection.stats.last_op = answered.op;
  connection.stats.last_zxid = zxid;
  if (!bursts_.empty()) {
    Burst& last = bursts_.back();
    if (last.connection == connection.id && last.op == answered.op && last.received == answered.received) {
      ++last.replies;
      return;
    }
  }
  if (bursts_.size() < kMaxBursts) bursts_.push_back({connection.id, answered.op, answered.received, 1});
}

std::vector<std::byte>& Outbox::start_reply() {
  WK_CHECK(!replying_, "a reply was begun inside another");
  replying_ = true;
  reply_start_ = output_->bytes.size();
  output_->bytes.resize(reply_start_ + kLengthBytes + kReplyHeaderBytes);
  return output_->bytes;
}

void Outbox::finish_reply(Connection& connection, const Answered& answered, Zxid zxid,
                          jute::ErrorCode error) {
  WK_CHECK(replying_, "no reply was begun");
  replying_ = false;
  std::vector<std::byte>& bytes = output_->bytes;
  if (error != jute::ErrorCode::kOk) bytes.resize(reply_start_ + kLengthBytes + kReplyHeaderBytes);
  std::byte* const header = bytes.data() + reply_start_ + kLengthBytes;
  put_big_endian(header, static_cast<std::uint32_t>(answered.xid), 4);
  put_big_endian(header + 4, zxid.value, 8);
  put_big_endian(header + 12, static_cast<std::uint32_t>(error), 4);
  put_length(bytes, reply_start_);
  const std::size_t size = bytes.size() - reply_start_;
  const txn::Operation* operation =
      error == jute::ErrorCode::kOk ? nullptr : txn::find_operation(answered.op);
  if (operation != nullptr) ++state_.stats.operations[txn::index_of(*operation)].errors;
  note(connection, answered, zxid, size - kLengthBytes);
  // `cons` shows NA for a write that failed: Apache sees an error transaction there, and no operation.
  if (operation != nullptr && operation->service == txn::Service::kWrite)
    connection.stats.last_op = jute::OpCode::kNotification;
  release_held_events();
  send({connection.id, reply_start_, size});
}

void Outbox::reply(Connection& connection, const Answered& answered, Zxid zxid, jute::ErrorCode error,
                   std::span<const std::byte> body) {
  std::vector<std::byte>& bytes = start_reply();
  bytes.insert(bytes.end(), body.begin(), body.end());
  finish_reply(connection, answered, zxid, error);
}

void Outbox::connect_response(Connection& connection, bool accepted,
                              std::chrono::steady_clock::time_point received) {
  std::vector<std::byte>& bytes = output_->bytes;
  const std::size_t start = bytes.size();
  bytes.resize(start + kLengthBytes);
  const session::Password password =
      accepted ? session::password_of(connection.session) : session::Password{};
  jute::Writer out(bytes);
  out.write_int(0);
  out.write_int(accepted ? static_cast<std::int32_t>(connection.timeout.count()) : 0);
  out.write_long(accepted ? connection.session.value : 0);
  out.write_string(std::string_view(password.data(), password.size()));
  if (connection.knows_read_only) out.write_bool(false);
  put_length(bytes, start);
  const std::size_t size = bytes.size() - start;
  note(connection, {0, jute::OpCode::kCreateSession, received}, Zxid{}, size - kLengthBytes);
  send({connection.id, start, size});
}

void Outbox::close(ConnectionId connection, CloseReason reason) {
  ++state_.stats.closes[static_cast<std::size_t>(reason)];
  output_->closes.push_back({connection, reason});
}

void Outbox::flow(Connection& connection, bool paused) {
  state_.connections.set_paused(connection, paused);
  if (paused) ++state_.stats.throttled;
  output_->flows.push_back({connection.id, paused});
}

std::span<const jute::Id> Outbox::identities(ConnectionId connection) {
  const Connection* found = state_.connections.find(connection);
  if (found == nullptr) return {};
  return found->identities;
}

void Outbox::fired(std::span<const ConnectionId> watchers, jute::EventType type, std::string_view path,
                   Zxid zxid) {
  switch (type) {
    case jute::EventType::kNodeCreated:
      state_.stats.node_created_watches.record(watchers.size());
      break;
    case jute::EventType::kNodeDeleted:
      state_.stats.node_deleted_watches.record(watchers.size());
      break;
    case jute::EventType::kNodeDataChanged:
      state_.stats.node_changed_watches.record(watchers.size());
      break;
    case jute::EventType::kNodeChildrenChanged:
      state_.stats.node_children_watches.record(watchers.size());
      break;
    default:
      break;
  }
  if (watchers.empty()) return;
  state_.notable.fan_outs.record(path, type, watchers.size(), state_.now);
  const auto kind = static_cast<std::size_t>(type) - 1;
  if (kind < state_.stats.fan_out.size()) state_.stats.fan_out[kind].record(watchers.size());
  std::vector<std::byte>& bytes = replying_ ? held_bytes_ : output_->bytes;
  const std::size_t start = bytes.size();
  write_event(bytes, type, path, zxid);
  const std::size_t size = bytes.size() - start;
  if (!replying_) {
    send_event(watchers, start, size);
    return;
  }
  held_events_.push_back({size, watchers.size()});
  held_watchers_.insert(held_watchers_.end(), watchers.begin(), watchers.end());
}

void Outbox::send_event(std::span<const ConnectionId> watchers, std::size_t offset, std::size_t size) {
  for (const ConnectionId watcher : watchers) {
    if (Connection* connection = state_.connections.find(watcher)) {
      ++connection->stats.sent;
      connection->stats.bytes_sent += size;
    }
    ++state_.stats.packets_sent;
    state_.stats.watch_bytes += size - kLengthBytes;
    send({watcher, offset, size, true});
  }
}

void Outbox::release_held_events() {
  if (held_events_.empty()) return;
  std::vector<std::byte>& bytes = output_->bytes;
  std::size_t offset = bytes.size();
  bytes.insert(bytes.end(), held_bytes_.begin(), held_bytes_.end());
  std::span<const ConnectionId> watchers = held_watchers_;
  for (const HeldEvent& event : held_events_) {
    send_event(watchers.first(event.watchers), offset, event.size);
    watchers = watchers.subspan(event.watchers);
    offset += event.size;
  }
  held_events_.clear();
  held_watchers_.clear();
  held_bytes_.clear();
}

void Outbox::note_slow(const Burst& burst, std::chrono::nanoseconds latency) {
  SlowRequest slow;
  slow.connection = burst.connection;
  if (const Connection* const connection = state_.connections.find(burst.connection))
    slow.session = connection->session;
  slow.op = burst.op;
  slow.received = burst.received;
  slow.during_purge = state_.notable.purging;
  state_.notable.slow.note_late(slow, burst.replies, latency);
}

void Outbox::delivered(const Moment& now) {
  Stats& stats = state_.stats;
  for (const Burst& burst : bursts_) {
    const std::chrono::nanoseconds latency =
        std::max<std::chrono::nanoseconds>(now.steady - burst.received, std::chrono::nanoseconds{0});
    stats.latency.record(latency, burst.replies);
    if (state_.notable.slow.is_slow(latency)) note_slow(burst, latency);
    if (const txn::Operation* operation = txn::find_operation(burst.op)) {
      const bool update = operation->service == txn::Service::kWrite;
      (update ? stats.update_latency : stats.read_latency).record(latency, burst.replies);
      stats.operations[txn::index_of(*operation)].latency.record(latency, burst.replies);
    }
    Connection* connection = state_.connections.find(burst.connection);
    if (connection == nullptr) continue;
    ConnectionStats& own = connection->stats;
    own.last_response = now;
    own.last_latency = latency;
    own.least_latency = own.latencies == 0 ? latency : std::min(own.least_latency, latency);
    own.most_latency = std::max(own.most_latency, latency);
    own.latency_sum += latency * static_cast<std::int64_t>(burst.replies);
    own.latencies += burst.replies;
  }
  bursts_.clear();
}

}  // namespace wk::replica
