#include "server/quorum/verifier.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace wk::quorum {

Verifier Verifier::majority(std::span<const ServerId> voters) {
  // A majority is the hierarchy with one group in which everyone weighs 1.
  Verifier verifier;
  for (const ServerId voter : voters) {
    verifier.group_of_[voter] = 0;
    verifier.weights_[voter] = 1;
  }
  verifier.group_weights_[0] = static_cast<std::int64_t>(verifier.group_of_.size());
  return verifier;
}

Result<Verifier> Verifier::hierarchical(std::span<const ServerId> voters, std::span<const Group> groups,
                                        const std::map<ServerId, std::int64_t>& weights) {
  const auto invalid = [](std::string message) { return Error{Errc::kInvalidInput, std::move(message)}; };
  const std::set<ServerId> known(voters.begin(), voters.end());
  Verifier verifier;
  verifier.hierarchical_ = true;
  for (const Group& group : groups) {
    if (!verifier.group_weights_.emplace(group.id, 0).second)
      return invalid(fmt::format("group.{} is given twice; merge the two lines", group.id));
    for (const ServerId member : group.members) {
      if (!known.contains(member))
        return invalid(fmt::format(
            "group.{} names server {}, which is not a participant; add server.{} or remove it from "
            "the group",
            group.id, member.value, member.value));
      if (!verifier.group_of_.emplace(member, group.id).second)
        return invalid(fmt::format("server {} stands in two groups ({} and {}); leave it in one",
                                   member.value, verifier.group_of_.at(member), group.id));
      const auto given = weights.find(member);
      const std::int64_t weight = given == weights.end() ? 1 : given->second;
      // Server weights are small by nature; the bound keeps their sum from overflowing.
      if (weight < 0 || weight > std::numeric_limits<std::int32_t>::max())
        return invalid(fmt::format("weight.{}={} is outside 0 … {}", member.value, weight,
                                   std::numeric_limits<std::int32_t>::max()));
      verifier.weights_[member] = weight;
      verifier.group_weights_[group.id] += weight;
    }
  }
  for (const ServerId voter : known)
    if (!verifier.group_of_.contains(voter))
      return invalid(fmt::format("server {} stands in no group; add it to a group.<id> line", voter.value));
  return verifier;
}

bool Verifier::contains_quorum(std::span<const ServerId> servers) const {
  std::map<std::int64_t, std::int64_t> present;
  std::set<ServerId> counted;
  for (const ServerId server : servers)
    if (is_voter(server) && counted.insert(server).second) present[group_of_.at(server)] += weight(server);
  std::size_t counting_groups = 0;
  std::size_t held_groups = 0;
  for (const auto& [group, total] : group_weights_) {
    if (total == 0) continue;
    ++counting_groups;
    const auto held = present.find(group);
    if (held != present.end() && held->second > total / 2) ++held_groups;
  }
  return held_groups > counting_groups / 2;
}

std::int64_t Verifier::weight(ServerId server) const {
  const auto weight = weights_.find(server);
  return weight == weights_.end() ? 0 : weight->second;
}

std::vector<ServerId> Verifier::voters() const {
  std::vector<ServerId> all;
  all.reserve(group_of_.size());
  for (const auto& [server, group] : group_of_) all.push_back(server);
  return all;
}

}  // namespace wk::quorum
