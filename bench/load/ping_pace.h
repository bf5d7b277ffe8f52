// Spreads the pings of many sessions evenly over the interval in which each has to ping once.
//
// Members take turns in the order of their numbers, so nothing is kept for each. Thread: one owner. Pure;
// time is an argument.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "bench/load/clock.h"

namespace wk::bench {

class PingPace {
 public:
  /// \param members  at least 1   \param interval  in which each of them pings once, positive
  PingPace(std::size_t members, std::chrono::nanoseconds interval, Clock::time_point begin)
      : members_(members), gap_(interval / static_cast<std::int64_t>(members)), next_(begin + gap_) {}

  /// The next member whose ping is due; call again until there is none. After a pause of more than a round,
  /// what was missed is left out: one round brings everybody up to date.
  std::optional<std::size_t> take_due(Clock::time_point now) {
    if (next_ > now) return std::nullopt;
    const auto round = static_cast<std::int64_t>(members_) * gap_;
    if (now - next_ > round) next_ = now - round;
    next_ += gap_;
    const std::size_t member = turn_;
    turn_ = (turn_ + 1) % members_;
    return member;
  }
  /// When the next ping is due.
  [[nodiscard]] Clock::time_point next() const { return next_; }

 private:
  std::size_t members_;
  std::chrono::nanoseconds gap_;
  Clock::time_point next_;
  std::size_t turn_ = 0;
};

}  // namespace wk::bench
