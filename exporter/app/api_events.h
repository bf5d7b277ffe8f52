// GET /api/v1/events: what changed, oldest first. Reference: docs/EXPORTER.md, "HTTP API".
//
// Thread: any; pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "exporter/app/json_text.h"
#include "exporter/model/view.h"

namespace wk::exporter {

struct EventsQuery {
  static constexpr std::size_t kLimitDefault = 100;
  static constexpr std::size_t kLimitMax = 5000;  ///< as many as the log keeps

  std::uint64_t after = 0;
  std::size_t limit = kLimitDefault;
  std::string ensemble;  ///< empty = all
};

/// Reads `after`, `limit` and `ensemble`. \return  Errc::kInvalidInput, or Errc::kNotFound for an unknown
/// ensemble
Result<EventsQuery> parse_events_query(const std::multimap<std::string, std::string>& query,
                                       const Snapshot& snapshot);

/// The newest `limit` of those `events` that the query wants. `last_id` is the id to ask after next.
/// \param events  all events above `query.after`, oldest first
Json events_document(const EventsQuery& query, const std::vector<Event>& events, const Snapshot& snapshot);

}  // namespace wk::exporter
