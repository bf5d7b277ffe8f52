// The tables of the status page as JSON, one document each: what stands behind /ensembles.json and
// /ensemble/NAME/TABLE.json. Reference: docs/EXPORTER.md, "Tables".
//
// Rows have the same fields in every state; what is not known is null. A number of a member is there only
// while its newest visit brought it: what is old is told by its age alone. Thread: any; pure functions.
#pragma once

#include <chrono>
#include <optional>

#include "base/time.h"
#include "exporter/app/history_row.h"
#include "exporter/app/json_text.h"
#include "exporter/model/view.h"

namespace wk::exporter {

/// \param row        newest row of the ensemble's history, for rates and means; absent = they are unknown
/// \param fresh_for  a status or row older than this is no longer what a member does now
Json members_table(const EnsembleView& ensemble, const std::optional<HistoryRow>& row,
                   std::chrono::nanoseconds fresh_for, Moment now);

/// Connections by client address, and the busiest ones, of all members.
Json connections_table(const EnsembleView& ensemble, Moment now);

/// Each key with the value of each member, and whether they differ.
Json configuration_table(const EnsembleView& ensemble, Moment now);

/// Every source of every member that was ever asked.
Json sources_table(const EnsembleView& ensemble, Moment now);

Json ensembles_table(const Snapshot& snapshot, Moment now);

/// One row of the history: {"ensemble", "time" in seconds since 1970, "members": {NAME: {SERIES: value}},
/// "series": {SERIES: value}}.
Json history_row_document(const EnsembleView& ensemble, const HistoryRow& row);

}  // namespace wk::exporter
