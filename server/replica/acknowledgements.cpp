#include "server/replica/acknowledgements.h"

#include <utility>
#include <vector>

namespace wk::replica {

Acknowledgements::Acknowledgements(quorum::Verifier voters, Zxid start)
    : voters_(std::move(voters)), committed_(start) {}

void Acknowledgements::record(ServerId server, Zxid zxid) {
  if (!voters_.is_voter(server)) return;
  Zxid& reached = reached_[server];
  if (zxid <= reached) return;
  reached = zxid;
  // The highest number that a quorum has reached is one that some voter has named.
  for (const auto& [candidate_server, candidate] : reached_) {
    if (candidate <= committed_) continue;
    std::vector<ServerId> there;
    for (const auto& [voter, voter_reached] : reached_)
      if (voter_reached >= candidate) there.push_back(voter);
    if (voters_.contains_quorum(there)) committed_ = candidate;
  }
}

Zxid Acknowledgements::acknowledged(ServerId server) const {
  const auto reached = reached_.find(server);
  return reached == reached_.end() ? Zxid{} : reached->second;
}

}  // namespace wk::replica
