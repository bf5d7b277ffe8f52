// What a load measured, as a table for people and as JSON for programs.
//
// Thread: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/driver.h"
#include "bench/load/plan.h"

namespace wk::bench {

/// One window of the measurement, all threads together.
struct Window {
  std::chrono::nanoseconds length{};
  Tally tally{};
  std::optional<std::chrono::nanoseconds> server_cpu{};  ///< absent without --server-pid
  std::chrono::nanoseconds own_cpu{};
};

struct Report {
  std::vector<Window> windows{};
  std::chrono::system_clock::time_point began{};         ///< of the first window
  std::optional<std::uint64_t> server_resident_bytes{};  ///< at the end, the sum of all --server-pid
  std::size_t backlog_max = 0;

  [[nodiscard]] Tally total() const;
};

/// count, mean, p50, p90, p99, p999, max; microseconds.
nlohmann::json latencies_json(const LatencyHistogram& latencies);

std::string table(const Plan& plan, const Report& report);
nlohmann::json json(const Plan& plan, const Report& report);

}  // namespace wk::bench
