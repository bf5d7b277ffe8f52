#include "server/replica/expired_sessions.h"

#include <utility>

#include "server/replica/state.h"

namespace wk::replica {
namespace {

/// \param to_the_end  this server stood still when the timeout had passed, too: what came meanwhile it had
/// little
///                    time to read. Behind an earlier pause it listened, and nothing came.
ExpiryCause cause_of(const ExpiredSession& session, bool seen, bool to_the_end) {
  if (to_the_end && session.silence - session.stood_still.total < session.timeout)
    return ExpiryCause::kServerStoodStill;
  if (!session.without_connection) return seen ? ExpiryCause::kNothingHeard : ExpiryCause::kNeverSeen;
  return session.closed ? ExpiryCause::kClosedByServer : ExpiryCause::kNotBack;
}

}  // namespace

const char* name(ExpiryCause cause) {
  switch (cause) {
    case ExpiryCause::kServerStoodStill:
      return "server_stood_still";
    case ExpiryCause::kNothingHeard:
      return "nothing_heard";
    case ExpiryCause::kNotBack:
      return "not_back";
    case ExpiryCause::kClosedByServer:
      return "closed_by_server";
    case ExpiryCause::kNeverSeen:
      return "never_seen";
  }
  return "unknown";
}

void ExpiredSessions::decided(ExpiredSession session) {
  decided_.insert_or_assign(session.id.value, std::move(session));
}

void ExpiredSessions::ended(SessionId id) {
  const auto found = decided_.find(id.value);
  if (found == decided_.end()) return;
  ExpiredSession session = std::move(found->second);
  decided_.erase(found);
  ++total_;
  ++causes_[static_cast<std::size_t>(session.cause)];
  if (newest_.size() == kCapacity) newest_.pop_front();
  newest_.push_back(std::move(session));
}

ExpiredSession investigate(const State& state, SessionId id, const Moment& now) {
  ExpiredSession session;
  session.id = id;
  session.at = now;
  const session::SessionTable& sessions = state.database->sessions;
  bool to_the_end = false;
  if (const auto liveness = sessions.liveness(id)) {
    session.timeout = liveness->timeout;
    session.silence = now.steady - liveness->heard;
    session.longest_gap = liveness->longest_gap;
    session.stood_still = state.notable.still.overlap(liveness->heard, now.steady);
    to_the_end = state.notable.still.overlap(liveness->heard + session.timeout, now.steady).total.count() > 0;
    session.slow_syncs = state.notable.slow_syncs.overlap(liveness->heard, now.steady);
  }
  session.ephemerals = state.database->tree.ephemerals_of(id);
  const Connection* const connection = state.connections.find(sessions.connection(id));
  if (connection != nullptr) {
    session.address = connection->address;
    session.last_op = connection->stats.last_op;
  } else if (const AbsentClients::Absence* const absence = state.notable.absent.find(id)) {
    session.address = absence->address;
    session.last_op = absence->last_op;
    session.without_connection = now.steady - absence->since;
    session.closed = absence->closed;
  }
  session.cause = cause_of(session, connection != nullptr, to_the_end);
  return session;
}

}  // namespace wk::replica
