// The scenario "churn"; see scenario.h.
//
// Every eighth life is cut off in the middle and resumes, every sixteenth vanishes. The paths carry the
// life's number, so the ephemeral of one that vanished is in nobody's way until it expires.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "bench/load/crowd.h"
#include "bench/load/frames.h"
#include "bench/load/report.h"
#include "bench/load/scenario.h"
#include "bench/load/session.h"

namespace wk::bench {
namespace {

constexpr std::uint64_t kResumeEvery = 8;
constexpr std::uint64_t kVanishEvery = 16;
constexpr std::chrono::seconds kPatience{60};  // for the last lives to end

class Lives final : public CrowdOwner {
 public:
  Lives(Crowd::Settings settings, std::string root, double rate_per_s)
      : crowd_(std::move(settings), *this),
        lives_(crowd_.size()),
        root_(std::move(root)),
        gap_(rate_per_s > 0 ? static_cast<std::int64_t>(1e9 / rate_per_s) : 0) {}

  Result<void> run(std::chrono::nanoseconds duration) {
    const Clock::time_point end = Clock::now() + duration;
    due_ = Clock::now();
    for (std::size_t member = 0; member < crowd_.size(); ++member) idle_.push_back(member);
    while (Clock::now() < end) {
      begin_due(Clock::now());
      if (auto turned = crowd_.turn(std::min(end, idle_.empty() ? end : due_)); !turned) return turned;
    }
    ending_ = true;
    return crowd_.turn_until([this] { return idle_.size() == crowd_.size(); }, kPatience,
                             "the last lives to end");
  }

  [[nodiscard]] nlohmann::json told() const {
    return {{"lives", ended_ + vanished_}, {"closed", ended_},  {"resumed", resumed_},
            {"vanished", vanished_},       {"events", events_}, {"life_us", latencies_json(durations_)}};
  }

  Result<void> on_session(std::size_t member, Clock::time_point) override;
  Result<void> on_reply(std::size_t member, std::int32_t xid, jute::ErrorCode code,
                        Clock::time_point now) override;
  Result<void> on_event(std::size_t member, Clock::time_point now) override;
  Result<void> on_closed(std::size_t member, Clock::time_point now) override;

 private:
  enum class Age { kBegun, kSettled, kResumed, kLeaving };
  struct Life {
    Clock::time_point began{};
    std::uint64_t number = 0;
    Age age = Age::kBegun;
    std::size_t awaited = 0;  ///< replies and events
  };

  void begin_due(Clock::time_point now);
  void begin(std::size_t member, Clock::time_point now);
  void end(std::size_t member, Clock::time_point now);
  /// Something that was awaited has come.
  Result<void> advance(std::size_t member, Clock::time_point now);
  /// Deletes the ephemeral, of which the watch tells.
  Result<void> take_leave(std::size_t member, bool watch_again);
  [[nodiscard]] std::string path(std::size_t member) const {
    return fmt::format("{}/l{:06}-{:010}", root_, member, lives_[member].number);
  }

