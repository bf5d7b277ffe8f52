#include "exporter/app/api_safe_to_stop.h"

#include "exporter/app/api_status.h"
#include "exporter/app/health.h"
#include "exporter/app/json_text.h"
#include "exporter/app/member_lookup.h"

namespace wk::exporter {

Response safe_to_stop(const Query& query, const Snapshot& snapshot, std::chrono::nanoseconds longest_interval,
                      Moment now) {
  const auto member = query_text(query, "member");
  if (!member) return json_error(http_status_of(member.error()), member.error().message);
  const auto ensemble = query_text(query, "ensemble");
  if (!ensemble) return json_error(http_status_of(ensemble.error()), ensemble.error().message);
  if (member->empty())
    return json_error(
        400, "parameter \"member\" is missing; write for example /api/v1/safe-to-stop?member=zk1:2181");
  const auto found = find_member(snapshot, *member, *ensemble);
  if (!found) return json_error(http_status_of(found.error()), found.error().message);

  SafeToStop answer = found->member->safe_to_stop;
  if (auto stale = staleness(snapshot, longest_interval, now)) answer = {false, *std::move(stale)};
  Json document = {{"member", found->member->name}, {"ensemble", found->ensemble->name}};
  document.update(safe_to_stop_json(answer));
  return json_response(document, answer.safe ? 200 : 409);
}

}  // namespace wk::exporter
