#include "bench/load/bystanders.h"

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

#include "base/scheduling.h"
#include "bench/load/session.h"

namespace wk::bench {
namespace {

constexpr std::size_t kSessions = 10;
constexpr std::size_t kOutstandingMax = 1000;  // more than any stall lets pile up on one of them
constexpr std::size_t kKeys = 100;
constexpr std::chrono::hours kLongest{24};
constexpr std::chrono::seconds kSessionTimeout{100};

}  // namespace

LatencyHistogram latencies_within(const std::vector<Answer>& answers, const std::vector<Span>& spans) {
  LatencyHistogram found;
  for (const Answer& answer : answers) {
    const bool within = std::any_of(spans.begin(), spans.end(), [&answer](const Span& span) {
      return answer.due >= span.begin && answer.due < span.end;
    });
    if (within) found.record(answer.latency);
  }
  return found;
}

Bystanders::Bystanders(const std::vector<std::string>& servers, const std::string& mix, double rate_per_s) {
  plan_.servers = servers;
  plan_.connections = kSessions;
  plan_.outstanding_max = kOutstandingMax;
  plan_.mix_text = mix;
  plan_.keys = kKeys;
  plan_.root = "/wk-bystanders";
  plan_.rate_per_s = rate_per_s;
  plan_.session_timeout = kSessionTimeout;
}

Bystanders::~Bystanders() {
  if (driver_) driver_->stop();
}

Result<void> Bystanders::start() {
  const auto mix = parse_mix(plan_.mix_text);
  if (!mix) return mix.error();
  plan_.mix = *mix;
  auto sessions = open_sessions(plan_);
  if (!sessions) return sessions.error();
  if (auto prepared = prepare_znodes(sessions->front(), plan_); !prepared) return prepared;
  Share share;
  share.rate_per_s = *plan_.rate_per_s;
  share.operations = std::numeric_limits<std::uint64_t>::max();
  share.keep_answers = true;
  driver_ = std::make_unique<Driver>(plan_, std::move(*sessions), 0, share,
                                     static_cast<std::uint32_t>(std::random_device{}()));
  thread_ = std::jthread([this] {
    // What is asked for is how long the server takes, not how long this thread waits for a CPU meanwhile.
    ask_for_short_turns();
    outcome_ =
        driver_->run({Clock::now(), std::chrono::duration_cast<std::chrono::nanoseconds>(kLongest), 1});
  });
  return {};
}

Result<void> Bystanders::finish() {
  driver_->stop();
  thread_.join();
  for (Session& session : driver_->sessions()) session.say_goodbye();
  return outcome_;
}

}  // namespace wk::bench
