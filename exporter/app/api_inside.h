// /api/v1/inside: what Watchkeeper servers tell of their inside, with the names that no metric may carry.
//
// Thread: any; pure.
#pragma once

#include "base/time.h"
#include "exporter/app/json_text.h"
#include "exporter/model/internals.h"
#include "exporter/model/view.h"

namespace wk::exporter {

/// Lists of what stands out and the totals beside them; durations in seconds, rates by the second.
Json inside_json(const ServerInternals& inside, Moment now);

/// The members of one ensemble that told of their inside: /ensemble/NAME/inside.json.
Json inside_table(const EnsembleView& ensemble, Moment now);

/// All members that told of their inside; none for a sidecar, and an empty list.
Json inside_document(const Snapshot& snapshot, Moment now);

}  // namespace wk::exporter
