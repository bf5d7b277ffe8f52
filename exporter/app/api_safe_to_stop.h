// GET /api/v1/safe-to-stop: may this member be stopped now? For preStop hooks and people with a maintenance
// window.
//
// Thread: any; pure.
#pragma once

#include <chrono>

#include "base/time.h"
#include "exporter/app/query.h"
#include "exporter/model/view.h"
#include "exporter/web/http.h"

namespace wk::exporter {

/// 200 {"safe": true, …} or 409 {"safe": false, …}, each with the reason; 400 and 404 {"error": …} when
/// `member` and `ensemble` do not name one member. A snapshot too old to be believed is never "safe". \param
/// longest_interval  of all ensembles; decides when a snapshot counts as stale
Response safe_to_stop(const Query& query, const Snapshot& snapshot, std::chrono::nanoseconds longest_interval,
                      Moment now);

}  // namespace wk::exporter
