#include "server/node/session_survey.h"

#include <algorithm>

namespace wk::node {

void SessionSurvey::begin(const Moment&) {
  place_ = 0;
  by_thirds_ = {};
}

bool SessionSurvey::walk(const Moment& now) {
  place_ = replica_.sessions().visit_liveness(
      place_, kPlacesASlice, [&](const session::SessionTable::Liveness& session) {
        if (session.closing || session.timeout.count() <= 0) return;
        const std::chrono::nanoseconds silence = now.steady - session.heard;
        const double used = seconds(silence) / seconds(session.timeout);
        ++by_thirds_[static_cast<std::size_t>(std::clamp(used * 3, 0.0, 3.0))];
        if (used * 3 < 2 || !quiet_.wants(used)) return;
        const replica::Connection* const connection = replica_.connections().find(session.connection);
        quiet_.add(used,
                   {session.id, connection == nullptr ? "" : connection->address, session.timeout, silence});
      });
  return place_ == 0;
}

void SessionSurvey::finish() {
  found_.by_thirds = by_thirds_;
  found_.quiet = quiet_.take();
}

}  // namespace wk::node
