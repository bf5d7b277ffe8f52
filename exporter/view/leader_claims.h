// Who says that it leads, compared by epoch: two answers of different moments are never added.
//
// Thread: any; pure.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "exporter/model/view.h"
#include "exporter/view/intake.h"

namespace wk::exporter {

/// A member that serves and answered as leader (or as standalone server, a quorum of one).
struct LeaderClaim {
  std::size_t member = 0;
  std::optional<Epoch> epoch;  ///< told by the same answer; absent when its sources tell no zxid
  Moment visit_started, at;    ///< of the visit that brought it
};

struct LeaderClaims {
  std::optional<Epoch> shown;         ///< newest that any serving member shows
  std::optional<Epoch> newest;        ///< that any serving member shows, or that was known before
  std::optional<LeaderClaim> leader;  ///< the latest claim to the newest epoch, else the latest without one
  int leaders = 0;                    ///< claims to the newest epoch; 1 when `leader` tells none
  std::vector<LeaderClaim> deposed;   ///< claims to older epochs
};

/// A claim without an epoch counts only when no other names the leader: the member may have told it just
/// before another was elected.
/// Reads the members' states, zxids, facts and same_as, and standalone: a server that is listed twice claims
/// once. \param known  the newest epoch that was known to have a leader
LeaderClaims leader_claims(const EnsembleView& view, const Visits& visits, std::optional<Epoch> known);

}  // namespace wk::exporter
