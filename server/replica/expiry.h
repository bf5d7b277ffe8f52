// Ends sessions whose time has come: a closeSession transaction for each.
//
// A crowd that expires together is spread over several steps, so that nobody else waits long. While the log
// has no room nobody expires, and whoever comes back in time lives on. Nor does anybody expire for what this
// server did not listen to: behind a time in which it stood still, what was sent meanwhile is read first, and
// a connection whose reading it has paused is not silent. Thread: core. Source: SessionTrackerImpl.java
// (run), ZooKeeperServer.java (expire); reference "Liveness". Differs: Apache expires in both cases.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

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
  /// Whether what was sent while this server stood still may still be waiting to be read: for as long as it
  /// stood still, a tick at most, and not for the second time in turn, so that a server which is late with
  /// every step expires sessions, too.
  bool catching_up(const Moment& now);

  State& state_;
  Pipeline& pipeline_;
  std::chrono::steady_clock::time_point last_tick_{};
  std::optional<std::chrono::steady_clock::time_point> caught_up_;  ///< when it has had its time
};

}  // namespace wk::replica
