#include "exporter/view/limits.h"

#include <fmt/format.h>

#include "exporter/view/conclusions.h"

namespace wk::exporter {
namespace {

using std::chrono::nanoseconds;

/// Means of a flush above this hold writes up.
constexpr double kFsyncLimitsMs = 20;
/// More outstanding requests than this are a queue.
constexpr double kOutstandingLimits = 10;

}  // namespace

Limit performance_limit(const EnsembleView& view, const std::vector<MemberTrend>& trends, bool judged,
                        Moment now) {
  if (!judged) return {"unknown", "not every member has been visited yet"};
  if (!view.serving && view.quorum_margin >= 0)
    return {"no service",
            fmt::format("no client operation succeeds, though the members claim {} of {} voters "
                        "in sync",
                        view.voters_in_sync, view.voters)};
  if (!view.serving)
    return {"no quorum", fmt::format("{} of {} voters in sync, {} are needed", view.voters_in_sync,
                                     view.voters, view.majority)};
  for (std::size_t index = 0; index < view.members.size(); ++index) {
    const MemberView& member = view.members[index];
    if (member.state != ServingState::kServing) continue;
    if (trends[index].throttling())
      return {"limits of " + member.name, "the member throttles requests or refuses connections"};
    if (const double fsync = trends[index].fsync_mean_ms(now); fsync > kFsyncLimitsMs)
      return {"disk of " + member.name, fmt::format("a flush of its transaction log takes {:.0f} ms", fsync)};
  }
  for (const MemberView& member : view.members) {
    const auto& status = member.facts->status.value;
    if (member.state != ServingState::kServing || !status) continue;
    // Only the newest visit tells of a queue.
    const bool told_now = member.last_poll && *member.last_poll - member.facts->status.at <= nanoseconds{0};
    const auto outstanding = told_now ? status->number("outstanding_requests") : std::nullopt;
    if (outstanding && *outstanding > kOutstandingLimits)
      return {"request queue of " + member.name,
              fmt::format("{:.0f} requests are outstanding", *outstanding)};
    if (member.lag_transactions && *member.lag_transactions > kLagUnsafeTransactions)
      return {"replication to " + member.name,
              fmt::format("it is {} transactions behind", grouped(*member.lag_transactions))};
  }
  return {"nothing", "no limit shows in the members' numbers"};
}

}  // namespace wk::exporter
