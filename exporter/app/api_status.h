// GET /api/v1/status: one document that says what is the matter, for scripts and for the status page.
//
// The set of fields never depends on what is known: what is not known is null. Reference: docs/EXPORTER.md,
// "HTTP API". Thread: any; pure functions.
#pragma once

#include <chrono>
#include <string>

#include "base/time.h"
#include "exporter/app/json_text.h"
#include "exporter/catalogue/catalogue.h"
#include "exporter/model/view.h"

namespace wk::exporter {

/// "critical", "warning", "info" or "ok": the worst open problem; not serving is always critical.
std::string status_word(const EnsembleView& ensemble);
/// The worst of all ensembles.
std::string status_word(const Snapshot& snapshot);
/// One sentence over all ensembles.
std::string overall_verdict(const Snapshot& snapshot);

/// {"safe": …, "reason": …}; the reason is never empty.
Json safe_to_stop_json(const SafeToStop& answer);

/// One ensemble, as it stands in the status document.
Json ensemble_document(const EnsembleView& ensemble, Moment now);

/// \param longest_interval  of all ensembles; decides when a snapshot counts as stale
Json status_document(const Snapshot& snapshot, const BuildInfo& build,
                     std::chrono::nanoseconds longest_interval, Moment now);

}  // namespace wk::exporter
