// The clock of every latency and deadline of the load generator.
//
// Thread: any.
#pragma once

#include <chrono>

namespace wk::bench {

using Clock = std::chrono::steady_clock;

}  // namespace wk::bench
