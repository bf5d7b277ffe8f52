#include "server/node/measurements.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "exporter/model/zk_metric.h"
#include "server/node/java_text.h"
#include "server/txn/operation.h"

namespace wk::node {
namespace {

using exporter::Measurement;
using exporter::Quantile;
using exporter::SummaryValue;
using exporter::ZkKind;
using exporter::ZkMetric;
using replica::Distribution;

/// Distributions of durations are in nanoseconds, Apache's in milliseconds.
constexpr double kNsPerMs = 1e6;
/// Those of mntr, and 0.9, which only the Prometheus provider has.
constexpr std::array<double, 5> kAdvancedRanks{0.5, 0.9, 0.95, 0.99, 0.999};
constexpr std::array<double, 1> kBasicRanks{0.5};

/// Gauges that only a member of a quorum has, or that no 3.9 server prints.
constexpr std::array<std::string_view, 12> kNotStandalone{
    "followers",         "last_proposal_size",          "leader_uptime",    "learners",
    "max_proposal_size", "min_proposal_size",           "pending_syncs",    "quorum_size",
    "synced_followers",  "synced_non_voting_followers", "synced_observers", "connection_drop_probability"};
/// Counters of later releases that have no counterpart here.
constexpr std::array<std::string_view, 2> kNotCounted{"ttl_node_created_count", "ttl_node_deleted_count"};

/// Counters by operation of 3.10 and what they count.
struct OperationCounter {
  std::string_view metric;
  std::vector<jute::OpCode> codes;
};
const std::vector<OperationCounter>& operation_counters() {
  using enum jute::OpCode;
  static const std::vector<OperationCounter> kCounters{
      {"op_count_add_watch", {kAddWatch}},
      {"op_count_check", {kCheck}},
      {"op_count_check_watches", {kCheckWatches}},
      {"op_count_close_session", {kCloseSession}},
      {"op_count_create", {kCreate, kCreate2, kCreateTtl, kCreateContainer}},
      {"op_count_create_session", {kCreateSession}},
      {"op_count_delete", {kDelete, kDeleteContainer}},
      {"op_count_exists", {kExists}},
      {"op_count_get_acl", {kGetAcl}},
      {"op_count_get_all_children_number", {kGetAllChildrenNumber}},
      {"op_count_get_children", {kGetChildren, kGetChildren2}},
      {"op_count_get_data", {kGetData}},
      {"op_count_get_ephemerals", {kGetEphemerals}},
      {"op_count_multi", {kMulti}},
      {"op_count_multi_read", {kMultiRead}},
      {"op_count_ping", {kPing}},
      {"op_count_reconfig", {kReconfig}},
      {"op_count_remove_watches", {kRemoveWatches}},
      {"op_count_set_acl", {kSetAcl}},
      {"op_count_set_data", {kSetData}},
      {"op_count_set_watches", {kSetWatches, kSetWatches2}},
      {"op_count_sync", {kSync}},
      {"op_count_who_am_i", {kWhoAmI}},
  };
  return kCounters;
}

SummaryValue summary_of(const Distribution& distribution, double unit, std::span<const double> ranks) {
  SummaryValue value;
  value.count = static_cast<double>(distribution.count());
  value.sum = static_cast<double>(distribution.sum()) / unit;
  value.average = distribution.mean() / unit;
  value.minimum = static_cast<double>(distribution.least()) / unit;
  value.maximum = static_cast<double>(distribution.most()) / unit;
  if (distribution.count() == 0) return value;
  for (const double rank : ranks)
    value.quantiles.push_back(Quantile{rank, static_cast<double>(distribution.quantile(rank)) / unit});
  return value;
}

SummaryValue summary_of(const replica::TrafficSummary& traffic) {
  SummaryValue value;
  value.count = static_cast<double>(traffic.count);
  value.sum = static_cast<double>(traffic.sum);
  value.average =
      traffic.count == 0 ? 0 : static_cast<double>(traffic.sum) / static_cast<double>(traffic.count);
  value.minimum = static_cast<double>(traffic.least);
  value.maximum = static_cast<double>(traffic.most);
  return value;
}

/// One observation, at start.
SummaryValue single(double value, bool happened) {
  Distribution none;
  SummaryValue summary = summary_of(none, 1, {});
  if (!happened) return summary;
  summary.count = 1;
  summary.sum = summary.average = summary.minimum = summary.maximum = value;
  summary.quantiles = {Quantile{kBasicRanks.front(), value}};
  return summary;
}

class Collector {
 public:
  void number(std::string_view name, double value) { set(name, "", value); }
  void count(std::string_view name, std::uint64_t value) { number(name, static_cast<double>(value)); }
  void durations(std::string_view name, const Distribution& distribution) {
    set(name, "", summary_of(distribution, kNsPerMs, ranks_of(row(name))));
  }
  void sizes(std::string_view name, const Distribution& distribution) {
    set(name, "", summary_of(distribution, 1, ranks_of(row(name))));
  }
  void summary(std::string_view name, std::string_view key, SummaryValue value) {
    set(name, key, std::move(value));
  }

