#include "server/replica/expiry.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "server/replica/still_times.h"
#include "server/txn/request.h"

namespace wk::replica {

std::size_t Expiry::own_in_flight() const {
  return static_cast<std::size_t>(
      std::ranges::count(pipeline_.in_flight().entries(), ConnectionId{}, &InFlight::connection));
}

bool Expiry::catching_up(const Moment& now) {
  const auto before = std::exchange(last_tick_, now.steady);
  if (caught_up_) {
    if (now.steady < *caught_up_) return true;
    caught_up_.reset();
    return false;
  }
  const auto still = now.steady - before;
  if (before.time_since_epoch().count() == 0 || still < StillTimes::kLeast) return false;
  caught_up_ = now.steady + std::min<std::chrono::nanoseconds>(still, state_.settings.tick);
  return true;
}

bool Expiry::on_tick(const Moment& now) {
  session::SessionTable& sessions = state_.database->sessions;
  const bool catching_up = this->catching_up(now);
  if (!pipeline_.accepts_writes()) {
    sessions.postpone_due(now.steady);
    return false;
  }
  if (catching_up) return false;
  std::size_t own = own_in_flight();
  for (std::size_t closed = 0; closed < kSessionsAStep; ++closed, ++own) {
    // The next tick comes soon enough.
    if (own >= kMaxInFlight) return false;
    const std::optional<SessionId> due = sessions.take_due(now.steady);
    if (!due) return false;
    if (const Connection* const connection = state_.connections.find(sessions.connection(*due));
        connection != nullptr && connection->paused) {
      sessions.touch(*due, connection->timeout, now.steady);
      continue;
    }
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
