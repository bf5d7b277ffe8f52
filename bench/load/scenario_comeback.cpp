// The scenario "comeback"; see scenario.h.
#include <utility>
#include <vector>

#include "bench/load/frames.h"
#include "bench/load/gathering.h"
#include "bench/load/process_cost.h"
#include "bench/load/report.h"
#include "bench/load/scenario.h"

namespace wk::bench {
namespace {

class Returners final : public Gathering {
 public:
  using Gathering::Gathering;

  /// Breaks every connection and waits until every session is back or known to be lost.
  Result<void> cut_and_return() {
    back_ = LatencyHistogram{};
    lost_.clear();
    cut_at_ = Clock::now();
    for (std::size_t member = 0; member < crowd().size(); ++member) crowd().cut(member);
    for (std::size_t member = 0; member < crowd().size(); ++member) crowd().resume(member);
    const auto all = [this] { return back_.count() + lost_.size() == crowd().size(); };
    return crowd().turn_until(all, kPatience, "all sessions to come back");
  }

  /// Gives those that were lost a new session.
  Result<void> replace_lost() {
    for (const std::size_t member : lost_) crowd().open(member);
    const auto all = [this] { return crowd().present() == crowd().size(); };
    return crowd().turn_until(all, kPatience, "new sessions for those that were lost");
  }

  Result<void> read() {
    return ask(crowd().size(), 1, [](std::size_t, std::vector<std::byte>& output) {
      append_request(output, 1, jute::OpCode::kExists, jute::ReadRequest{"/", false});
    });
  }

  [[nodiscard]] const LatencyHistogram& back() const { return back_; }
  [[nodiscard]] std::size_t lost() const { return lost_.size(); }

  Result<void> on_session(std::size_t, Clock::time_point now) override {
    back_.record(now - cut_at_);
    return {};
  }
  Result<void> on_expired(std::size_t member, Clock::time_point) override {
    lost_.push_back(member);
    return {};
  }

 private:
  Clock::time_point cut_at_{};
  LatencyHistogram back_{};
  std::vector<std::size_t> lost_{};
};

}  // namespace

Result<void> comeback(const ScenarioPlan& plan, nlohmann::json& document) {
  const auto servers = resolve_all(plan.servers);
  if (!servers) return servers.error();
  Returners crowd({*servers, plan.sessions, plan.session_timeout, plan.at_once});
  if (auto arrived = crowd.arrive(); !arrived) return arrived;
  nlohmann::json rounds = nlohmann::json::array();
  nlohmann::json costs = nlohmann::json::array();
  std::size_t lost = 0;
  for (std::size_t round = 0; round < plan.rounds; ++round) {
    if (auto rested = crowd.crowd().rest(plan.pause); !rested) return rested;
    const auto cost = cpu_time_of(plan.server_pids, [&crowd] { return crowd.cut_and_return(); });
    if (!cost) return cost.error();
    rounds.push_back(latencies_json(crowd.back()));
    costs.push_back(std::chrono::duration<double>(*cost).count());
    lost += crowd.lost();
    if (auto replaced = crowd.replace_lost(); !replaced) return replaced;
    if (auto read = crowd.read(); !read) return read;
  }
  if (auto departed = crowd.depart(); !departed) return departed;
  document = {{"sessions", plan.sessions}, {"back_us", std::move(rounds)}, {"wrongly_expired", lost}};
  if (!plan.server_pids.empty()) document["server_cpu_s"] = std::move(costs);
  return {};
}

}  // namespace wk::bench
