// How long to wait before the next attempt: exponential, jittered, bounded.
//
// Thread: one owner. Pure: the random number is an argument.
#pragma once

#include <chrono>

namespace wk::client {

struct BackoffLimits {
  std::chrono::milliseconds first{100};      ///< ceiling of the first delay, above 0
  std::chrono::milliseconds longest{5'000};  ///< ceiling that doubling stops at, at least `first`
};

class Backoff {
 public:
  explicit Backoff(BackoffLimits limits);

  /// Delay before the next attempt, between half of the current ceiling and the whole; then doubles the
  /// ceiling. \param random  uniform in [0, 1); values outside are clamped
  std::chrono::milliseconds next(double random);
  /// The last attempt succeeded: start over with the first ceiling.
  void reset() { ceiling_ = limits_.first; }

 private:
  BackoffLimits limits_;
  std::chrono::milliseconds ceiling_;
};

}  // namespace wk::client
