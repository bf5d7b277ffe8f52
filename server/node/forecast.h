// When something that grows will have reached a bound.
//
// Thread: one owner; time is an argument.
#pragma once

#include <chrono>
#include <deque>
#include <optional>

namespace wk::node {

class Forecast {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Seconds = std::chrono::duration<double>;
  /// Growth is judged over so long, and over the second half of that.
  static constexpr std::chrono::minutes kWindow{60};
  static constexpr std::chrono::minutes kHistoryMin{10};
  static constexpr std::chrono::seconds kSampleInterval{60};
  /// What is farther away than this is no forecast.
  static constexpr std::chrono::hours kFarthest{24 * 365};

  void add(double used, Time now);
  /// At the slower of the growth of the whole window and of its second half, so that a jump which ended is no
  /// growth. \return  absent when it does not grow, or nothing is known yet; 0 when the bound is reached
  [[nodiscard]] std::optional<Seconds> left(double used, double bound, Time now) const;

 private:
  struct Sample {
    Time at;
    double used;
  };
  std::deque<Sample> samples_;  ///< oldest first; at most one more than the window has intervals
};

}  // namespace wk::node
