// The scenario "expiry"; see scenario.h.
//
// The server counts from each session's last frame, so all ask for something at once and are cut off right
// behind it. The parent's number of children tells what is left.
#include <fmt/format.h>

#include <thread>
#include <utility>

#include "bench/load/bystanders.h"
#include "bench/load/frames.h"
#include "bench/load/gathering.h"
#include "bench/load/report.h"
#include "bench/load/scenario.h"
#include "bench/load/session.h"

namespace wk::bench {
namespace {

constexpr std::size_t kEphemeralsABatch = 100;
constexpr std::chrono::milliseconds kLook{5};
constexpr std::chrono::seconds kWatcherTimeout{100};
constexpr std::chrono::seconds kGrace{60};  // beside twice the timeout, until the last has to be gone

Result<void> make_ephemerals(Gathering& crowd, const ScenarioPlan& plan) {
  for (std::size_t begin = 0; begin < plan.ephemerals; begin += kEphemeralsABatch) {
    const std::size_t count = std::min(kEphemeralsABatch, plan.ephemerals - begin);
    const auto frames = [&](std::size_t member, std::vector<std::byte>& output) {
      for (std::size_t i = begin; i < begin + count; ++i) {
        const std::string path = fmt::format("{}/e{:06}-{:04}", plan.root, member, i);
        append_request(output, 1, jute::OpCode::kCreate,
                       jute::CreateRequest{path, "x", open_acl(), jute::CreateMode::kEphemeral});
      }
    };
    if (auto asked = crowd.ask(plan.sessions, count, frames); !asked) return asked;
  }
  return {};
}

Result<std::size_t> children(Session& session, const std::string& path) {
  std::vector<std::byte> frame;
  append_request(frame, 1, jute::OpCode::kExists, jute::ReadRequest{path, false});
  const auto body = session.ask(frame);
  if (!body) return body.error();
  const auto stat = jute::decode<jute::StatResponse>(*body);
  if (!stat) return stat.error();
  return static_cast<std::size_t>(stat->stat.num_children);
}

/// From the last look that found all ephemerals to the first that found none.
Result<Span> watch_them_go(Session& session, const ScenarioPlan& plan) {
  const std::size_t all = plan.sessions * plan.ephemerals;
  const Clock::time_point limit = Clock::now() + 2 * plan.session_timeout + kGrace;
  Span storm{Clock::now(), {}};
  while (true) {
    const Clock::time_point looked = Clock::now();
    const auto left = children(session, plan.root);
    if (!left) return left.error();
    if (*left == all) storm.begin = looked;
    storm.end = Clock::now();
    if (*left == 0) return storm;
    if (storm.end > limit) {
      return Error{Errc::kTimedOut,
                   fmt::format("{}: {} of {} ephemerals are still there", session.server(), *left, all)};
    }
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

Result<void> expiry(const ScenarioPlan& plan, nlohmann::json& document) {
  const auto servers = resolve_all(plan.servers);
  if (!servers) return servers.error();
  if (auto made = make_znodes(plan.servers.front(), {plan.root}, "x"); !made) return made;
  Gathering crowd({*servers, plan.sessions, plan.session_timeout, plan.at_once});
  if (auto arrived = crowd.arrive(); !arrived) return arrived;
  if (auto made = make_ephemerals(crowd, plan); !made) return made;
  auto session = open_session(plan.servers.front(), kWatcherTimeout);
  if (!session) return session.error();
  const auto found = children(*session, plan.root);
  if (!found) return found.error();
  if (*found != plan.sessions * plan.ephemerals) {
    return Error{Errc::kNotAllowed,
                 fmt::format("{}: {} holds {} znodes that an earlier run left; wait, or use "
                             "another --root",
                             session->server(), plan.root, *found - plan.sessions * plan.ephemerals)};
  }
  Bystanders others(plan.servers, plan.others_mix, plan.others_per_s);
  if (plan.others_per_s > 0) {
    if (auto started = others.start(); !started) return started;
  }
  Span quiet{Clock::now(), {}};
  if (auto rested = crowd.crowd().rest(plan.pause); !rested) return rested;
  quiet.end = Clock::now();
  const auto touch = [](std::size_t, std::vector<std::byte>& output) {
    append_request(output, 1, jute::OpCode::kExists, jute::ReadRequest{"/", false});
  };
  if (auto asked = crowd.ask(plan.sessions, 1, touch); !asked) return asked;
  const Clock::time_point cut_at = Clock::now();
  for (std::size_t member = 0; member < plan.sessions; ++member) crowd.crowd().cut(member);
  const auto storm = watch_them_go(*session, plan);
  if (!storm) return storm.error();
  const auto seconds = [](Clock::duration time) { return std::chrono::duration<double>(time).count(); };
  document = {{"sessions", plan.sessions},
              {"ephemerals", plan.sessions * plan.ephemerals},
              {"session_timeout_s", seconds(crowd.crowd().granted_timeout())},
              {"first_gone_s", seconds(storm->begin - cut_at)},
              {"last_gone_s", seconds(storm->end - cut_at)}};
  if (plan.others_per_s > 0) {
    if (auto finished = others.finish(); !finished) return finished;
    document["others_us"] = {{"quiet", latencies_json(latencies_within(others.answers(), {quiet}))},
                             {"during", latencies_json(latencies_within(others.answers(), {*storm}))}};
  }
  session->say_goodbye();
  return {};
}

}  // namespace wk::bench
