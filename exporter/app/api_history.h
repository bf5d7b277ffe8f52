// GET /api/v1/history: the recent past of ensembles and members, for charts. Reference: docs/EXPORTER.md,
// "HTTP API".
//
// Thread: any; pure functions.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "exporter/app/json_text.h"
#include "exporter/app/query.h"
#include "exporter/model/view.h"
#include "exporter/view/history.h"

namespace wk::exporter {

/// Points in one answer; a query that could bring more is refused.
inline constexpr std::size_t kHistoryPointsMax = 250'000;

/// One series that a query asks for; `member` is empty exactly when the series is the ensemble's.
struct SeriesRequest {
  std::string ensemble;
  std::string member;
  std::variant<EnsembleSeries, MemberSeries> series;
};

struct HistoryQuery {
  std::chrono::seconds step{1};
  std::chrono::system_clock::time_point since;
  std::vector<SeriesRequest> series;
};

/// Reads `ensemble`, `member`, `series`, `step` and `since`.
/// \return  Errc::kInvalidInput, or Errc::kNotFound for an unknown ensemble or member
Result<HistoryQuery> parse_history_query(const Query& query, const Snapshot& snapshot, Moment now);

/// The shortest decimal that reads back as the same float: 0.1, not 0.10000000149. Null when it is unknown.
Json history_point_json(std::optional<float> point);

using SeriesSource = std::function<Result<SeriesPoints>(const SeriesRequest&, const HistoryQuery&)>;

/// Fetches every series from `source`; the first error becomes the answer. Without line breaks: points are
/// many.
Response history_response(const HistoryQuery& query, const SeriesSource& source);

}  // namespace wk::exporter
