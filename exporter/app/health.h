// Whether the exporter itself is well: alive (its watcher still works) and ready (every member was visited).
//
// What the members are like plays no part here: an exporter that watches an outage is healthy.
// Thread: any; pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/time.h"
#include "exporter/model/view.h"
#include "exporter/web/http.h"

namespace wk::exporter {

/// Why `snapshot` is too old to be believed, or nothing. The watcher publishes at least once a second; an age
/// of ten seconds more than the longest interval means that its thread hangs.
std::optional<std::string> staleness(const Snapshot& snapshot, std::chrono::nanoseconds longest_interval,
                                     Moment now);

/// /livez: 200, or 503 with the reason.
Response livez(const Snapshot& snapshot, std::chrono::nanoseconds longest_interval, Moment now);

/// /readyz: 200 when /livez would say 200 and every member has been visited once, else 503 with a line a
/// reason. \param verbose  adds a line a member
Response readyz(const Snapshot& snapshot, std::chrono::nanoseconds longest_interval, Moment now,
                bool verbose);

}  // namespace wk::exporter
