// What the ensemble's performance is limited by now.
//
// Thread: any; pure.
#pragma once

#include <string>
#include <vector>

#include "exporter/model/view.h"
#include "exporter/view/member_trend.h"

namespace wk::exporter {

struct Limit {
  std::string what;    ///< "nothing", "unknown", "no quorum", "no service", "disk of zk2:2181", …
  std::string reason;  ///< the numbers behind it
};

/// The first limit that shows: no service, a member's own limits and disk, its request queue and replication.
/// Reads serving, the voters, and the members' states, facts and lag.
/// \param trends  by member
/// \param judged  every member was visited; nothing is known of limits before
Limit performance_limit(const EnsembleView& view, const std::vector<MemberTrend>& trends, bool judged,
                        Moment now);

}  // namespace wk::exporter