  std::vector<Measurement> take() {
    fill_with_zeros();
    std::vector<Measurement> list;
    list.reserve(values_.size());
    for (auto& [name_and_key, measurement] : values_) list.push_back(std::move(measurement));
    return list;
  }

 private:
  using Key = std::pair<std::string_view, std::string>;

  static std::span<const double> ranks_of(const ZkMetric& metric) {
    if (metric.kind == ZkKind::kAdvancedSummary) return kAdvancedRanks;
    return kBasicRanks;
  }

  static const ZkMetric& row(std::string_view name) {
    const ZkMetric* const metric = exporter::find_zk_metric(name);
    WK_CHECK(metric != nullptr, name);
    return *metric;
  }

  template <typename Value>
  void set(std::string_view name, std::string_view key, Value value) {
    const ZkMetric& metric = row(name);
    values_.insert_or_assign(Key{metric.name, std::string(key)}, Measurement(&metric, key, std::move(value)));
  }

  void fill_with_zeros() {
    const Distribution none;
    for (const ZkMetric& metric : exporter::zk_metrics()) {
      if (is_set(metric.kind) || values_.contains(Key{metric.name, ""})) continue;
      if (std::ranges::find(kNotStandalone, metric.name) != kNotStandalone.end() ||
          std::ranges::find(kNotCounted, metric.name) != kNotCounted.end())
        continue;
      if (is_summary(metric.kind))
        set(metric.name, "", summary_of(none, 1, {}));
      else
        set(metric.name, "", 0.0);
    }
  }

