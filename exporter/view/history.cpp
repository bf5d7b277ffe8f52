#include "exporter/view/history.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"

namespace wk::exporter {
namespace {

constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

template <typename Series>
SeriesRing ring_of(std::size_t series_count) {
  std::vector<Fold> columns;
  for (std::size_t column = 0; column < series_count; ++column)
    columns.push_back(fold(static_cast<Series>(column)));
  return SeriesRing(std::move(columns));
}

float value_or_unknown(const std::optional<double>& value) {
  return value ? static_cast<float>(*value) : kUnknown;
}

}  // namespace

const char* name(MemberSeries series) {
  switch (series) {
    case MemberSeries::kLatencyAverageMs:
      return "latency_average_ms";
    case MemberSeries::kCanaryLatencyMs:
      return "canary_latency_ms";
    case MemberSeries::kRequestsPerSecond:
      return "requests_per_second";
    case MemberSeries::kOutstanding:
      return "outstanding_requests";
    case MemberSeries::kConnections:
      return "connections";
    case MemberSeries::kSessions:
      return "sessions";
    case MemberSeries::kZnodes:
      return "znodes";
    case MemberSeries::kWatches:
      return "watches";
    case MemberSeries::kFsyncMs:
      return "fsync_ms";
    case MemberSeries::kLagTransactions:
      return "lag_transactions";
    case MemberSeries::kDataSizeBytes:
      return "data_size_bytes";
    case MemberSeries::kState:
      return "state";
  }
  return "unknown";
}

const char* name(EnsembleSeries series) {
  switch (series) {
    case EnsembleSeries::kQuorumMargin:
      return "quorum_margin";
    case EnsembleSeries::kServing:
      return "serving";
    case EnsembleSeries::kCanaryOkRatio:
      return "canary_ok_ratio";
    case EnsembleSeries::kWritesPerSecond:
      return "writes_per_second";
  }
  return "unknown";
}

Fold fold(MemberSeries series) {
  switch (series) {
    case MemberSeries::kLatencyAverageMs:
    case MemberSeries::kCanaryLatencyMs:
    case MemberSeries::kOutstanding:
    case MemberSeries::kFsyncMs:
    case MemberSeries::kLagTransactions:
    case MemberSeries::kState:  // The later a state stands in the enumeration, the worse it is.
      return Fold::kLargest;
    case MemberSeries::kRequestsPerSecond:
    case MemberSeries::kConnections:
    case MemberSeries::kSessions:
    case MemberSeries::kZnodes:
    case MemberSeries::kWatches:
    case MemberSeries::kDataSizeBytes:
      break;
  }
  return Fold::kMean;
}

Fold fold(EnsembleSeries series) {
  switch (series) {
    case EnsembleSeries::kQuorumMargin:
    case EnsembleSeries::kServing:
      return Fold::kSmallest;
    case EnsembleSeries::kCanaryOkRatio:
    case EnsembleSeries::kWritesPerSecond:
      break;
  }
  return Fold::kMean;
}

History::History(std::size_t members)
    : members_(members, ring_of<MemberSeries>(kMemberSeriesCount)),
      previous_(members),
      ensemble_(ring_of<EnsembleSeries>(kEnsembleSeriesCount)) {}

std::vector<float> History::member_row(const MemberView& view, Previous& previous, Moment now) const {
  std::vector<float> row(kMemberSeriesCount, kUnknown);
  const auto set = [&](MemberSeries series, const std::optional<double>& value) {
    row[static_cast<std::size_t>(series)] = value_or_unknown(value);
  };
  set(MemberSeries::kState, static_cast<double>(view.state));

  std::chrono::nanoseconds canary_sum{0};
  std::uint64_t canary_count = 0;
  for (const CanaryOperation operation : {CanaryOperation::kSync, CanaryOperation::kRead}) {
    canary_sum += view.canary.latency[static_cast<std::size_t>(operation)].sum();
    canary_count += view.canary.latency[static_cast<std::size_t>(operation)].count();
  }
  if (canary_count > previous.canary_count)
    set(MemberSeries::kCanaryLatencyMs, seconds(canary_sum - previous.canary_sum) * 1000 /
                                            static_cast<double>(canary_count - previous.canary_count));
  previous.canary_sum = canary_sum;
  previous.canary_count = canary_count;

  const Dated<StatusAnswer>& status = view.facts->status;
  // Only a status of the newest visit counts as what the member does now, and only while that is fresh.
  if (view.state == ServingState::kUnreachable || !status.value || !view.last_poll ||
      *view.last_poll - status.at > std::chrono::nanoseconds{0})
    return row;
  const auto number = [&](std::string_view metric) { return status.value->number(metric); };
  set(MemberSeries::kOutstanding, number("outstanding_requests"));
  set(MemberSeries::kConnections, number("num_alive_connections"));
  set(MemberSeries::kZnodes, number("znode_count"));
  set(MemberSeries::kWatches, number("watch_count"));
  set(MemberSeries::kDataSizeBytes, number("approximate_data_size"));
  set(MemberSeries::kLagTransactions,
      view.lag_transactions ? std::optional(static_cast<double>(*view.lag_transactions)) : std::nullopt);
  const ConnectionsAnswer* connections = present(view, view.facts->connections, now);
  set(MemberSeries::kSessions,
      connections != nullptr ? std::optional(static_cast<double>(connections->with_session)) : std::nullopt);

  std::optional<double> request_sum, request_count;
  for (const std::string_view metric : {"readlatency", "updatelatency"}) {
    const SummaryValue* summary = status.value->summary(metric);
    if (summary == nullptr || !summary->sum || !summary->count) continue;
    request_sum = request_sum.value_or(0) + *summary->sum;
    request_count = request_count.value_or(0) + *summary->count;
  }
  std::optional<double> fsync_sum, fsync_count;
  if (const SummaryValue* fsync = status.value->summary("fsynctime"); fsync != nullptr) {
    fsync_sum = fsync->sum;
    fsync_count = fsync->count;
  }
  const auto packets = number("packets_received");
  if (previous.at && status.at - *previous.at > std::chrono::nanoseconds{0}) {
    const double elapsed = seconds(status.at - *previous.at);
    // Statistics that were reset in between may have grown beyond what they were, in part or all of them.
    const bool began_anew = packets && previous.packets && *packets < *previous.packets;
    if (packets && previous.packets && !began_anew)
      set(MemberSeries::kRequestsPerSecond, (*packets - *previous.packets) / elapsed);
    if (request_count && previous.request_count && *request_count > *previous.request_count && !began_anew &&
        *request_sum >= previous.request_sum.value_or(0))
      set(MemberSeries::kLatencyAverageMs,
          (*request_sum - previous.request_sum.value_or(0)) / (*request_count - *previous.request_count));
    else if (!request_count)
      set(MemberSeries::kLatencyAverageMs, number("avg_latency"));
    if (fsync_count && previous.fsync_count && *fsync_count > *previous.fsync_count && fsync_sum &&
        !began_anew && *fsync_sum >= previous.fsync_sum.value_or(0))
      set(MemberSeries::kFsyncMs,
          (*fsync_sum - previous.fsync_sum.value_or(0)) / (*fsync_count - *previous.fsync_count));
  }
  previous.at = status.at;
  previous.packets = packets;
  previous.request_sum = request_sum;
  previous.request_count = request_count;
  previous.fsync_sum = fsync_sum;
  previous.fsync_count = fsync_count;
  return row;
}

void History::append(const EnsembleView& view, Moment now) {
  WK_CHECK(view.members.size() == members_.size(), "view of another ensemble");
  std::optional<Zxid> newest;
  for (std::size_t index = 0; index < members_.size(); ++index) {
    members_[index].append(now.wall, member_row(view.members[index], previous_[index], now));
    if (view.members[index].zxid && (!newest || *view.members[index].zxid > *newest))
      newest = view.members[index].zxid;
  }
  std::vector<float> row(kEnsembleSeriesCount, kUnknown);
  row[static_cast<std::size_t>(EnsembleSeries::kQuorumMargin)] = static_cast<float>(view.quorum_margin);
  row[static_cast<std::size_t>(EnsembleSeries::kServing)] = view.serving ? 1.0F : 0.0F;
  const std::uint64_t ok = view.canary_rounds_ok - rounds_ok_;
  const std::uint64_t rounds = ok + view.canary_rounds_failed - rounds_failed_;
  if (rounds > 0)
    row[static_cast<std::size_t>(EnsembleSeries::kCanaryOkRatio)] =
        static_cast<float>(ok) / static_cast<float>(rounds);
  rounds_ok_ = view.canary_rounds_ok;
  rounds_failed_ = view.canary_rounds_failed;
  if (newest && zxid_ && zxid_at_ && newest->epoch() == zxid_->epoch() &&
      newest->counter() >= zxid_->counter() && now - *zxid_at_ > std::chrono::nanoseconds{0})
    row[static_cast<std::size_t>(EnsembleSeries::kWritesPerSecond)] =
        static_cast<float>((newest->counter() - zxid_->counter()) / seconds(now - *zxid_at_));
  if (newest) {
    zxid_ = newest;
    zxid_at_ = now;
  }
  ensemble_.append(now.wall, row);
}

std::size_t History::bytes() const {
  std::size_t total = ensemble_.bytes();
  for (const SeriesRing& ring : members_) total += ring.bytes();
  return total;
}

}  // namespace wk::exporter
