#include "server/replica/expiry.h"

#include <algorithm>
#include <optional>

#include "server/txn/request.h"

namespace wk::replica {

std::size_t Expiry::own_in_flight() const {
  return static_cast<std::size_t>(
      std::ranges::count(pipeline_.in_flight().entries(), ConnectionId{}, &InFlight::connection));
}

bool Expiry::on_tick(const Moment& now) {
  session::SessionTable& sessions = state_.database->sessions;
  if (!pipeline_.accepts_writes()) {
    sessions.postpone_due(now.steady);
    return false;
  }
  std::size_t own = own_in_flight();
  for (std::size_t closed = 0; closed < kSessionsAStep; ++closed, ++own) {
    // The next tick comes soon enough.
    if (own >= kMaxInFlight) return false;
    const std::optional<SessionId> due = sessions.take_due(now.steady);
    if (!due) return false;
    state_.notable.expired.decided(investigate(state_, *due, now));
    txn::Request request;
    request.op = jute::OpCode::kCloseSession;
    request.session = *due;
    pipeline_.submit(request, now);
    sessions.mark_closing(*due);
  }
  return true;
}

}  // namespace wk::replica