  std::map<Key, Measurement> values_;
};

void collect_gauges(const MeasurementSources& from, const Moment& now, Collector& out) {
  const replica::Stats& stats = from.replica.stats();
  const tree::DataTree& tree = from.replica.tree();
  const auto size = [](const std::optional<std::size_t>& bytes) {
    return bytes ? static_cast<double>(*bytes) : -1.0;
  };
  out.number("avg_latency", round_to_four_decimals(stats.latency.mean() / kNsPerMs));
  out.number("max_latency", std::floor(static_cast<double>(stats.latency.most()) / kNsPerMs));
  out.number("min_latency", std::floor(static_cast<double>(stats.latency.least()) / kNsPerMs));
  out.count("packets_received", stats.packets_received + from.words);
  out.count("packets_sent", stats.packets_sent + (from.words == 0 ? 0 : from.words - 1));
  out.count("num_alive_connections", from.port.connections());
  out.count("outstanding_requests", from.replica.outstanding_requests());
  out.number("uptime",
             static_cast<double>(
                 std::chrono::duration_cast<std::chrono::milliseconds>(now - from.node.started).count()));
  out.count("znode_count", tree.node_count());
  out.count("watch_count", from.replica.watches().size());
  out.count("ephemerals_count", tree.ephemeral_count());
  out.number("approximate_data_size", static_cast<double>(tree.approximate_data_size()));
  out.count("global_sessions", from.replica.sessions().size());
  out.number("open_file_descriptor_count", static_cast<double>(from.surroundings.open_descriptors));
  out.number("max_file_descriptor_count", static_cast<double>(from.surroundings.descriptors_max));
  out.number("last_client_response_size", size(stats.last_response_size));
  out.number("max_client_response_size", size(stats.most_response_size));
  out.number("min_client_response_size", size(stats.least_response_size));
  out.count("auth_failed_count", stats.auth_failures);
  out.number("connection_drop_probability", 0);
}

void collect_requests(const replica::Stats& stats, Collector& out) {
  out.durations("readlatency", stats.read_latency);
  out.durations("updatelatency", stats.update_latency);
  out.durations("propagation_latency", stats.propagation_latency);
  out.count("bytes_received_count", stats.bytes_received);
  out.count("response_bytes", stats.response_bytes);
  out.count("watch_bytes", stats.watch_bytes);
  out.count("stale_replies", stats.stale_replies);
  out.count("connection_request_count", stats.connect_requests);
  out.count("connection_revalidate_count", stats.sessions_resumed + stats.sessions_refused);
  out.count("connection_drop_count", stats.connections_gone);
  out.count("stale_sessions_expired", stats.sessions_expired);
  out.sizes("node_created_watch_count", stats.node_created_watches);
  out.sizes("node_deleted_watch_count", stats.node_deleted_watches);
  out.sizes("node_changed_watch_count", stats.node_changed_watches);
  out.sizes("node_children_watch_count", stats.node_children_watches);
  out.sizes("requests_in_session_queue", stats.queued_behind_write);
  for (const auto& [name, traffic] : stats.namespaces.namespaces()) {
    if (traffic.reads.count > 0) out.summary("read_per_namespace", name, summary_of(traffic.reads));
    if (traffic.writes.count > 0) out.summary("write_per_namespace", name, summary_of(traffic.writes));
  }
  std::uint64_t total = 0;
  for (const replica::OperationStats& operation : stats.operations) total += operation.requests;
  out.count("op_count_total", total);
  for (const OperationCounter& counter : operation_counters()) {
    std::uint64_t requests = 0;
    for (const jute::OpCode code : counter.codes)
      if (const txn::Operation* const operation = txn::find_operation(code); operation != nullptr)
        requests += stats.operations.at(txn::index_of(*operation)).requests;
    out.count(counter.metric, requests);
  }
}

void collect_log(const replica::Stats& stats, const NodeStats& node, Collector& out) {
  out.durations("fsynctime", node.fsync_ns);
  out.count("fsync_threshold_exceed_count", node.slow_fsyncs);
  out.durations("snapshottime", node.snapshot_ns);
  out.count("sync_processor_request_queued", stats.transactions_logged);
  out.count("prep_processor_request_queued", stats.transactions_logged);
  out.durations("sync_processor_queue_and_flush_time_ms", stats.log_latency);
  out.durations("sync_processor_queue_flush_time_ms", node.fsync_ns);
  out.sizes("sync_processor_batch_size", stats.log_batch);
  out.sizes("sync_processor_queue_size", stats.log_queue);
  out.count("digest_mismatches_count", stats.digest_mismatches);
}

void collect_start(const RestoreFacts& restored, Collector& out) {
  const auto ms = [](std::chrono::nanoseconds duration) {
    return static_cast<double>(duration.count()) / kNsPerMs;
  };
  const bool replayed = restored.transactions > 0;
  out.summary("startup_txns_loaded", "", single(static_cast<double>(restored.transactions), replayed));
  out.summary("startup_txns_load_time", "", single(ms(restored.replay_time), replayed));
  out.summary("startup_snap_load_time", "", single(ms(restored.snapshot_time), true));
  out.summary("dbinittime", "", single(ms(restored.snapshot_time + restored.replay_time), true));
}

void collect_port(const net::ClientPortStats& port, Collector& out) {
  out.count("connection_rejected",
            port.refused_by_address_limit + port.refused_by_total_limit + port.refused_without_descriptor);
  out.count("sessionless_connections_expired", port.closed_unanswered);
}

/// Integers without decimals, everything else as Java's doubles.
std::string number_text(double value) {
  if (std::floor(value) == value && std::fabs(value) < 9e15)
    return fmt::format("{}", static_cast<std::int64_t>(value));
  return java_double(value);
}

void add_summary_lines(fmt::memory_buffer& out, const Measurement& measurement, const SummaryValue& value) {
  const std::string name = measurement.key().empty()
                               ? std::string(measurement.metric->name)
                               : fmt::format("{}_{}", measurement.key(), measurement.metric->name);
  const auto line = [&](std::string_view part, const std::string& text) {
    fmt::format_to(std::back_inserter(out), "zk_{}_{}\t{}\n", part, name, text);
  };
  const auto whole = [](const std::optional<double>& number) {
    return number_text(std::floor(number.value_or(0)));
  };
  line("avg", rounded_mean(value.average.value_or(0)));
  line("min", whole(value.minimum));
  line("max", whole(value.maximum));
  line("cnt", whole(value.count));
  line("sum", whole(value.sum));
  if (measurement.metric->kind != ZkKind::kAdvancedSummary) return;
  static constexpr std::array<std::pair<std::string_view, double>, 4> kPercentiles{
      {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}}};
  for (const auto& [prefix, rank] : kPercentiles) {
    const auto known = std::ranges::find(value.quantiles, rank, &Quantile::rank);
    line(prefix, whole(known == value.quantiles.end() ? std::nullopt : std::optional(known->value)));
  }
}

}  // namespace

std::vector<Measurement> measurements(const MeasurementSources& from, const Moment& now) {
  Collector out;
  collect_gauges(from, now, out);
  collect_requests(from.replica.stats(), out);
  collect_log(from.replica.stats(), from.node, out);
  collect_start(from.restored, out);
  collect_port(from.port.stats(), out);
  return out.take();
}

std::string mntr_text(const std::string& version, std::string_view state,
                      const std::vector<Measurement>& measurements) {
  fmt::memory_buffer out;
  fmt::format_to(std::back_inserter(out), "zk_version\t{}\nzk_server_state\t{}\n", version, state);
  // Apache's means are doubles, whatever their value.
  static constexpr std::array<std::string_view, 2> kDoubles{"avg_latency", "connection_drop_probability"};
  for (const Measurement& measurement : measurements) {
    if (const SummaryValue* const summary = measurement.summary()) {
      add_summary_lines(out, measurement, *summary);
      continue;
    }
    const double value = *measurement.number();
    const bool is_double = std::ranges::find(kDoubles, measurement.metric->name) != kDoubles.end();
    fmt::format_to(std::back_inserter(out), "zk_{}{}{}\t{}\n", measurement.key(),
                   measurement.key().empty() ? "" : "_", measurement.metric->name,
                   is_double ? rounded_mean(value) : number_text(value));
  }
  return fmt::to_string(out);
}

}  // namespace wk::node
