#include "server/replica/requests.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "jute/records.h"
#include "jute/txn_records.h"
#include "jute/utf8.h"
#include "jute/views.h"
#include "server/replica/departure.h"
#include "server/txn/read.h"
#include "server/txn/reply_size.h"

namespace wk::replica {
namespace {

// What an auth or sasl reply carries in place of a zxid, and an unknown operation's.
constexpr Zxid kZeroZxid{};
constexpr Zxid kMinusOneZxid{~std::uint64_t{0}};

bool counts_as_namespace_read(jute::OpCode op) {
  switch (op) {
    case jute::OpCode::kExists:
    case jute::OpCode::kGetData:
    case jute::OpCode::kGetAcl:
    case jute::OpCode::kGetChildren:
    case jute::OpCode::kGetChildren2:
      return true;
    default:
      return false;
  }
}

std::size_t identity_bytes(const jute::Id& identity) {
  return identity.scheme.value_or("").size() + identity.id.value_or("").size();
}

}  // namespace

void Requests::on_frame(Connection& connection, std::span<const std::byte> payload, const Moment& now) {
  Stats& stats = state_.stats;
  ++stats.packets_received;
  stats.bytes_received += payload.size() + 4;
  ++connection.stats.received;
  connection.stats.bytes_received += payload.size() + 4;
  switch (connection.stage) {
    case Connection::Stage::kFresh:
      return handshake_.on_frame(connection, payload, now);
    case Connection::Stage::kFinishing:
      return;
    case Connection::Stage::kOpening:
    case Connection::Stage::kOpen:
      break;
  }

  jute::Reader in(payload);
  const Answered answered{in.read_int(), static_cast<jute::OpCode>(in.read_int()), now.steady};
  if (!in.ok()) return close_connection(state_, outbox_, connection, CloseReason::kMalformed);
  if (answered.xid >= 0) connection.stats.last_cxid = answered.xid;
  const std::span<const std::byte> body = payload.subspan(payload.size() - in.remaining());

  const txn::Operation* operation = txn::find_operation(answered.op);
  if (operation == nullptr || operation->asker != txn::Asker::kClient) {
    ++stats.unknown_operations;
    state_.connections.set_stage(connection, Connection::Stage::kFinishing);
    Pending pending;
    pending.kind = Pending::Kind::kReply;
    pending.op = answered.op;
    pending.xid = answered.xid;
    pending.error = jute::ErrorCode::kUnimplemented;
    pending.then_close = CloseReason::kUnknownOperation;
    pending.zxid = kMinusOneZxid;
    pending.received = now.steady;
    in_turn(connection, std::move(pending));
    return;
  }
  ++stats.operations[txn::index_of(*operation)].requests;
  if (operation->service == txn::Service::kConnection) {
    if (answered.op == jute::OpCode::kAuth)
      on_auth(connection, answered, body);
    else
      on_sasl(connection, answered, body);
    return;
  }
  if (state_.database->sessions.touch(connection.session, connection.timeout, now.steady) !=
      session::SessionState::kOpen) {
    ++stats.dropped_requests;
    return;
  }
  if (answered.op == jute::OpCode::kPing)
    on_ping(connection, answered);
  else if (operation->service == txn::Service::kWrite)
    on_write(connection, answered, body);
  else
    on_read(connection, *operation, answered, body);
}

void Requests::on_auth(Connection& connection, const Answered& answered, std::span<const std::byte> body) {
  jute::AuthPacketView packet;
  jute::Reader in(body);
  read(in, packet);
  if (!in.ok()) return close_connection(state_, outbox_, connection, CloseReason::kMalformed);
  const auto identities = state_.settings.authentication.authenticate(
      packet.scheme.value_or(std::string_view{}), packet.auth, connection.address);
  // Identities count from here on, for requests that arrive behind this packet; only the reply waits for its
  // turn.
  const bool accepted = identities.has_value() && add_identities(connection, *identities);
  Pending pending;
  pending.op = answered.op;
  pending.xid = answered.xid;
  pending.received = answered.received;
  pending.zxid = kZeroZxid;
  pending.kind = Pending::Kind::kReply;
  if (accepted) {
    ++state_.stats.auth_successes;
  } else {
    ++state_.stats.auth_failures;
    state_.connections.set_stage(connection, Connection::Stage::kFinishing);
    pending.error = jute::ErrorCode::kAuthFailed;
    pending.then_close = CloseReason::kAuthFailed;
  }
  if (in_turn(connection, std::move(pending))) update_flow(connection);
}

bool Requests::add_identities(Connection& connection, std::span<const jute::Id> identities) {
  std::size_t bytes = 0;
  for (const jute::Id& known : connection.identities) bytes += identity_bytes(known);
  for (const jute::Id& identity : identities) {
    if (std::find(connection.identities.begin(), connection.identities.end(), identity) !=
        connection.identities.end())
      continue;
    bytes += identity_bytes(identity);
    if (connection.identities.size() >= kMaxIdentities || bytes > kMaxIdentityBytes) return false;
    connection.identities.push_back(identity);
  }
  return true;
}

void Requests::on_sasl(Connection& connection, const Answered& answered, std::span<const std::byte> body) {
  // Without a login configured, a token is answered by a null token and changes nothing, as Apache does.
  std::optional<std::string_view> token;
  jute::Reader in(body);
  read(in, token);
  if (!in.ok() || !token) return close_connection(state_, outbox_, connection, CloseReason::kMalformed);
  Pending pending;
  pending.kind = Pending::Kind::kReply;
  pending.op = answered.op;
  pending.xid = answered.xid;
  pending.received = answered.received;
  pending.zxid = kZeroZxid;
  jute::Writer(pending.body).write_string(std::nullopt);
  if (in_turn(connection, std::move(pending))) update_flow(connection);
}

void Requests::on_ping(Connection& connection, const Answered& answered) {
  const Answered ping{jute::kXidPing, answered.op, answered.received};
  // The ConnectResponse is the first thing a client must see.
  if (connection.stage == Connection::Stage::kOpen) {
    outbox_.reply(connection, ping, state_.database->last_applied, jute::ErrorCode::kOk);
    return;
  }
  Pending pending;
  pending.kind = Pending::Kind::kRead;
  pending.op = ping.op;
  pending.xid = ping.xid;
  pending.received = ping.received;
  in_turn(connection, std::move(pending));
  update_flow(connection);
}

void Requests::on_read(Connection& connection, const txn::Operation& operation, const Answered& answered,
                       std::span<const std::byte> body) {
  const bool head = connection.pending.empty();
  const bool syncs = operation.service == txn::Service::kSync && !pipeline_.in_flight().empty();
  if (head && !syncs) return serve(connection, operation, answered, connection.identities, body);
  ++state_.stats.reads_behind_writes;
  Pending pending;
  if (syncs) pending.zxid = pipeline_.last_logged();
  if (syncs && head) syncs_.emplace(pending.zxid, connection.id);
  pending.kind = Pending::Kind::kRead;
  pending.op = answered.op;
  pending.xid = answered.xid;
  pending.received = answered.received;
  pending.identities = static_cast<std::uint32_t>(connection.identities.size());
  pending.body.assign(body.begin(), body.end());
  pending.reply_bytes = txn::expected_reply_bytes(operation, connection.session, body, state_.database->tree,
                                                  pipeline_.in_flight().longest());
  wait(connection, std::move(pending));
  update_flow(connection);
}

void Requests::on_write(Connection& connection, const Answered& answered, std::span<const std::byte> body) {
  const bool closes_session = answered.op == jute::OpCode::kCloseSession;
  Pending pending;
  pending.op = answered.op;
  pending.xid = answered.xid;
  pending.received = answered.received;
  if (!pipeline_.accepts_writes()) {
    ++state_.stats.writes_refused_no_space;
    pending.kind = Pending::Kind::kRefused;
    pending.error = jute::ErrorCode::kNotReadOnly;
    if (closes_session) {
      pending.then_close = CloseReason::kNoLogSpace;
      state_.connections.set_stage(connection, Connection::Stage::kFinishing);
    }
    if (in_turn(connection, std::move(pending))) update_flow(connection);
    return;
  }
  txn::Request request;
  request.op = answered.op;
  request.session = connection.session;
  request.cxid = answered.xid;
  request.connection = connection.id;
  request.identities = connection.identities;
  request.body = body;
  const std::optional<Zxid> zxid = pipeline_.submit(request, state_.now);
  if (!zxid) {
    pending.kind = Pending::Kind::kRefused;
    pending.error = jute::ErrorCode::kMarshallingError;
    in_turn(connection, std::move(pending));
    update_flow(connection);
    return;
  }
  pending.kind = Pending::Kind::kWrite;
  pending.zxid = *zxid;
  if (closes_session) {
    state_.database->sessions.mark_closing(connection.session);
    state_.connections.set_stage(connection, Connection::Stage::kFinishing);
  }
  state_.stats.queued_behind_write.record(connection.pending.size());
  connection.pending.push(std::move(pending));
  update_flow(connection);
}

void Requests::serve(Connection& connection, const txn::Operation& operation, const Answered& answered,
                     std::span<const jute::Id> identities, std::span<const std::byte> body) {
  txn::Request request;
  request.op = answered.op;
  request.session = connection.session;
  request.cxid = answered.xid;
  request.connection = connection.id;
  request.identities = identities;
  request.body = body;
  const txn::ReadTarget target{state_.database->tree, state_.watches, outbox_, state_.settings.operations};
  std::vector<std::byte>& reply = outbox_.start_reply();
  const std::size_t start = reply.size();
  const jute::ErrorCode error = txn::read(operation, request, target, reply);
  if (error == jute::ErrorCode::kOk && counts_as_namespace_read(answered.op)) {
    jute::Reader in(body);
    std::string_view path;
    read(in, path);
    state_.stats.namespaces.record_read(path, path.size() + reply.size() - start);
    state_.notable.hot_reads.record(path);
  }
  if (state_.notable.slow.is_slow(answered.received, state_.now.steady))
    note_slow_read(connection, operation, answered, body);
  outbox_.finish_reply(connection, answered, state_.database->last_applied, error);
}

void Requests::note_slow_read(const Connection& connection, const txn::Operation& operation,
                              const Answered& answered, std::span<const std::byte> body) {
  SlowRequest slow;
  slow.connection = connection.id;
  slow.session = connection.session;
  slow.op = answered.op;
  slow.received = answered.received;
  slow.during_snapshot = pipeline_.snapshot_running();
  slow.during_purge = state_.notable.purging;
  if (counts_as_namespace_read(operation.code)) {
    jute::Reader in(body);
    std::string_view path;
    read(in, path);
    if (in.ok()) slow.path = jute::cut(path, SlowRequests::kMaxPathBytes);
  }
  state_.notable.slow.note(std::move(slow));
}

bool Requests::in_turn(Connection& connection, Pending pending) {
  if (connection.pending.empty()) return settle(connection, pending);
  wait(connection, std::move(pending));
  return true;
}

void Requests::wait(Connection& connection, Pending pending) {
  state_.waiting.entered(pending);
  state_.stats.queued_behind_write.record(connection.pending.size());
  connection.pending.push(std::move(pending));
}

bool Requests::settle(Connection& connection, const Pending& pending) {
  const Answered answered{pending.xid, pending.op, pending.received};
  switch (pending.kind) {
    case Pending::Kind::kRead: {
      const txn::Operation* operation = txn::find_operation(pending.op);
      serve(connection, *operation, answered, connection.identities_at(pending.identities), pending.body);
      return true;
    }
    case Pending::Kind::kReply:
    case Pending::Kind::kRefused: {
      const bool refused = pending.kind == Pending::Kind::kRefused;
      outbox_.reply(connection, answered, refused ? state_.database->last_applied : pending.zxid,
                    pending.error, pending.body);
      if (!pending.then_close) return true;
      close_connection(state_, outbox_, connection, *pending.then_close);
      return false;
    }
    case Pending::Kind::kOpenSession:
    case Pending::Kind::kResume:
    case Pending::Kind::kWrite:
      break;
  }
  WK_CHECK(false, "only a transaction settles this request");
  return false;
}

void Requests::drain(Connection& connection) {
  while (!connection.pending.empty() && connection.pending.front().waits_for_turn()) {
    const Pending& head = connection.pending.front();
    if (head.kind == Pending::Kind::kRead && under_way(head.zxid)) {
      syncs_.emplace(head.zxid, connection.id);
      break;
    }
    const Pending pending = connection.pending.pop();
    state_.waiting.left(pending);
    if (!settle(connection, pending)) return;
  }
  update_flow(connection);
}

void Requests::serve_syncs() {
  while (!syncs_.empty() && !under_way(syncs_.begin()->first)) {
    const ConnectionId waiting = syncs_.extract(syncs_.begin()).value().second;
    if (Connection* connection = state_.connections.find(waiting)) drain(*connection);
  }
}

void Requests::applied(const InFlight& entry, const txn::Applied& applied, ConnectionId session_connection,
                       std::span<const std::byte> body) {
  settle_applied(entry, applied, session_connection, body);
  // Before the next transaction is applied: its request may wait behind such a sync.
  serve_syncs();
}

void Requests::settle_applied(const InFlight& entry, const txn::Applied& applied,
                              ConnectionId session_connection, std::span<const std::byte> body) {
  const bool session_closed =
      applied.header.type == jute::OpCode::kCloseSession && applied.error == jute::ErrorCode::kOk;
  if (session_closed && session_connection != entry.connection)
    if (Connection* speaker = state_.connections.find(session_connection))
      close_connection(state_, outbox_, *speaker, CloseReason::kSessionExpired);
  if (session_closed) state_.notable.absent.forget(entry.session);
  const bool own = entry.connection == ConnectionId{};
  if (session_closed && own) {
    ++state_.stats.sessions_expired;
    state_.notable.expired.ended(entry.session);
  }
  // One that failed is an error transaction.
  if (own && applied.header.type == jute::OpCode::kDeleteContainer) ++state_.stats.containers_removed;
  if (applied.header.type == jute::OpCode::kCreateSession) ++state_.stats.sessions_opened;

  Connection* connection = state_.connections.find(entry.connection);
  if (connection == nullptr) return;
  const Pending pending = connection->pending.pop();
  switch (pending.kind) {
    case Pending::Kind::kOpenSession:
      handshake_.complete(*connection, pending.received);
      break;
    case Pending::Kind::kResume:
      break;
    case Pending::Kind::kWrite:
      if (applied.error == jute::ErrorCode::kSessionMoved)
        return close_connection(state_, outbox_, *connection, CloseReason::kSessionTakenOver);
      outbox_.reply(*connection, {pending.xid, pending.op, pending.received}, state_.database->last_applied,
                    applied.error, body);
      if (session_closed) {
        ++state_.stats.sessions_closed;
        return close_connection(state_, outbox_, *connection, CloseReason::kClientAsked);
      }
      break;
    default:
      WK_CHECK(false, "a transaction settled a request that does not wait for one");
  }
  drain(*connection);
}

void Requests::abandoned(const InFlight& entry) {
  // Nothing is under way any more, so the request that this transaction settles stands at its head then.
  serve_syncs();
  session::SessionTable& sessions = state_.database->sessions;
  jute::Reader in(entry.payload);
  jute::TxnHeader header;
  read(in, header);
  if (header.type == jute::OpCode::kCreateSession) sessions.forget_uncommitted(entry.session);
  if (header.type == jute::OpCode::kCloseSession) {
    sessions.unmark_closing(entry.session, state_.now.steady);
    state_.notable.expired.lives_on(entry.session);
    // What its client asked meanwhile was dropped, and it would wait for those answers.
    const ConnectionId speaker = sessions.connection(entry.session);
    if (Connection* dropping = state_.connections.find(speaker);
        dropping != nullptr && speaker != entry.connection)
      close_connection(state_, outbox_, *dropping, CloseReason::kNoLogSpace);
  }

  Connection* connection = state_.connections.find(entry.connection);
  if (connection == nullptr) return;
  const Pending pending = connection->pending.pop();
  switch (pending.kind) {
    case Pending::Kind::kOpenSession:
      return close_connection(state_, outbox_, *connection, CloseReason::kNoLogSpace);
    case Pending::Kind::kResume:
      break;
    case Pending::Kind::kWrite:
      ++state_.stats.writes_refused_no_space;
      outbox_.reply(*connection, {pending.xid, pending.op, pending.received}, state_.database->last_applied,
                    jute::ErrorCode::kNotReadOnly);
      if (header.type == jute::OpCode::kCloseSession)
        return close_connection(state_, outbox_, *connection, CloseReason::kNoLogSpace);
      break;
    default:
      WK_CHECK(false, "a transaction settled a request that does not wait for one");
  }
  drain(*connection);
}

void Requests::update_flow(Connection& connection) {
  const Settings& settings = state_.settings;
  const bool crowded = outstanding() > settings.global_outstanding_limit ||
                       pipeline_.in_flight().bytes() + state_.waiting.bytes + state_.waiting.reply_bytes >
                           settings.outstanding_bytes_limit;
  const bool greedy = connection.pending.reply_bytes() > kMaxWaitingReplyBytes;
  const bool pause = (crowded || greedy) && !connection.pending.empty();
  if (pause != connection.paused) outbox_.flow(connection, pause);
}

}  // namespace wk::replica
