#include "exporter/view/leadership.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "exporter/view/conclusions.h"
#include "exporter/view/freshness.h"

namespace wk::exporter {
namespace {

using std::chrono::nanoseconds;

/// Most elections that one step of the epoch is counted as.
constexpr std::uint32_t kElectionsAtOnceMax = 1000;

/// Voters that serve in a quorum, as they say.
std::ptrdiff_t serving_voters(const EnsembleView& view) {
  return std::count_if(view.members.begin(), view.members.end(), [](const MemberView& member) {
    return member.voter && member.state == ServingState::kServing && member.role != Role::kStandalone;
  });
}

/// Whoever serves under a leader shows that there is one. Observers do, too, though they have no vote.
bool somebody_follows(const EnsembleView& view) {
  return std::any_of(view.members.begin(), view.members.end(), [](const MemberView& member) {
    return member.state == ServingState::kServing && member.role != Role::kStandalone;
  });
}

bool synced_within(const EnsembleView& view, nanoseconds age, Moment now) {
  return std::any_of(view.members.begin(), view.members.end(), [&](const MemberView& member) {
    return member.canary.last_sync_ok && now - *member.canary.last_sync_ok <= age;
  });
}

/// The newest sync that a leader answered. A standalone server answers one by itself, so it proves no leader.
std::optional<Moment> newest_sync(const EnsembleView& view) {
  std::optional<Moment> newest;
  for (const MemberView& member : view.members) {
    const auto& sync = member.canary.last_sync_ok;
    if (sync && member.role != Role::kStandalone && (!newest || *sync - *newest > nanoseconds{0}))
      newest = sync;
  }
  return newest;
}

std::string epoch_text(const EnsembleView& view) {
  return view.epoch ? fmt::format(" epoch {}", view.epoch->value) : "";
}

}  // namespace

std::optional<Moment> Leadership::leaderless_since() const {
  return hidden_since_ ? std::nullopt : gap_began_;
}

bool Leadership::epoch_passed(const EnsembleView& view) const {
  return view.epoch && last_epoch_ && *view.epoch > *last_epoch_;
}

std::optional<nanoseconds> Leadership::untold_gap(Moment now) const {
  if (!gap_began_) return std::nullopt;
  return hidden_since_.value_or(now) - *gap_began_;
}

void Leadership::derive(EnsembleView& view, const Visits& visits, const EnsembleSpec& spec, bool judged,
                        Moment previous, EventSink& events, nanoseconds unasked) {
  const Moment now = events.at();
  LeaderClaims claims = leader_claims(view, visits, last_epoch_);
  const bool anew = began_anew(view, claims);
  if (anew) {
    last_epoch_.reset();
    lower_.reset();
    claims = leader_claims(view, visits, last_epoch_);
  }
  judge_split(view, claims, events);

  view.leader.reset();
  view.leader_inferred = false;
  if (claims.leader) return named(view, *claims.leader, anew, events);
  if (!judged) return;

  // Nobody whom the exporter can ask leads. A sync that succeeded since the leader failed to answer shows
  // one.
  if (!silent_since_)
    silent_since_ = last_leader_ ? visits[*last_leader_]->started : seen_.value_or(previous);
  const auto followers = serving_voters(view);
  const bool followed = followers > 0 && synced_within(view, freshness(spec, 0) + unasked, now);
  // Without a canary: followers that serve for longer than their failure detector takes have a leader, seen
  // or not.
  const bool outlasted = spec.canary == CanaryMode::kOff && somebody_follows(view) &&
                         followers + 1 >= view.majority &&
                         now - *silent_since_ > failure_detection(view) + unasked;
  const auto synced = newest_sync(view);
  if ((followed && synced && *synced - *silent_since_ > nanoseconds{0}) || outlasted) {
    proven_at_ = outlasted ? now : *synced;
    view.leader_inferred = true;
    if (claims.newest) view.epoch = claims.newest;
    return hidden(view, spec, events);
  }
  // A process that is not listening any more is gone; one that is silent may only be cut off from the
  // exporter, which the canary finds out with its next round.
  const bool silent = last_leader_ && visits[*last_leader_]->client_port == SourceState::kTimedOut;
  const nanoseconds grace = 2 * spec.interval + spec.members.front().timeout + unasked;
  if (followed && silent && leader_known() && now - *seen_ <= grace) {
    view.leader_inferred = true;
    return;
  }
  missing(view, events);
}

void Leadership::judge_split(EnsembleView& view, const LeaderClaims& claims, EventSink& events) const {
  view.leaders = claims.leaders;
  view.deposed_leaders = static_cast<int>(claims.deposed.size());
  // Only a visit that began after the new leader was known shows a deposed leader that still answers; and
  // only beside somebody who still shows the newer epoch.
  const bool deposed_answers =
      claims.shown == claims.newest && last_epoch_ == claims.newest && elected_at_ &&
      std::any_of(claims.deposed.begin(), claims.deposed.end(), [&](const LeaderClaim& claim) {
        return claim.visit_started - *elected_at_ > nanoseconds{0};
      });
  const bool split = view.leaders > 1 || deposed_answers;
  if (split && !view.split_brain)
    events.tell(
        EventType::kSplitBrain, Severity::kCritical, "",
        view.leaders > 1
            ? fmt::format("{} members lead epoch {} at the same time", view.leaders, claims.newest->value)
            : fmt::format("a deposed leader still answers while {} leads epoch {}",
                          claims.leader ? view.members[claims.leader->member].name : "another member",
                          claims.newest->value));
  view.split_brain = split;
}

bool Leadership::began_anew(const EnsembleView& view, const LeaderClaims& claims) {
  std::optional<LeaderClaim> lower;
  if (claims.shown < claims.newest)
    for (const LeaderClaim& claim : claims.deposed)
      if (claim.epoch == claims.shown &&
          (!lower || claim.visit_started - lower->visit_started > nanoseconds{0}))
        lower = claim;
  const bool majority_serves = view.standalone || serving_voters(view) >= view.majority;
  if (!lower || !majority_serves) {
    lower_.reset();
    return false;
  }
  if (!lower_ || lower_->epoch != lower->epoch) lower_ = lower;
  // A leader whose voters follow another steps down within syncLimit. Nobody can depose a standalone server.
  // The followers' epochs prove nothing: they show the former one until the first transaction.
  return view.standalone || lower->visit_started - lower_->visit_started > failure_detection(view);
}

void Leadership::named(EnsembleView& view, const LeaderClaim& claim, bool anew, EventSink& events) {
  view.leader = claim.member;
  if (claim.epoch) view.epoch = claim.epoch;
  const MemberView& leader = view.members[claim.member];
  const auto gap = untold_gap(events.at());
  const bool another = last_leader_ && claim.member != *last_leader_;
  const bool elected = anew || (elected_at_ ? epoch_passed(view) || another : gap.has_value());
  if (elected) {
    // A change between two visits was an outage as well: it lasted at most since the old leader last
    // answered.
    if (!gap && last_leader_)
      events.tell(EventType::kLeaderLost, Severity::kWarning, view.members[*last_leader_].name,
                  fmt::format("{} no longer leads", view.members[*last_leader_].name));
    const nanoseconds duration = gap.value_or(events.at() - seen_.value_or(events.at()));
    count_election(view, duration);
    events.tell(EventType::kLeaderElected, Severity::kInfo, leader.name,
                fmt::format("{} leads{}, after {} without a leader", leader.name, epoch_text(view),
                            duration_text(duration)),
                duration);
  } else if (gap) {
    events.tell(EventType::kLeaderElected, Severity::kInfo, leader.name,
                fmt::format("{} leads{} as before, {} after it was last known to", leader.name,
                            epoch_text(view), duration_text(*gap)),
                gap);
  }
  if (elected || !elected_at_) elected_at_ = events.at();
  last_leader_ = claim.member;
  if (view.epoch) last_epoch_ = view.epoch;
  seen_ = claim.at;
  silent_since_.reset();
  proven_at_.reset();
  gap_began_.reset();
  hidden_since_.reset();
  view.leader_id = leader.id;
}

void Leadership::hidden(EnsembleView& view, const EnsembleSpec& spec, EventSink& events) {
  // Whoever leads will usually answer within the round; until then its election is not told, nor its epoch
  // taken for known. Only a leader that stays hidden is worth an event of its own. While one claims a lower
  // epoch, the evidence may be of that one.
  seen_ = events.at();
  if (!hidden_since_) hidden_since_ = events.at();
  const auto gap = untold_gap(events.at());
  const bool passed = epoch_passed(view);
  const bool stays_hidden = events.at() - *hidden_since_ > spec.interval + spec.members.front().timeout;
  if (!stays_hidden || lower_ || !(gap || passed)) return;
  const nanoseconds duration = gap.value_or(nanoseconds{0});
  events.tell(EventType::kLeaderElected, Severity::kInfo, "",
              fmt::format("a leader serves{}, though it does not answer the exporter itself",
                          view.epoch ? fmt::format(" in{}", epoch_text(view)) : ""),
              duration);
  count_election(view, duration);
  if (passed) last_leader_.reset();
  last_epoch_ = view.epoch;
  gap_began_.reset();
  view.leader_id.reset();
}

void Leadership::missing(EnsembleView& view, EventSink& events) {
  view.leader_id.reset();
  const bool was_known = leader_known();
  // What was asked of the leader at silent_since_ was not answered: the gap began then, not now; or when the
  // evidence for a hidden one ended.
  if (!leaderless_since()) {
    const bool proven = proven_at_ && *proven_at_ - *silent_since_ > nanoseconds{0};
    gap_began_ = !was_known ? events.at() : proven ? proven_at_ : silent_since_;
  }
  hidden_since_.reset();
  if (!was_known) return;
  const std::string who = last_leader_ ? view.members[*last_leader_].name : "the leader";
  events.tell(EventType::kLeaderLost, Severity::kCritical, last_leader_ ? who : "",
              fmt::format("no leader: {} {}", who,
                          last_leader_ ? view.members[*last_leader_].state_reason : "is gone"));
}

void Leadership::count_election(EnsembleView& view, nanoseconds duration) {
  view.elections +=
      epoch_passed(view) ? std::min(view.epoch->value - last_epoch_->value, kElectionsAtOnceMax) : 1;
  if (elected_at_) ++view.leader_changes;
  view.election_duration.record(duration);
}

}  // namespace wk::exporter
