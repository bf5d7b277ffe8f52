// Ends sessions whose time has come: a closeSession transaction for each.
//
// A crowd that expires together is spread over several steps, so that nobody else waits long. While the log
// has no room nobody expires, and whoever comes back in time lives on. Thread: core. Source:
// SessionTrackerImpl.java (run), ZooKeeperServer.java (expire); reference "Liveness".
#pragma once

#include <cstddef>

#include "base/time.h"
#include "server/replica/pipeline.h"
#include "server/replica/state.h"

namespace wk::replica {

class Expiry {
 public:
  /// Sessions that one step closes, and transactions in flight for which no client waits, expiries above all,
  /// from which on it closes none. However many writes clients have under way, sessions expire.
  static constexpr std::size_t kSessionsAStep = 128;
  static constexpr std::size_t kMaxInFlight = 1'024;

  Expiry(State& state, Pipeline& pipeline) : state_(state), pipeline_(pipeline) {}

  /// \return  true when sessions are due that had to be left for the next step
  bool on_tick(const Moment& now);

 private:
  [[nodiscard]] std::size_t own_in_flight() const;

  State& state_;
  Pipeline& pipeline_;
};

}  // namespace wk::replica
