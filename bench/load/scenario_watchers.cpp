// The scenario "watchers"; see scenario.h.
//
// One more session than there are watchers makes the changes, so that sending a change and hearing of it go
// through one loop and one clock.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "bench/load/bystanders.h"
#include "bench/load/frames.h"
#include "bench/load/gathering.h"
#include "bench/load/process_cost.h"
#include "bench/load/report.h"
#include "bench/load/scenario.h"
#include "bench/load/session.h"

namespace wk::bench {
namespace {

constexpr std::chrono::seconds kFelt{1};  // what bystanders feel counts for so long from a change on

class Watchers final : public Gathering {
 public:
  Watchers(Crowd::Settings settings, std::string path, std::size_t watchers)
      : Gathering(std::move(settings)), path_(std::move(path)), watchers_(watchers) {}

  Result<void> watch() {
    return ask(watchers_, 1, [this](std::size_t, std::vector<std::byte>& output) {
      append_request(output, 1, jute::OpCode::kGetData, jute::ReadRequest{path_, true});
    });
  }

  /// Changes the znode and waits until everybody has heard.
  Result<void> change() {
    notified_ = LatencyHistogram{};
    std::vector<std::byte> frame;
    append_request(frame, 1, jute::OpCode::kSetData, jute::SetDataRequest{path_, "y", -1});
    changed_at_ = Clock::now();
    if (auto sent = crowd().send(watchers_, frame); !sent) return sent;
    const auto all = [this] { return notified_.count() == watchers_; };
    return crowd().turn_until(all, kPatience, "all notifications");
  }

  [[nodiscard]] Clock::time_point changed_at() const { return changed_at_; }
  [[nodiscard]] const LatencyHistogram& notified() const { return notified_; }

  Result<void> on_event(std::size_t, Clock::time_point now) override {
    notified_.record(now - changed_at_);
    return {};
  }

 private:
  std::string path_;
  std::size_t watchers_;
  Clock::time_point changed_at_{};
  LatencyHistogram notified_{};
};

}  // namespace

Result<void> watchers(const ScenarioPlan& plan, nlohmann::json& document) {
  const auto servers = resolve_all(plan.servers);
  if (!servers) return servers.error();
  const std::string path = fmt::format("{}/watched", plan.root);
  if (auto made = make_znodes(plan.servers.front(), {plan.root, path}, "x"); !made) return made;
  Watchers crowd({*servers, plan.sessions + 1, plan.session_timeout, plan.at_once}, path, plan.sessions);
  if (auto arrived = crowd.arrive(); !arrived) return arrived;
  if (auto watching = crowd.watch(); !watching) return watching;
  Bystanders others(plan.servers, plan.others_mix, plan.others_per_s);
  if (plan.others_per_s > 0) {
    if (auto started = others.start(); !started) return started;
  }
  Span quiet{Clock::now(), {}};
  if (auto rested = crowd.crowd().rest(plan.pause); !rested) return rested;
  quiet.end = Clock::now();
  std::vector<Span> felt;
  nlohmann::json rounds = nlohmann::json::array();
  nlohmann::json costs = nlohmann::json::array();
  for (std::size_t round = 0; round < plan.rounds; ++round) {
    const auto cost = cpu_time_of(plan.server_pids, [&crowd] { return crowd.change(); });
    if (!cost) return cost.error();
    costs.push_back(std::chrono::duration<double>(*cost).count());
    felt.push_back({crowd.changed_at(), crowd.changed_at() + kFelt});
    rounds.push_back(latencies_json(crowd.notified()));
    if (auto rested = crowd.crowd().rest(std::max<std::chrono::nanoseconds>(plan.pause, kFelt)); !rested) {
      return rested;
    }
    if (auto watching = crowd.watch(); !watching) return watching;
  }
  document = {{"sessions", plan.sessions}, {"notified_us", std::move(rounds)}};
  if (!plan.server_pids.empty()) document["server_cpu_s"] = std::move(costs);
  if (plan.others_per_s > 0) {
    if (auto finished = others.finish(); !finished) return finished;
    document["others_us"] = {{"quiet", latencies_json(latencies_within(others.answers(), {quiet}))},
                             {"during", latencies_json(latencies_within(others.answers(), felt))}};
  }
  if (auto departed = crowd.depart(); !departed) return departed;
  return {};
}

}  // namespace wk::bench
