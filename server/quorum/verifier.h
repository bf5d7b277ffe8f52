// Who counts: decides whether a set of servers is a quorum, by majority or by weighted groups.
//
// Pure set arithmetic; immutable once made. Servers are kept in ascending order, so every answer is
// deterministic. A standalone server is a majority verifier with one voter. Thread: any.
// Source: QuorumMaj.java, QuorumHierarchical.java; reference quorum-protocol "Quorum verifiers".
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/ids.h"

namespace wk::quorum {

/// One group of a hierarchical configuration: `group.<id>=<members>`.
struct Group {
  std::int64_t id = 0;
  std::vector<ServerId> members;
};

class Verifier {
 public:
  /// Majority of `voters`: more than half of them.
  static Verifier majority(std::span<const ServerId> voters);

  /// Weighted groups: a majority of the groups (those of total weight zero do not count), each with more than
  /// half of its weight.
  /// \param weights  `weight.<server>`; a member without one weighs 1
  /// \return  kInvalidInput when a voter stands in no group or in two, a member is no voter, a group id
  /// repeats
  ///          or a weight is negative
  static Result<Verifier> hierarchical(std::span<const ServerId> voters, std::span<const Group> groups,
                                       const std::map<ServerId, std::int64_t>& weights);

  /// True when `servers` hold a quorum. Servers that are no voters, and repetitions, do not count.
  [[nodiscard]] bool contains_quorum(std::span<const ServerId> servers) const;
  [[nodiscard]] bool is_voter(ServerId server) const { return group_of_.contains(server); }
  /// 0 for a server that is no voter. A voter of weight 0 may vote but not lead.
  [[nodiscard]] std::int64_t weight(ServerId server) const;
  /// In ascending order.
  [[nodiscard]] std::vector<ServerId> voters() const;
  [[nodiscard]] std::size_t size() const { return group_of_.size(); }
  [[nodiscard]] bool is_hierarchical() const { return hierarchical_; }

 private:
  Verifier() = default;

  std::map<ServerId, std::int64_t> group_of_;
  std::map<ServerId, std::int64_t> weights_;
  std::map<std::int64_t, std::int64_t> group_weights_;
  bool hierarchical_ = false;
};

}  // namespace wk::quorum
