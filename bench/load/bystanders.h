// Clients that have nothing to do with what happens to others, and what they feel of it.
//
// An open loop on a thread of its own: its requests are due whatever the server does, so that whatever holds
// the server up is charged for every request that waited. Each answer is kept with the moment at which it was
// due. Thread: one owner; between start() and finish() the load runs on a thread of this class.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "bench/load/clock.h"
#include "bench/load/driver.h"
#include "bench/load/latency_histogram.h"
#include "bench/load/plan.h"

namespace wk::bench {

/// A stretch of time, its end excluded.
struct Span {
  Clock::time_point begin{};
  Clock::time_point end{};
};

/// Latencies of the answers that were due in one of the spans.
LatencyHistogram latencies_within(const std::vector<Answer>& answers, const std::vector<Span>& spans);

class Bystanders {
 public:
  /// \param mix  as of --mix   \param rate_per_s  requests a second of all bystanders together, above 0
  Bystanders(const std::vector<std::string>& servers, const std::string& mix, double rate_per_s);
  ~Bystanders();
  Bystanders(const Bystanders&) = delete;
  Bystanders& operator=(const Bystanders&) = delete;

  /// Opens their sessions, makes their znodes, begins.
  Result<void> start();
  /// Ends the load and says goodbye; the first error that the load met.
  Result<void> finish();
  /// After finish().
  [[nodiscard]] const std::vector<Answer>& answers() const { return driver_->answers(); }

 private:
  Plan plan_;
  std::unique_ptr<Driver> driver_;
  Result<void> outcome_{};
  std::jthread thread_;
};

}  // namespace wk::bench