  Crowd crowd_;
  std::vector<Life> lives_;
  std::deque<std::size_t> idle_{};
  std::string root_;
  std::chrono::nanoseconds gap_;  ///< between two lives that begin; zero: no wait
  Clock::time_point due_{};
  std::uint64_t begun_ = 0;
  std::uint64_t ended_ = 0;
  std::uint64_t resumed_ = 0;
  std::uint64_t vanished_ = 0;
  std::uint64_t events_ = 0;
  LatencyHistogram durations_{};
  bool ending_ = false;
};

void Lives::begin_due(Clock::time_point now) {
  for (; !idle_.empty() && due_ <= now; due_ += gap_) {
    begin(idle_.front(), now);
    idle_.pop_front();
    if (gap_ == std::chrono::nanoseconds{0}) due_ = now;
  }
}

void Lives::begin(std::size_t member, Clock::time_point now) {
  lives_[member] = Life{now, begun_++, Age::kBegun, 0};
  crowd_.open(member);
}

void Lives::end(std::size_t member, Clock::time_point now) {
  if (!ending_ && gap_ == std::chrono::nanoseconds{0}) {
    begin(member, now);
  } else {
    idle_.push_back(member);
  }
}

Result<void> Lives::on_session(std::size_t member, Clock::time_point) {
  Life& life = lives_[member];
  if (life.age == Age::kResumed) return take_leave(member, true);
  std::vector<std::byte> output;
  append_request(output, 1, jute::OpCode::kCreate,
                 jute::CreateRequest{path(member), "x", open_acl(), jute::CreateMode::kEphemeral});
  append_request(output, 2, jute::OpCode::kExists, jute::ReadRequest{path(member), true});
  append_request(output, 3, jute::OpCode::kExists, jute::ReadRequest{path(member) + "/absent", true});
  life.awaited = 3;
  return crowd_.send(member, output);
}

Result<void> Lives::take_leave(std::size_t member, bool watch_again) {
  Life& life = lives_[member];
  std::vector<std::byte> output;
  // The watches went with the connection.
  if (watch_again) append_request(output, 1, jute::OpCode::kExists, jute::ReadRequest{path(member), true});
  append_request(output, 2, jute::OpCode::kDelete, jute::DeleteRequest{path(member), -1});
  life.age = Age::kLeaving;
  life.awaited = watch_again ? 3 : 2;  // The event is awaited, too.
  return crowd_.send(member, output);
}

Result<void> Lives::advance(std::size_t member, Clock::time_point now) {
  Life& life = lives_[member];
  if (--life.awaited > 0) return {};
  if (life.age == Age::kLeaving) {
    std::vector<std::byte> output;
    append_request(output, 1, jute::OpCode::kCloseSession);
    life.age = Age::kSettled;
    life.awaited = 2;  // The reply, and the end of the connection.
    return crowd_.send(member, output);
  }
  if (life.age == Age::kSettled) {
    durations_.record(now - life.began);
    ++ended_;
    end(member, now);
    return {};
  }
  if (life.number % kVanishEvery == kVanishEvery - 1) {
    crowd_.cut(member);
    ++vanished_;
    end(member, now);
    return {};
  }
  if (life.number % kResumeEvery == 0) {
    life.age = Age::kResumed;
    crowd_.cut(member);
    crowd_.resume(member);
    ++resumed_;
    return {};
  }
  return take_leave(member, false);
}

Result<void> Lives::on_reply(std::size_t member, std::int32_t xid, jute::ErrorCode code,
                             Clock::time_point now) {
  if (code != jute::ErrorCode::kOk && code != jute::ErrorCode::kNoNode) {
    return Error{Errc::kNotAllowed, fmt::format("{}: session {} of the crowd: request {} failed: {}",
                                                crowd_.server(member).name, member, xid, name(code))};
  }
  return advance(member, now);
}

Result<void> Lives::on_event(std::size_t member, Clock::time_point now) {
  ++events_;
  return advance(member, now);
}

Result<void> Lives::on_closed(std::size_t member, Clock::time_point now) {
  if (lives_[member].age != Age::kSettled) return CrowdOwner::on_closed(member, now);
  return advance(member, now);
}

}  // namespace

Result<void> churn(const ScenarioPlan& plan, nlohmann::json& document) {
  const auto servers = resolve_all(plan.servers);
  if (!servers) return servers.error();
  if (auto made = make_znodes(plan.servers.front(), {plan.root}, "x"); !made) return made;
  Lives lives({*servers, plan.sessions, plan.session_timeout, plan.at_once}, plan.root, plan.rate_per_s);
  const auto duration = static_cast<std::int64_t>(plan.windows) * plan.window;
  if (auto ran = lives.run(duration); !ran) return ran;
  document = lives.told();
  document["seconds"] = std::chrono::duration<double>(duration).count();
  return {};
}

}  // namespace wk::bench
