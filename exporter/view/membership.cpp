#include "exporter/view/membership.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace wk::exporter {
namespace {

using std::chrono::nanoseconds;

/// A quorum_size from here on is taken for a mistake of the source.
constexpr double kImplausibleQuorumSize = 1000;

void learn_ids(EnsembleView& view) {
  for (MemberView& member : view.members) {
    const MemberFacts& facts = *member.facts;
    if (facts.configuration.value && facts.configuration.value->server_id)
      member.id = facts.configuration.value->server_id;
    else if (facts.zab.value && facts.zab.value->my_id)
      member.id = facts.zab.value->my_id;
  }
}

/// Of two names of one server the first one counts, or the first through which it is reached.
void find_listed_twice(EnsembleView& view) {
  for (MemberView& member : view.members) {
    member.same_as.reset();
    if (!member.id || member.address.empty()) continue;
    std::optional<std::size_t> counts;
    for (std::size_t index = 0; index < view.members.size(); ++index) {
      const MemberView& other = view.members[index];
      if (other.id != member.id || other.address != member.address) continue;
      const bool reached = other.state != ServingState::kUnreachable;
      if (!counts || (reached && view.members[*counts].state == ServingState::kUnreachable)) counts = index;
    }
    if (&view.members[*counts] != &member) member.same_as = counts;
  }
}

bool is_fresh(const EnsembleView& view, std::size_t member, Moment now) {
  return now - view.members[member].facts->configuration.at <= view.members[member].detail_fresh_for;
}

/// Whether the membership that member `index` tells counts more than that of `best`, which stands before it.
/// A member that died tells nothing new: a version that rose since, or equal ones of static configurations.
bool is_newer(const EnsembleView& view, std::size_t index, std::size_t best, Moment now) {
  const Dated<ConfigurationAnswer>& one = view.members[index].facts->configuration;
  const Dated<ConfigurationAnswer>& other = view.members[best].facts->configuration;
  if (const bool fresh = is_fresh(view, index, now); fresh != is_fresh(view, best, now)) return fresh;
  const std::uint64_t version = one.value->membership_version.value_or(0);
  const std::uint64_t before = other.value->membership_version.value_or(0);
  if (version != before) return version > before;
  return !is_fresh(view, index, now) && one.at - other.at > nanoseconds{0};
}

/// The member that tells it.
std::optional<std::size_t> newest_membership(const EnsembleView& view, Moment now) {
  std::optional<std::size_t> newest;
  for (std::size_t index = 0; index < view.members.size(); ++index) {
    const auto& candidate = view.members[index].facts->configuration.value;
    if (!candidate || candidate->membership.empty()) continue;
    if (!newest || is_newer(view, index, *newest, now)) newest = index;
  }
  return newest;
}

/// A member says by its role whether it votes.
void vote_by_role(MemberView& member) {
  const auto& status = member.facts->status.value;
  if (status && status->role == Role::kObserver) member.voter = false;
  if (status && (status->role == Role::kFollower || status->role == Role::kLeader)) member.voter = true;
}

std::vector<std::string> apply(const std::vector<MembershipEntry>& membership, EnsembleView& view) {
  const bool all_ids_known = std::all_of(view.members.begin(), view.members.end(),
                                         [](const MemberView& member) { return member.id.has_value(); });
  view.voters = static_cast<int>(std::count_if(membership.begin(), membership.end(),
                                               [](const MembershipEntry& entry) { return entry.voter; }));
  std::vector<std::string> unlisted;
  for (const MembershipEntry& entry : membership) {
    const auto listed = std::find_if(view.members.begin(), view.members.end(), [&](const MemberView& member) {
      return !member.same_as &&
             ((member.id && *member.id == entry.id) || (!member.id && entry.client_address == member.name));
    });
    if (listed != view.members.end()) {
      listed->voter = entry.voter;
      if (!listed->id) listed->id = entry.id;
    } else if (all_ids_known) {
      unlisted.push_back(fmt::format("server {} ({})", entry.id.value,
                                     entry.client_address.empty()
                                         ? fmt::format("{}, quorum port {}", entry.host, entry.quorum_port)
                                         : entry.client_address));
    }
  }
  for (MemberView& member : view.members)
    if (!member.id) vote_by_role(member);
  return unlisted;
}

void retire_unlisted(const std::vector<MembershipEntry>& membership, EnsembleView& view) {
  for (MemberView& member : view.members)
    if (member.id && std::none_of(membership.begin(), membership.end(),
                                  [&](const MembershipEntry& entry) { return entry.id == *member.id; }))
      member.voter = false;
}

/// Nobody tells the membership: members say by their roles whether they vote, and a leader knows the size of
/// its quorum.
void count_voters_by_role(EnsembleView& view) {
  int listed_voters = 0;
  std::optional<double> told;
  Moment told_at;
  for (MemberView& member : view.members) {
    vote_by_role(member);
    if (member.voter && !member.same_as) ++listed_voters;
    const Dated<StatusAnswer>& status = member.facts->status;
    const auto size = status.value ? status.value->number("quorum_size") : std::nullopt;
    if (!size || (told && status.at - told_at < nanoseconds{0})) continue;
    told = size;
    told_at = status.at;
  }
  view.voters =
      told && *told >= 1 && *told < kImplausibleQuorumSize ? static_cast<int>(*told) : listed_voters;
}

}  // namespace

std::vector<std::string> derive_membership(EnsembleView& view, Moment now) {
  learn_ids(view);
  find_listed_twice(view);
  std::vector<std::string> unlisted;
  if (const auto newest = newest_membership(view, now)) {
    const auto& told = view.members[*newest].facts->configuration.value;
    unlisted = apply(told->membership, view);
    if (is_fresh(view, *newest, now)) retire_unlisted(told->membership, view);
  } else {
    count_voters_by_role(view);
  }
  for (MemberView& member : view.members)
    if (member.same_as) member.voter = false;

  const auto alone = view.members.size() == 1 ? view.members.front().facts : nullptr;
  view.standalone = alone && alone->status.value && alone->status.value->role == Role::kStandalone;
  if (view.standalone) view.voters = 1;
  view.majority = view.voters / 2 + 1;
  return unlisted;
}

}  // namespace wk::exporter
