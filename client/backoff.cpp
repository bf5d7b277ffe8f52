#include "client/backoff.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace wk::client {

Backoff::Backoff(BackoffLimits limits) : limits_(limits), ceiling_(limits.first) {
  WK_CHECK(limits.first.count() > 0 && limits.longest >= limits.first, "back-off limits out of order");
}

std::chrono::milliseconds Backoff::next(double random) {
  const double share = 0.5 + 0.5 * std::clamp(random, 0.0, 1.0);
  const std::chrono::milliseconds delay(std::llround(share * static_cast<double>(ceiling_.count())));
  ceiling_ = ceiling_ > limits_.longest / 2 ? limits_.longest : ceiling_ * 2;
  return delay;
}

}  // namespace wk::client
