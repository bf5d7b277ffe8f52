#include "exporter/view/membership.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "exporter/view/freshness.h"

namespace wk::exporter {
namespace {

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

/// The member that tells it.
std::optional<std::size_t> newest_membership(const EnsembleView& view) {
  std::optional<std::size_t> newest;
  std::uint64_t newest_version = 0;
  for (std::size_t index = 0; index < view.members.size(); ++index) {
    const auto& candidate = view.members[index].facts->configuration.value;
    if (!candidate || candidate->membership.empty()) continue;
    const std::uint64_t version = candidate->membership_version.value_or(0);
    if (newest && version <= newest_version) continue;
    newest = index;
    newest_version = version;
  }
  return newest;
}

std::vector<std::string> apply(const std::vector<MembershipEntry>& membership, EnsembleView& view) {
  const bool all_ids_known = std::all_of(view.members.begin(), view.members.end(),
                                         [](const MemberView& member) { return member.id.has_value(); });
  view.voters = static_cast<int>(std::count_if(membership.begin(), membership.end(),
                                               [](const MembershipEntry& entry) { return entry.voter; }));
  std::vector<std::string> unlisted;
  for (const MembershipEntry& entry : membership) {
    const auto listed = std::find_if(view.members.begin(), view.members.end(), [&](const MemberView& member) {
      return (member.id && *member.id == entry.id) || (!member.id && entry.client_address == member.name);
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
  for (MemberView& member : view.members) {
    const auto& status = member.facts->status.value;
    if (status && status->role == Role::kObserver) member.voter = false;
    if (status && (status->role == Role::kFollower || status->role == Role::kLeader)) member.voter = true;
    if (status && status->number("quorum_size")) told = status->number("quorum_size");
    if (member.voter) ++listed_voters;
  }
  view.voters =
      told && *told >= 1 && *told < kImplausibleQuorumSize ? static_cast<int>(*told) : listed_voters;
}

}  // namespace

std::vector<std::string> derive_membership(EnsembleView& view, const EnsembleSpec& spec, Moment now) {
  learn_ids(view);
  std::vector<std::string> unlisted;
  if (const auto newest = newest_membership(view)) {
    const Dated<ConfigurationAnswer>& told = view.members[*newest].facts->configuration;
    unlisted = apply(told.value->membership, view);
    if (now - told.at <= detail_freshness(spec, *newest)) retire_unlisted(told.value->membership, view);
  } else {
    count_voters_by_role(view);
  }

  const auto alone = view.members.size() == 1 ? view.members.front().facts : nullptr;
  view.standalone = alone && alone->status.value && alone->status.value->role == Role::kStandalone;
  if (view.standalone) view.voters = 1;
  view.majority = view.voters / 2 + 1;
  return unlisted;
}

}  // namespace wk::exporter
