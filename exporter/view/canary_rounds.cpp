#include "exporter/view/canary_rounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace wk::exporter {
namespace {

using std::chrono::nanoseconds;

/// How long one member's canary must fail before it is an event.
constexpr nanoseconds kCanaryEventAfter = std::chrono::seconds{3};

}  // namespace

void CanaryRounds::take(const CanaryReport& report, EnsembleView& view, EventSink& events) {
  view.members[report.member].canary = report.totals;
  take_member(report, view.members[report.member], events);
  take_round(report, view);
}

void CanaryRounds::take_member(const CanaryReport& report, const MemberView& member, EventSink& events) {
  auto& failing = failing_[report.member];
  if (report.round_ok) {
    if (failing && failing->told)
      events.tell(EventType::kCanaryRecovered, Severity::kInfo, member.name,
                  fmt::format("client operations through {} succeed again", member.name),
                  report.finished - failing->since);
    failing.reset();
    return;
  }
  if (!failing) failing = Failing{.since = report.finished};
  if (failing->told || report.finished - failing->since < kCanaryEventAfter) return;
  failing->told = true;
  events.tell(EventType::kCanaryFailed, Severity::kWarning, member.name,
              fmt::format("client operations through {} fail: {}", member.name, report.totals.last_error));
}

void CanaryRounds::take_round(const CanaryReport& report, EnsembleView& view) {
  auto round = std::find_if(rounds_.begin(), rounds_.end(),
                            [&](const Round& open) { return open.number == report.round; });
  if (round == rounds_.end()) {
    if (rounds_.size() == kOpenRounds) {
      if (!rounds_.front().ok) ++view.canary_rounds_failed;
      rounds_.erase(rounds_.begin());
    }
    rounds_.push_back(Round{.number = report.round});
    round = rounds_.end() - 1;
  }
  ++round->reports;
  if (report.round_ok && !round->ok) {
    round->ok = true;
    ++view.canary_rounds_ok;
  }
  if (round->reports == failing_.size()) {
    if (!round->ok) ++view.canary_rounds_failed;
    rounds_.erase(round);
  }
}

std::optional<Moment> CanaryRounds::all_failing_since() const {
  std::optional<Moment> last_to_fail;
  for (const auto& failing : failing_) {
    if (!failing) return std::nullopt;
    if (!last_to_fail || failing->since - *last_to_fail > nanoseconds{0}) last_to_fail = failing->since;
  }
  return last_to_fail;
}

}  // namespace wk::exporter
