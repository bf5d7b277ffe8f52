#include "exporter/view/quorum.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "exporter/view/freshness.h"

namespace wk::exporter {
namespace {

using std::chrono::nanoseconds;

/// A count of followers from here on is taken for a mistake of the source.
constexpr double kImplausibleFollowers = 1000;

/// Voters of the membership that nobody told the exporter of; it can only believe the leader about them.
int unlisted_voters(const EnsembleView& view) {
  const auto listed = std::count_if(view.members.begin(), view.members.end(),
                                    [](const MemberView& member) { return member.voter; });
  return std::max(0, view.voters - static_cast<int>(listed));
}

/// A member that does not say that it is out of service may only be closed to the exporter.
bool out_of_sight(const MemberView& member, const std::optional<Visit>& visit) {
  const bool says_so = visit && visit->says_not_serving;
  return member.state == ServingState::kUnreachable ||
         (member.state == ServingState::kNotServing && !says_so);
}

/// Whether the member serves in the quorum of the present leader.
bool stands_in_quorum(const EnsembleView& view, std::size_t index) {
  const MemberView& member = view.members[index];
  // A deposed leader serves nobody's writes; a follower's zxid may be of the epoch before until the first
  // transaction.
  const bool deposed = member.role == Role::kLeader && view.leader != member.same_as.value_or(index);
  // A server without an ensemble votes for nobody, though it serves.
  const bool apart = member.role == Role::kStandalone && !view.standalone;
  return member.state == ServingState::kServing && !deposed && !apart &&
         (view.leader || view.leader_inferred);
}

}  // namespace

int voters_in_sync(const EnsembleView& view, const Visits& visits, Moment now, nanoseconds unasked) {
  const nanoseconds detection = failure_detection(view) + unasked;
  int first_hand = 0, long_unseen = 0;
  bool leader_may_be_counted = false;  // Who serves without telling a role may be a leader that is inferred.
  for (std::size_t index = 0; index < view.members.size(); ++index) {
    const MemberView& member = view.members[index];
    if (!member.voter) continue;
    if (member.in_sync) {
      ++first_hand;
      leader_may_be_counted |= member.role == Role::kUnknown;
    }
    if (out_of_sight(member, visits[index]) && now - member.state_since > detection) ++long_unseen;
  }
  int in_sync = first_hand;
  if (view.leader) {
    const auto& status = view.members[*view.leader].facts->status.value;
    const auto synced = status ? status->number("synced_followers") : std::nullopt;
    if (synced && *synced >= 0 && *synced < kImplausibleFollowers)
      in_sync +=
          std::clamp(1 + static_cast<int>(*synced) - first_hand, 0, unlisted_voters(view) + long_unseen);
  } else if (view.leader_inferred) {
    if (!leader_may_be_counted) ++in_sync;
    in_sync = std::max(in_sync, view.majority);  // A leader that answers syncs has a quorum.
  }
  return std::min(in_sync, view.voters);
}

int able_voters(const EnsembleView& view) {
  const auto answering = std::count_if(
      view.members.begin(), view.members.end(),
      [](const MemberView& member) { return member.voter && member.state != ServingState::kUnreachable; });
  return unlisted_voters(view) + static_cast<int>(answering);
}

void Quorum::derive(EnsembleView& view, const Visits& visits, bool judged, EventSink& events,
                    nanoseconds unasked) {
  for (std::size_t index = 0; index < view.members.size(); ++index)
    view.members[index].in_sync = stands_in_quorum(view, index);
  view.voters_in_sync = voters_in_sync(view, visits, events.at(), unasked);
  view.quorum_margin = view.voters_in_sync - view.majority;
  if (!judged) return;

  const bool held_before = std::exchange(held_, view.quorum_margin >= 0);
  if (held_before && !held_) {
    lost_at_ = events.at();
    events.tell(EventType::kQuorumLost, Severity::kCritical, "",
                fmt::format("{} of {} voters in sync, {} are needed; {} answer the exporter",
                            view.voters_in_sync, view.voters, view.majority, able_voters(view)));
  } else if (held_ && lost_at_) {
    events.tell(EventType::kQuorumRegained, Severity::kInfo, "",
                fmt::format("{} of {} voters in sync again", view.voters_in_sync, view.voters),
                events.at() - *lost_at_);
    lost_at_.reset();
  }
}

}  // namespace wk::exporter
