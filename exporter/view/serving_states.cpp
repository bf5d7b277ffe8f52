#include "exporter/view/serving_states.h"

#include <fmt/format.h>

#include <utility>

#include "exporter/model/internals.h"
#include "exporter/view/conclusions.h"
#include "exporter/view/freshness.h"

namespace wk::exporter {
namespace {

using std::chrono::nanoseconds;

bool fresh(const std::optional<Visit>& visit, nanoseconds believed, Moment now) {
  return visit && now - visit->finished <= believed;
}

Standing standing_of_status(const StatusAnswer& status) {
  Standing standing{
      .state = ServingState::kServing, .reason = {}, .role = status.role, .phase = status.phase};
  if (status.role == Role::kReadOnly) {
    standing.state = ServingState::kReadOnly;
    standing.reason = "serves read-only clients without a quorum";
  } else if (status.phase == ZabPhase::kElection) {
    standing.state = ServingState::kLooking;
    standing.reason = "is in leader election";
  } else if (status.phase == ZabPhase::kDiscovery || status.phase == ZabPhase::kSynchronization) {
    standing.state = ServingState::kSyncing;
    standing.reason = fmt::format("is in {} with its leader", name(status.phase));
  } else {
    standing.reason =
        status.role == Role::kUnknown ? "serves" : fmt::format("serves as {}", name(status.role));
  }
  return standing;
}

/// Takes the state over into the view and tells the change, if it is one.
void enter(MemberView& member, ServingState state, std::string reason, EventSink& events) {
  member.state_reason = std::move(reason);
  if (member.state == state) return;
  const ServingState before = std::exchange(member.state, state);
  const nanoseconds lasted = events.at() - std::exchange(member.state_since, events.at());
  if (member.polls <= 1) return;  // Learning the state for the first time is not a change of it.
  ++member.state_changes;
  if (state == ServingState::kUnreachable)
    events.tell(EventType::kMemberLost, Severity::kWarning, member.name,
                fmt::format("{} is lost: {}", member.name, member.state_reason));
  else if (before == ServingState::kUnreachable)
    events.tell(
        EventType::kMemberRegained, Severity::kInfo, member.name,
        fmt::format("{} answers again after {} and is {}", member.name, duration_text(lasted), name(state)),
        lasted);
  else
    events.tell(
        EventType::kMemberStateChanged,
        state == ServingState::kServing ? Severity::kInfo : Severity::kWarning, member.name,
        fmt::format("{} went from {} to {}: {}", member.name, name(before), name(state), member.state_reason),
        lasted);
}

}  // namespace

Standing standing_of(const Visit& visit, const MemberFacts& facts, const Surroundings& surroundings) {
  if (facts.internals && !facts.internals->serves_nobody.empty())
    return {.state = ServingState::kNotServing, .reason = facts.internals->serves_nobody};
  if (visit.status_ok) return standing_of_status(*facts.status.value);
  if (visit.says_not_serving) {
    switch (visit.zab_phase) {
      case ZabPhase::kElection:
        return {ServingState::kLooking, "is in leader election", Role::kUnknown, visit.zab_phase};
      case ZabPhase::kDiscovery:
      case ZabPhase::kSynchronization:
        return {ServingState::kSyncing, fmt::format("is in {} with its leader", name(visit.zab_phase)),
                Role::kUnknown, visit.zab_phase};
      case ZabPhase::kUnknown:
      case ZabPhase::kBroadcast:
        break;
    }
    if (surroundings.alone)
      return {.state = ServingState::kNotServing, .reason = "says that it is not serving"};
    if (surroundings.somebody_leads)
      return {.state = ServingState::kNotServing,
              .reason = "says that it is not serving, while another member leads"};
    return {.state = ServingState::kLooking,
            .reason = "says that it is not serving, and nobody leads: it looks for a leader"};
  }
  if (surroundings.canary_serves)
    return {.state = ServingState::kServing,
            .reason = fmt::format("serves the canary, though it {}", visit.trouble)};
  const bool process_lives = visit.process_answers || visit.client_port == SourceState::kClosed;
  return {.state = process_lives ? ServingState::kNotServing : ServingState::kUnreachable,
          .reason = visit.trouble};
}

void ServingStates::derive(EnsembleView& view, const Visits& visits, const EnsembleSpec& spec,
                           EventSink& events, nanoseconds unasked) {
  const Moment now = events.at();
  // Whether some member leads decides how to read "not serving", so the claims come first.
  Surroundings surroundings;
  surroundings.alone = visits.size() == 1 && view.voters <= 1;
  for (std::size_t index = 0; index < visits.size(); ++index)
    surroundings.somebody_leads |= fresh(visits[index], freshness(spec, index) + unasked, now) &&
                                   visits[index]->status_ok &&
                                   view.members[index].facts->status.value->role == Role::kLeader;

  for (std::size_t index = 0; index < visits.size(); ++index) {
    MemberView& member = view.members[index];
    member.role = Role::kUnknown;
    member.phase = ZabPhase::kUnknown;
    member.zxid.reset();
    if (!visits[index]) continue;
    const Visit& visit = *visits[index];
    const nanoseconds believed = freshness(spec, index) + unasked;
    if (!fresh(visits[index], believed, now)) {
      const std::string silence = duration_text(now - visit.finished);
      // A server that tells of itself is not visited: its core reports.
      std::string reason = fmt::format("no visit has finished for {}", silence);
      if (member.facts->internals)
        reason = fmt::format("has not reported for {}, so its core thread hangs", silence);
      enter(member, ServingState::kUnreachable, std::move(reason), events);
      continue;
    }
    if (member.facts->zxid.value && now - member.facts->zxid.at <= believed)
      member.zxid = member.facts->zxid.value;
    // Operations that succeeded after the newest visit began tell more than a word that was not answered.
    const auto& sync_ok = member.canary.last_sync_ok;
    surroundings.canary_serves =
        sync_ok && now - *sync_ok <= believed && *sync_ok - visit.started > nanoseconds{0};

    Standing standing = standing_of(visit, *member.facts, surroundings);
    member.role = standing.role;
    member.phase = standing.phase;
    enter(member, standing.state, std::move(standing.reason), events);
    if (member.role == Role::kUnknown || member.state != ServingState::kServing) continue;
    auto& last = last_role_[index];
    if (last && *last != member.role)
      events.tell(EventType::kRoleChanged, Severity::kInfo, member.name,
                  fmt::format("{} went from {} to {}", member.name, name(*last), name(member.role)));
    last = member.role;
  }
}

}  // namespace wk::exporter
