#include "exporter/app/api_events.h"

#include <algorithm>

#include "exporter/app/member_lookup.h"
#include "exporter/app/query.h"

namespace wk::exporter {
namespace {

Json event_json(const Event& event) {
  return {{"id", event.id},
          {"time", rfc3339(event.at.wall)},
          {"type", name(event.type)},
          {"severity", name(event.severity)},
          {"ensemble", event.ensemble},
          {"member", event.member.empty() ? Json(nullptr) : Json(event.member)},
          {"text", event.text},
          {"duration_seconds", event.duration ? Json(seconds(*event.duration)) : Json(nullptr)}};
}

}  // namespace

Result<EventsQuery> parse_events_query(const std::multimap<std::string, std::string>& query,
                                       const Snapshot& snapshot) {
  EventsQuery parsed;
  const auto after = query_number(query, "after", 0, ~std::uint64_t{0}, parsed.after);
  if (!after) return after.error();
  parsed.after = *after;
  const auto limit = query_number(query, "limit", 1, EventsQuery::kLimitMax, parsed.limit);
  if (!limit) return limit.error();
  parsed.limit = *limit;
  const auto ensemble = query_text(query, "ensemble");
  if (!ensemble) return ensemble.error();
  parsed.ensemble = *ensemble;
  if (!parsed.ensemble.empty())
    if (const auto found = find_ensemble(snapshot, parsed.ensemble); !found) return found.error();
  return parsed;
}

Json events_document(const EventsQuery& query, const std::vector<Event>& events, const Snapshot& snapshot) {
  std::vector<const Event*> wanted;
  for (const Event& event : events)
    if (query.ensemble.empty() || event.ensemble == query.ensemble) wanted.push_back(&event);
  const std::size_t skipped = wanted.size() > query.limit ? wanted.size() - query.limit : 0;
  Json list = Json::array();
  for (std::size_t i = skipped; i < wanted.size(); ++i) list.push_back(event_json(*wanted[i]));
  return {{"events", std::move(list)},
          {"last_id", events.empty() ? query.after : events.back().id},
          {"skipped", skipped},
          {"exporter_started", rfc3339(snapshot.exporter.started.wall)}};
}

}  // namespace wk::exporter
