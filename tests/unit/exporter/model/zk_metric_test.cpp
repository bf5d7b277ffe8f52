#include "exporter/model/zk_metric.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace wk::exporter {
namespace {

TEST(ZkMetrics, AreSortedAndUniqueUnderBothNames) {
  std::set<std::string_view> natives;
  std::string_view previous;
  for (const ZkMetric& metric : zk_metrics()) {
    EXPECT_LT(previous, metric.name);
    previous = metric.name;
    EXPECT_TRUE(natives.insert(metric.native).second) << metric.native;
  }
}

TEST(ZkMetrics, CountsOfKindsAreTheReferencesForTheServerMetrics) {
  std::map<ZkKind, int> counts;
  for (const ZkMetric& metric : zk_metrics()) {
    const bool later = metric.name.starts_with("op_count_") || metric.name.starts_with("ttl_node_");
    if (!later) ++counts[metric.kind];
  }
  EXPECT_EQ(counts[ZkKind::kCounter], 51);
  EXPECT_EQ(counts[ZkKind::kCounterSet], 1);
  EXPECT_EQ(counts[ZkKind::kBasicSummary], 42);
  EXPECT_EQ(counts[ZkKind::kAdvancedSummary], 23);
  EXPECT_EQ(counts[ZkKind::kBasicSummarySet], 3);
  EXPECT_EQ(counts[ZkKind::kAdvancedSummarySet], 2);
  EXPECT_EQ(counts[ZkKind::kGaugeSet], 4);
  // 34 of 3.9's gauges stand alone; 3.4 and 3.5 add followers and fsync_threshold_exceed_count.
  EXPECT_EQ(counts[ZkKind::kGauge], 34 + 2);
}

TEST(ZkMetrics, OperationCountsOf310AreThere) {
  EXPECT_EQ(
      std::ranges::count_if(zk_metrics(), [](const ZkMetric& m) { return m.name.starts_with("op_count_"); }),
      24);
  EXPECT_STREQ(find_zk_metric("op_count_total")->native.data(), "operations");
  EXPECT_EQ(find_zk_metric("ttl_node_created_count")->kind, ZkKind::kCounter);
}

TEST(ZkMetrics, NativeNamesFollowPrometheusRules) {
  const std::set<std::string> forbidden_words = {"ms",     "count",  "total",        "sum",
                                                 "bucket", "millis", "milliseconds", "info"};
  for (const ZkMetric& metric : zk_metrics()) {
    const std::string native(metric.native);
    EXPECT_EQ(native.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789"), std::string::npos) << native;
    std::size_t start = 0;
    while (start <= native.size()) {
      const std::size_t end = std::min(native.find('_', start), native.size());
      EXPECT_FALSE(native.substr(start, end - start).empty()) << native;
      EXPECT_FALSE(forbidden_words.contains(native.substr(start, end - start))) << native;
      start = end + 1;
    }
    EXPECT_EQ(native.ends_with("_seconds"), metric.unit == ZkUnit::kMilliseconds) << native;
    EXPECT_EQ(native.ends_with("_bytes"), metric.unit == ZkUnit::kBytes) << native;
  }
}

TEST(ZkMetrics, HelpIsOneSentenceAndKeysBelongToSets) {
  for (const ZkMetric& metric : zk_metrics()) {
    EXPECT_TRUE(metric.help.ends_with('.')) << metric.name;
    EXPECT_EQ(metric.help.find(". "), std::string_view::npos) << metric.name;
    EXPECT_EQ(is_set(metric.kind), metric.key != ZkKey::kNone) << metric.name;
    const bool counter = metric.kind == ZkKind::kCounter || metric.kind == ZkKind::kCounterSet;
    EXPECT_TRUE(metric.monotonic || !counter) << metric.name;
    EXPECT_FALSE(metric.monotonic && is_summary(metric.kind)) << metric.name;
  }
}

TEST(ZkMetrics, NamesThatAlertsRelyOn) {
  const std::map<std::string, std::string> names = {
      {"znode_count", "znodes"},
      {"watch_count", "watches"},
      {"ephemerals_count", "ephemerals"},
      {"approximate_data_size", "data_size_bytes"},
      {"num_alive_connections", "connections"},
      {"outstanding_requests", "outstanding_requests"},
      {"open_file_descriptor_count", "open_file_descriptors"},
      {"max_file_descriptor_count", "max_file_descriptors"},
      {"uptime", "role_uptime_seconds"},
      {"global_sessions", "global_sessions"},
      {"local_sessions", "local_sessions"},
      {"packets_received", "packets_received"},
      {"packets_sent", "packets_sent"},
      {"quorum_size", "quorum_size"},
      {"learners", "learners"},
      {"followers", "followers"},
      {"synced_followers", "synced_followers"},
      {"synced_observers", "synced_observers"},
      {"synced_non_voting_followers", "synced_non_voting_followers"},
      {"pending_syncs", "pending_syncs"},
      {"avg_latency", "latency_average_seconds"},
      {"max_latency", "latency_maximum_seconds"},
      {"min_latency", "latency_minimum_seconds"},
      {"readlatency", "read_latency_seconds"},
      {"updatelatency", "update_latency_seconds"},
      {"fsynctime", "fsync_duration_seconds"},
      {"snapshottime", "snapshot_duration_seconds"},
      {"election_time", "election_duration_seconds"},
      {"looking_count", "looking_entries"},
      {"connection_rejected", "connections_rejected"},
      {"stale_sessions_expired", "sessions_expired"},
      {"request_throttle_wait_count", "requests_throttled"},
      {"throttled_ops", "operations_throttled"},
      {"large_requests_rejected", "large_requests_rejected"},
      {"stale_requests_dropped", "stale_requests_dropped"},
      {"digest_mismatches_count", "digest_mismatches"},
      {"unrecoverable_error_count", "unrecoverable_errors"},
      {"auth_failed_count", "auth_failures"},
      {"proposal_count", "proposals"},
      {"commit_count", "commits"},
      {"propagation_latency", "propagation_latency_seconds"},
      {"quorum_ack_latency", "quorum_ack_latency_seconds"},
      {"leader_uptime", "leader_uptime_seconds"},
      {"connection_drop_count", "connections_dropped"},
      {"fsync_threshold_exceed_count", "slow_fsyncs"},
      {"unavailable_time", "unavailable_duration_seconds"},
      {"bytes_received_count", "received_bytes"},
      {"response_bytes", "response_bytes"},
      {"learner_handler_qp_size", "learner_queue_packets"},
      {"learner_handler_qp_time_ms", "learner_queue_duration_seconds"},
      {"sync_processor_queue_flush_time_ms", "sync_queue_flush_duration_seconds"}};
  for (const auto& [name, native] : names) {
    const ZkMetric* metric = find_zk_metric(name);
    ASSERT_NE(metric, nullptr) << name;
    EXPECT_EQ(metric->native, native);
  }
}

TEST(FindZkMetric, WantsTheWholeName) {
  EXPECT_EQ(find_zk_metric("fsynctim"), nullptr);
  EXPECT_EQ(find_zk_metric("fsynctime_count"), nullptr);
  EXPECT_EQ(find_zk_metric(""), nullptr);
  EXPECT_EQ(find_zk_metric("zzz"), nullptr);
  EXPECT_EQ(find_zk_metric("packets_received")->monotonic, true);
  EXPECT_EQ(find_zk_metric("write_per_namespace")->key, ZkKey::kNamespace);
}

}  // namespace
}  // namespace wk::exporter
