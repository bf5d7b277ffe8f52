#include "exporter/view/ensemble_tracker.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "base/check.h"
#include "exporter/view/agreement.h"
#include "exporter/view/conclusions.h"
#include "exporter/view/configuration_drift.h"
#include "exporter/view/freshness.h"
#include "exporter/view/limits.h"
#include "exporter/view/membership.h"

namespace wk::exporter {
namespace {

using std::chrono::nanoseconds;

/// From one derivation to the next, which are at most a second apart: then the exporter was held up itself.
constexpr nanoseconds kHeldUp = std::chrono::seconds{3};

}  // namespace

EnsembleTracker::EnsembleTracker(EnsembleSpec spec, Moment start)
    : spec_(std::move(spec)),
      visits_(spec_.members.size()),
      trends_(spec_.members.size()),
      differing_(spec_.members.size()),
      canaries_(spec_.members.size()),
      states_(spec_.members.size()),
      last_derived_(start) {
  view_.name = spec_.name;
  view_.canary_mode = spec_.canary;
  for (const TargetSpec& target : spec_.members) {
    MemberView& member = view_.members.emplace_back();
    member.name = target.name;
    member.state_reason = "nothing is known of it yet";
    member.state_since = start;
    member.facts = std::make_shared<MemberFacts>();
    member.detail_fresh_for = detail_freshness(spec_, view_.members.size() - 1);
    if (spec_.canary == CanaryMode::kWrite) {
      const std::size_t index = view_.members.size() - 1;
      member.canary.watch_from =
          spec_.members[(index + spec_.members.size() - 1) % spec_.members.size()].name;
    }
  }
  std::vector<Event> none;
  EventSink events = sink(start, none);
  derive(events);
}

EventSink EnsembleTracker::sink(Moment now, std::vector<Event>& events) {
  return {spec_.name, now, view_.events, events};
}

Moment EnsembleTracker::arrive(Moment now) {
  const nanoseconds passed = now - last_derived_;
  if (passed < nanoseconds{0}) return last_derived_;
  if (passed > kHeldUp) {
    pause_ = passed;
    went_on_ = last_derived_ = now;
  }
  return now;
}

nanoseconds EnsembleTracker::held_up(Moment now) const {
  nanoseconds longest{0};
  for (std::size_t member = 0; member < spec_.members.size(); ++member)
    longest = std::max(longest, freshness(spec_, member));
  return now - went_on_ <= longest ? pause_ : nanoseconds{0};
}

void EnsembleTracker::begin(Moment now, std::vector<Event>& events) {
  sink(now, events)
      .tell(EventType::kExporterStarted, Severity::kInfo, "",
            fmt::format("the exporter began to watch {} {}", spec_.members.size(),
                        spec_.members.size() == 1 ? "member" : "members"));
}

void EnsembleTracker::observe(const PollReport& report, std::vector<Event>& events) {
  WK_CHECK(report.member < visits_.size(), "poll report of an unknown member");
  WK_CHECK(!report.probes.empty(), "poll report without probes");
  EventSink told = sink(arrive(report.finished), events);
  MemberView& member = view_.members[report.member];
  MemberTrend& trend = trends_[report.member];
  const std::shared_ptr<const MemberFacts> before = member.facts;
  const SourceStatuses sources_before = member.sources;

  const Visit& visit = visits_[report.member].emplace(visit_of(report));
  count_visit(report, member, spec_.detail_interval);
  const auto facts = std::make_shared<const MemberFacts>(learned(*before, report, spec_.detail_interval));
  member.facts = facts;

  if (visit.process_answers) trend.tell_sources(member.name, sources_before, member.sources, told);
  tell_configuration_change(member.name, before->configuration, facts->configuration, told);
  if (visit.status_ok && before->status.value) {
    const StatusAnswer& was = *before->status.value;
    const StatusAnswer& is = *facts->status.value;
    const nanoseconds elapsed = report.finished - before->status.at;
    switch (counting(was, is, elapsed, member.state == ServingState::kUnreachable)) {
      case Counting::kGoesOn:
        trend.take_growth(member.name, was, is, elapsed, told);
        break;
      case Counting::kReset:
        break;
      case Counting::kRestarted:
        ++member.restarts;
        told.tell(EventType::kMemberRestarted, Severity::kInfo, member.name,
                  fmt::format("{} was restarted: its counters began anew", member.name));
        break;
    }
  }
  derive(told);
}

void EnsembleTracker::observe(const CanaryReport& report, std::vector<Event>& events) {
  WK_CHECK(report.member < visits_.size(), "canary report of an unknown member");
  EventSink told = sink(arrive(report.finished), events);
  canaries_.take(report, view_, told);
  derive(told);
}

void EnsembleTracker::observe(Event event, std::vector<Event>& events) {
  sink(event.at, events)
      .tell(event.type, event.severity, event.member, std::move(event.text), event.duration);
}

void EnsembleTracker::tick(Moment now, std::vector<Event>& events) {
  EventSink told = sink(arrive(now), events);
  derive(told);
}

void EnsembleTracker::derive(EventSink& events) {
  const Moment now = events.at();
  const bool judged =
      std::all_of(visits_.begin(), visits_.end(), [](const auto& visit) { return visit.has_value(); });

  derive_unlisted(derive_membership(view_, now), events);
  const nanoseconds unasked = held_up(now);
  states_.derive(view_, visits_, spec_, events, unasked);
  leadership_.derive(view_, visits_, spec_, judged, last_derived_, events, unasked);
  quorum_.derive(view_, visits_, judged, events, unasked);
  service_.derive(view_, canaries_.all_failing_since(), leadership_.leaderless_since(), judged, last_derived_,
                  now, unasked);
  derive_agreement(events);

  Limit limit = performance_limit(view_, trends_, judged, now);
  view_.limited_by = std::move(limit.what);
  view_.limited_by_reason = std::move(limit.reason);
  for (std::size_t index = 0; index < view_.members.size(); ++index)
    view_.members[index].safe_to_stop = safe_to_stop(view_, index);
  view_.problems = problems_of(view_, now);
  view_.verdict = verdict_of(view_, now);
  last_derived_ = now;
}

void EnsembleTracker::derive_unlisted(std::vector<std::string> unlisted, EventSink& events) {
  const auto& known = view_.unlisted_members;
  for (const std::string& server : unlisted)
    if (std::find(known.begin(), known.end(), server) == known.end())
      events.tell(EventType::kUnlistedMember, Severity::kInfo, "",
                  fmt::format("the membership names {}, which is not among the configured targets", server));
  view_.unlisted_members = std::move(unlisted);
}

void EnsembleTracker::derive_agreement(EventSink& events) {
  const auto lag = lags(view_);
  const auto verdicts = digest_verdicts(view_, spec_, events.at());
  view_.digest_mismatches = 0;
  for (std::size_t index = 0; index < view_.members.size(); ++index) {
    MemberView& member = view_.members[index];
    member.lag_transactions = lag[index];
    const std::optional<DigestVerdict>& verdict = verdicts[index];
    member.digest_mismatch = verdict ? std::optional(verdict->differs) : std::nullopt;
    if (!verdict || !verdict->differs) {
      differing_[index].reset();
      continue;
    }
    ++view_.digest_mismatches;
    if (!differing_[index]) differing_[index] = Differing{.since = events.at()};
    // Digests come one member after the other: the one that decides may be on its way.
    const bool may_be_decided =
        verdict->undecided && events.at() - differing_[index]->since <= spec_.detail_interval;
    if (may_be_decided || std::exchange(differing_[index]->told, true)) continue;
    events.tell(EventType::kDigestMismatch, Severity::kCritical, member.name,
                fmt::format("the data of {} differs from the other members' at the same zxid", member.name));
  }

  auto drift = configuration_drift(view_, spec_, events.at());
  tell_drift(view_.drift, drift, events);
  view_.drift = std::move(drift);

  view_.connection_imbalance = connection_imbalance(view_);
  view_.session_imbalance = session_imbalance(view_, events.at());
}

}  // namespace wk::exporter
