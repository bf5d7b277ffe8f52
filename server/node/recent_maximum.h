// The largest duration of the last one to two minutes: what a maximum since the start would hide.
//
// Thread: one owner; time is an argument.
#pragma once

#include <algorithm>
#include <chrono>

namespace wk::node {

class RecentMaximum {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kPeriod{60};

  void record(std::chrono::nanoseconds duration, Time now) {
    turn(now);
    current_ = std::max(current_, duration);
  }
  /// 0 when nothing was recorded lately.
  [[nodiscard]] std::chrono::nanoseconds value(Time now) const {
    if (now - began_ >= 2 * kPeriod) return std::chrono::nanoseconds{0};
    return now - began_ >= kPeriod ? current_ : std::max(current_, previous_);
  }

 private:
  void turn(Time now) {
    if (now - began_ < kPeriod) return;
    previous_ = now - began_ < 2 * kPeriod ? current_ : std::chrono::nanoseconds{0};
    current_ = std::chrono::nanoseconds{0};
    began_ = now;
  }

  Time began_{};
  std::chrono::nanoseconds current_{0};
  std::chrono::nanoseconds previous_{0};
};

}  // namespace wk::node
