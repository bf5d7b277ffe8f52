#include "exporter/view/leader_claims.h"

#include <algorithm>

namespace wk::exporter {
namespace {

using std::chrono::nanoseconds;

std::vector<LeaderClaim> all_claims(const EnsembleView& view, const Visits& visits) {
  std::vector<LeaderClaim> claims;
  for (std::size_t index = 0; index < visits.size(); ++index) {
    const MemberView& member = view.members[index];
    if (member.same_as || member.state != ServingState::kServing || !visits[index] ||
        !visits[index]->status_ok)
      continue;
    const Visit& visit = *visits[index];
    const Role role = visit.role_at_zxid ? visit.role_at_zxid->role : member.facts->status.value->role;
    if (role != Role::kLeader && !(view.standalone && role == Role::kStandalone)) continue;
    claims.push_back(
        {.member = index,
         .epoch = visit.role_at_zxid ? std::optional(visit.role_at_zxid->zxid.epoch()) : std::nullopt,
         .visit_started = visit.started,
         .at = visit.finished});
  }
  return claims;
}

void take_later(std::optional<LeaderClaim>& latest, const LeaderClaim& claim) {
  if (!latest || claim.at - latest->at > nanoseconds{0}) latest = claim;
}

}  // namespace

LeaderClaims leader_claims(const EnsembleView& view, const Visits& visits, std::optional<Epoch> known) {
  const std::vector<LeaderClaim> claims = all_claims(view, visits);
  LeaderClaims result;
  for (const LeaderClaim& claim : claims) result.shown = std::max(result.shown, claim.epoch);
  // A follower that serves a newer epoch shows its leader's; a server without an ensemble shows nobody's.
  for (const MemberView& member : view.members)
    if (member.state == ServingState::kServing && member.zxid &&
        (view.standalone || member.role != Role::kStandalone))
      result.shown = std::max(result.shown, std::optional(member.zxid->epoch()));
  result.newest = std::max(result.shown, known);

  std::optional<LeaderClaim> without_epoch;
  for (const LeaderClaim& claim : claims) {
    if (!claim.epoch) {
      take_later(without_epoch, claim);
    } else if (claim.epoch != result.newest) {
      result.deposed.push_back(claim);
    } else {
      ++result.leaders;
      take_later(result.leader, claim);
    }
  }
  // Without epochs two claims cannot be told from a change.
  if (!result.leader && without_epoch) {
    result.leader = without_epoch;
    result.leaders = 1;
  }
  return result;
}

}  // namespace wk::exporter
