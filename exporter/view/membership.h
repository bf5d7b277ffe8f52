// Who belongs to the ensemble: ids, voters and observers, the majority, and servers that nobody configured.
//
// Thread: any; pure.
#pragma once

#include <string>
#include <vector>

#include "exporter/model/view.h"

namespace wk::exporter {

/// Reads the members' facts: the newest membership that any of them tells, of those who tell it now if some
/// do, else what their roles and the leader's quorum_size say. Reads addresses and states, too. Writes each
/// member's id, voter and same_as, and standalone, voters and majority. A member whose id is unknown votes by
/// its role.
/// What was learned once stays while nothing contradicts it; a membership that is fresh contradicts that a
/// member whose id it does not list is a voter.
/// \return  "server N (HOST:PORT)" for each server of the membership that is not configured; none while the
///          id of a configured member is unknown, since it may be that one
std::vector<std::string> derive_membership(EnsembleView& view, Moment now);

}  // namespace wk::exporter
