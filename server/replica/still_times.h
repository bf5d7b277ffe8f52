// The last times of some length in which something stood still: the core between two inputs, or a sync of the
// log.
//
// Only what lasted kLeast or longer is kept, the newest kCapacity. Pure. Thread: core.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

namespace wk::replica {

class StillTimes {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// Above what an idle core needs to come back to its next tick.
  static constexpr std::chrono::milliseconds kLeast{250};
  static constexpr std::size_t kCapacity = 64;

  void record(Time from, Time to) {
    if (to - from < kLeast) return;
    times_[next_] = {from, to};
    next_ = (next_ + 1) % kCapacity;
  }

  struct Overlap {
    std::chrono::nanoseconds total{0};
    std::chrono::nanoseconds longest{0};
  };
  /// How much of the time from `from` to `to` they took.
  [[nodiscard]] Overlap overlap(Time from, Time to) const {
    Overlap found;
    for (const Span& span : times_) {
      const std::chrono::nanoseconds common = std::min(span.to, to) - std::max(span.from, from);
      if (common.count() <= 0) continue;
      found.total += common;
      found.longest = std::max(found.longest, common);
    }
    return found;
  }

 private:
  struct Span {
    Time from{};
    Time to{};
  };
  std::array<Span, kCapacity> times_{};
  std::size_t next_ = 0;
};

}  // namespace wk::replica
