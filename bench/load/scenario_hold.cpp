// The scenario "hold"; see scenario.h.
//
// Watches are set by exists on paths without a znode, so that nothing but the watches comes to lie in the
// server. The same requests go out once without the watch before memory is read, so that buffers are not
// taken for watches.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bench/load/frames.h"
#include "bench/load/gathering.h"
#include "bench/load/process_cost.h"
#include "bench/load/report.h"
#include "bench/load/scenario.h"

namespace wk::bench {
namespace {

constexpr std::size_t kBatch = 100;  // requests of one session under way
constexpr std::chrono::seconds kSettle{1};

Result<void> ask_for_watches(Gathering& gathering, const ScenarioPlan& plan, bool watch) {
  for (std::size_t begin = 0; begin < plan.watches; begin += kBatch) {
    const std::size_t count = std::min(kBatch, plan.watches - begin);
    const auto frames = [&](std::size_t member, std::vector<std::byte>& output) {
      const std::size_t first = begin + (plan.own_paths ? member * plan.watches : 0);
      for (std::size_t i = first; i < first + count; ++i) {
        append_request(output, 1, jute::OpCode::kExists,
                       jute::ReadRequest{fmt::format("{}/w{:08}", plan.root, i), watch});
      }
    };
    if (auto asked = gathering.ask(plan.sessions, count, frames, jute::ErrorCode::kNoNode); !asked)
      return asked;
  }
  return {};
}

/// Adds "resident_bytes_…" when there are processes to look at.
Result<void> tell_memory(const ScenarioPlan& plan, const char* when, nlohmann::json& document) {
  if (plan.server_pids.empty()) return {};
  std::uint64_t sum = 0;
  for (const int process : plan.server_pids) {
    const auto bytes = resident_bytes(process);
    if (!bytes) return bytes.error();
    sum += *bytes;
  }
  document["resident_bytes"][when] = sum;
  return {};
}

/// Rests for one window and appends what it cost.
Result<void> rest_window(Gathering& gathering, const ScenarioPlan& plan, nlohmann::json& windows) {
  const auto own_before = own_cpu_time();
  const std::uint64_t pings_before = gathering.crowd().ping_times().count();
  const Clock::time_point begin = Clock::now();
  const auto server = cpu_time_of(plan.server_pids, [&] { return gathering.crowd().rest(plan.window); });
  if (!server) return server.error();
  const std::chrono::duration<double> length = Clock::now() - begin;
  const auto share = [&length](std::chrono::nanoseconds time) {
    return std::chrono::duration<double>(time).count() / length.count();
  };
  nlohmann::json window{{"seconds", length.count()},
                        {"pings", gathering.crowd().ping_times().count() - pings_before},
                        {"own_cpu_share", share(own_cpu_time() - own_before)}};
  if (!plan.server_pids.empty()) window["server_cpu_share"] = share(*server);
  windows.push_back(std::move(window));
  return {};
}

}  // namespace

Result<void> hold(const ScenarioPlan& plan, nlohmann::json& document) {
  const auto servers = resolve_all(plan.servers);
  if (!servers) return servers.error();
  document = {{"sessions", plan.sessions}, {"watches", plan.sessions * plan.watches}};
  if (auto told = tell_memory(plan, "before", document); !told) return told;
  Gathering gathering({*servers, plan.sessions, plan.session_timeout, plan.at_once});
  const Clock::time_point begin = Clock::now();
  if (auto arrived = gathering.arrive(); !arrived) return arrived;
  document["connect_s"] = std::chrono::duration<double>(Clock::now() - begin).count();
  document["session_timeout_s"] = std::chrono::duration<double>(gathering.crowd().granted_timeout()).count();
  if (auto asked = ask_for_watches(gathering, plan, false); !asked) return asked;
  if (auto rested = gathering.crowd().rest(kSettle); !rested) return rested;
  if (auto told = tell_memory(plan, "sessions", document); !told) return told;
  if (auto asked = ask_for_watches(gathering, plan, true); !asked) return asked;
  if (auto rested = gathering.crowd().rest(kSettle); !rested) return rested;
  if (auto told = tell_memory(plan, "watches", document); !told) return told;
  document["windows"] = nlohmann::json::array();
  for (std::size_t i = 0; i < plan.windows; ++i) {
    if (auto rested = rest_window(gathering, plan, document["windows"]); !rested) return rested;
  }
  document["ping_us"] = latencies_json(gathering.crowd().ping_times());
  if (auto departed = gathering.depart(); !departed) return departed;
  return {};
}

}  // namespace wk::bench
