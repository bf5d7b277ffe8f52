#include "server/replica/handshake.h"

#include <utility>
#include <vector>

#include "jute/records.h"
#include "jute/writer.h"
#include "server/replica/departure.h"
#include "server/txn/request.h"

namespace wk::replica {

Handshake::Handshake(State& state, Outbox& outbox, Pipeline& pipeline, const Moment& started)
    : state_(state), outbox_(outbox), pipeline_(pipeline), ids_(state.settings.server, started.wall) {}

void Handshake::on_frame(Connection& connection, std::span<const std::byte> payload, const Moment& now) {
  jute::ConnectRequestView request;
  jute::Reader in(payload);
  read(in, request);
  if (!in.ok()) return close_connection(state_, outbox_, connection, CloseReason::kMalformed);
  ++state_.stats.connect_requests;
  // A zxid is compared as Java compares it, signed.
  if (static_cast<std::int64_t>(request.last_zxid_seen.value) >
      static_cast<std::int64_t>(state_.database->last_applied.value))
    return close_connection(state_, outbox_, connection, CloseReason::kClientAhead);
  connection.knows_read_only = request.read_only.has_value();
  connection.timeout = state_.settings.timeouts.clamp(request.timeout_ms);
  state_.connections.set_stage(connection, Connection::Stage::kOpening);
  if (request.session_id.value == 0)
    open(connection, now);
  else
    resume(connection, request, now);
}

void Handshake::open(Connection& connection, const Moment& now) {
  if (!pipeline_.accepts_writes()) {
    ++state_.stats.writes_refused_no_space;
    return close_connection(state_, outbox_, connection, CloseReason::kNoLogSpace);
  }
  session::SessionTable& sessions = state_.database->sessions;
  do {
    connection.session = ids_.next();
  } while (!sessions.open(connection.session, connection.timeout, now.steady));
  sessions.bind(connection.session, connection.id);

  std::vector<std::byte> body;
  jute::Writer(body).write_int(static_cast<std::int32_t>(connection.timeout.count()));
  txn::Request request;
  request.op = jute::OpCode::kCreateSession;
  request.session = connection.session;
  request.connection = connection.id;
  request.body = body;
  Pending pending;
  pending.kind = Pending::Kind::kOpenSession;
  pending.op = request.op;
  pending.received = now.steady;
  // The body is our own, so there is a transaction.
  pending.zxid = pipeline_.submit(request, now).value();
  connection.pending.push(std::move(pending));
}

void Handshake::resume(Connection& connection, const jute::ConnectRequestView& request, const Moment& now) {
  session::SessionTable& sessions = state_.database->sessions;
  const SessionId id = request.session_id;
  if (!session::password_matches(id, request.password.value_or(std::string_view{})) ||
      sessions.touch(id, connection.timeout, now.steady) != session::SessionState::kOpen)
    return refuse(connection, now);
  if (Connection* former = state_.connections.find(sessions.connection(id)))
    close_connection(state_, outbox_, *former, CloseReason::kSessionTakenOver);
  connection.session = id;
  sessions.bind(id, connection.id);
  state_.notable.absent.forget(id);
  ++state_.stats.sessions_resumed;
  // Writes that came through an earlier connection are executed before anything that comes through this one.
  if (InFlight* last = pipeline_.in_flight().last_of(id)) {
    last->connection = connection.id;
    Pending pending;
    pending.kind = Pending::Kind::kResume;
    pending.op = jute::OpCode::kCreateSession;
    pending.received = now.steady;
    pending.zxid = last->zxid;
    connection.pending.push(std::move(pending));
  }
  complete(connection, now.steady);
}

void Handshake::refuse(Connection& connection, const Moment& now) {
  ++state_.stats.sessions_refused;
  outbox_.connect_response(connection, false, now.steady);
  close_connection(state_, outbox_, connection, CloseReason::kSessionRefused);
}

void Handshake::complete(Connection& connection, std::chrono::steady_clock::time_point received) {
  // What came meanwhile may have ended it already, after an answer that is still owed.
  if (connection.stage == Connection::Stage::kOpening)
    state_.connections.set_stage(connection, Connection::Stage::kOpen);
  outbox_.connect_response(connection, true, received);
}

}  // namespace wk::replica
