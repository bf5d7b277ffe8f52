// Which server to try next, and how long to wait before it: in turn from a given first, a pause after each
// round through the list that grows until a server proves useful.
//
// Thread: one owner. Pure: random numbers are arguments, uniform in [0, 1); values outside are clamped.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "client/backoff.h"
#include "client/server_address.h"

namespace wk::client {

class ServerRotation {
 public:
  /// \param servers  at least one   \param random  decides which comes first
  ServerRotation(std::vector<ServerAddress> servers, BackoffLimits limits, double random);

  /// Whether every server was tried since the last pause.
  [[nodiscard]] bool round_over() const { return tried_ >= servers_.size(); }
  /// Begins the next round. \return the pause before it
  std::chrono::milliseconds begin_round(double random);
  /// The server to try now.
  ServerAddress next();
  /// The server that is tried has shown that it is of use: the next loss of it is followed by the others
  /// without a pause, and pauses start small again.
  void proved_useful();

 private:
  std::vector<ServerAddress> servers_;
  Backoff backoff_;
  std::size_t next_ = 0;
  std::size_t tried_ = 0;  ///< in this round
};

}  // namespace wk::client
