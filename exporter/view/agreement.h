// How far the members agree: zxids, digests of the data tree, and shares of the load.
//
// Thread: any; pure: every function is of the view alone.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "exporter/model/target.h"
#include "exporter/model/view.h"

namespace wk::exporter {

/// Transactions that each member is behind the newest zxid that a serving member had shown when it answered;
/// at least so many when it is of an older epoch. Absent for members that do not serve or do not tell, and
/// without a quorum to lag in.
std::vector<std::optional<std::uint64_t>> lags(const EnsembleView& view);

struct DigestVerdict {
  bool differs = false;
  bool undecided = false;  ///< evenly split, and no leader tells a digest there: all of them differ
};

/// Whether each member's digest differs from the majority's at the newest zxid that another member has a
/// digest of, too; the leader's is the reference when the members are evenly split.
/// Absent for members without a fresh digest, or without one at a common zxid.
std::vector<std::optional<DigestVerdict>> digest_verdicts(const EnsembleView& view, const EnsembleSpec& spec,
                                                          Moment now);

/// Most connections of a serving member ÷ their mean; absent below two members that tell, and without any.
std::optional<double> connection_imbalance(const EnsembleView& view);

/// The same for connections with a session, of the members that told them lately.
std::optional<double> session_imbalance(const EnsembleView& view, Moment now);

}  // namespace wk::exporter
