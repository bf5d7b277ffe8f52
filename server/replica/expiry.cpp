#include "server/replica/expiry.h"

#include <optional>

#include "server/txn/request.h"

namespace wk::replica {

bool Expiry::on_tick(const Moment& now) {
  session::SessionTable& sessions = state_.database->sessions;
  if (!pipeline_.accepts_writes()) {
    sessions.postpone_due(now.steady);
    return false;
  }
  for (std::size_t closed = 0; closed < kSessionsAStep; ++closed) {
    // The log's next sync brings the core back here soon enough.
    if (pipeline_.in_flight().size() >= kMaxInFlight) return false;
    const std::optional<SessionId> due = sessions.take_due(now.steady);
    if (!due) return false;
    state_.notable.expired.add(investigate(state_, *due, now));
    txn::Request request;
    request.op = jute::OpCode::kCloseSession;
    request.session = *due;
    pipeline_.submit(request, now);
    sessions.mark_closing(*due);
    ++state_.stats.sessions_expired;
  }
  return true;
}

}  // namespace wk::replica
