// How long what a member said may be believed.
//
// Thread: any; pure.
#pragma once

#include <chrono>
#include <cstddef>

#include "exporter/model/target.h"
#include "exporter/model/view.h"

namespace wk::exporter {

/// Age up to which the newest visit to a member tells its present: three visits may fail or be late.
/// \param member  index into the members of `spec`
std::chrono::nanoseconds freshness(const EnsembleSpec& spec, std::size_t member);

/// The same for what is asked each detail interval only (configuration, digests).
std::chrono::nanoseconds detail_freshness(const EnsembleSpec& spec, std::size_t member);

/// Time after which a leader has dropped a follower that died silently, and a follower its leader: twice the
/// longest syncLimit × tickTime that a member tells, 20 s while none does.
/// Source: reference "Parse rules", limits derived from tickTime.
std::chrono::nanoseconds failure_detection(const EnsembleView& view);

}  // namespace wk::exporter
