#include "client/server_rotation.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace wk::client {

ServerRotation::ServerRotation(std::vector<ServerAddress> servers, BackoffLimits limits, double random)
    : servers_(std::move(servers)), backoff_(limits) {
  WK_CHECK(!servers_.empty(), "a session needs at least one server");
  const auto first =
      static_cast<std::size_t>(std::clamp(random, 0.0, 1.0) * static_cast<double>(servers_.size()));
  next_ = first % servers_.size();
}

std::chrono::milliseconds ServerRotation::begin_round(double random) {
  tried_ = 0;
  return backoff_.next(random);
}

ServerAddress ServerRotation::next() {
  const ServerAddress& server = servers_[next_];
  next_ = (next_ + 1) % servers_.size();
  ++tried_;
  return server;
}

void ServerRotation::proved_useful() {
  backoff_.reset();
  tried_ = 1;
}

}  // namespace wk::client
