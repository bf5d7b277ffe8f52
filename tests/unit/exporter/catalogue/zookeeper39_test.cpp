#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <sstream>

#include "exporter/sources/mntr.h"
#include "exporter/sources/prometheus_text.h"
#include "snapshot_builder.h"

namespace wk::exporter {
namespace {

using namespace test;
using prometheus::MetricType;

/// The body of a captured HTTP answer.
std::string golden_body(const std::string& path) {
  auto text = golden(path);
  constexpr std::string_view kEndOfHeaders = "\r\n\r\n";
  if (const auto end = text.find(kEndOfHeaders); end != std::string::npos)
    text.erase(0, end + kEndOfHeaders.size());
  return text;
}

MemberView golden_member(const std::string& path, Role role) {
  auto parsed = parse_prometheus_text(golden_body(path));
  EXPECT_EQ(parsed.state, SourceState::kOk) << parsed.detail;
  return serving_member("zk1:2181", role, std::get<StatusAnswer>(std::move(parsed.answer)));
}

bool of_java(std::string_view name) { return name.starts_with("jvm_") || name.starts_with("process_"); }

/// A captured scrape of the Prometheus provider: samples without NaN and without the -1 of what is not known,
/// and TYPE by family with at least one of them.
struct Captured {
  std::map<std::pair<std::string, std::string>, double> samples;
  std::map<std::string, std::string> types;
};

Captured captured(const std::string& path) {
  Captured result;
  std::istringstream text(golden_body(path));
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("# TYPE ")) {
      std::istringstream words(line.substr(7));
      std::string family, type;
      words >> family >> type;
      if (!of_java(family) || family == "jvm_pause_time_ms") result.types[family] = type;
      continue;
    }
    if (line.empty() || line.starts_with("#")) continue;
    const auto blank = line.rfind(' ');
    auto sample = line.substr(0, blank);
    const auto brace = sample.find('{');
    std::string labels = "instance=zk1:2181";
    if (brace != std::string::npos) {
      for (const char c : sample.substr(brace + 1, sample.size() - brace - 2)) {
        if (c == '"') continue;
        if (labels == "instance=zk1:2181") labels += ',';
        labels += c;
      }
      if (labels.back() == ',') labels.pop_back();
      sample.resize(brace);
    }
    const auto value = line.substr(blank + 1);
    if ((of_java(sample) && !sample.starts_with("jvm_pause_time_ms")) || value == "NaN" || value == "-1.0")
      continue;
    result.samples[{sample, labels}] = std::stod(value);
  }
  return result;
}

std::string type_text(MetricType type) {
  return type == MetricType::Gauge ? "gauge" : type == MetricType::Counter ? "counter" : "summary";
}

TEST(Zookeeper39, ShowsExactlyTheSamplesOfACapturedScrape) {
  struct Golden {
    const char* path;
    Role role;
  };
  for (const auto& [path, role] : {Golden{"apache-3.9.5/prometheus-provider/metrics.1", Role::kFollower},
                                   Golden{"apache-3.9.5/prometheus-provider/metrics.2", Role::kFollower},
                                   Golden{"apache-3.9.5/prometheus-provider/metrics.3", Role::kLeader},
                                   Golden{"apache-3.9.5/prometheus-provider/metrics.4", Role::kObserver}}) {
    const auto wanted = captured(path);
    EXPECT_GT(wanted.samples.size(), 250U);
    const auto seen = scrape(snapshot_of({golden_member(path, role)}), only_zookeeper39());
    for (const auto& [sample, value] : wanted.samples)
      EXPECT_EQ(seen(sample.first, sample.second), value)
          << path << " " << sample.first << " " << sample.second;
    for (const auto& [sample, value] : seen.samples())
      EXPECT_TRUE(wanted.samples.contains(sample)) << path << " " << sample.first << " " << sample.second;
    for (const auto& [family, type] : seen.families()) {
      ASSERT_TRUE(wanted.types.contains(family)) << family;
      EXPECT_EQ(type_text(type), wanted.types.at(family)) << family;
    }
  }
}

// The 132 names of grafana.com dashboard 10465, but for those of the JVM and for bare names of summaries
// whose quantiles need samples; jvm_pause_time_ms is ZooKeeper's own.
constexpr const char* kGrafana10465 = R"(
add_dead_watcher_stall_time approximate_data_size avg_latency bytes_received_count close_session_prep_time_sum
commit_commit_proc_req_queued_sum commit_count commit_process_time_sum commit_propagation_latency_sum
concurrent_request_processing_in_commit_processor_sum connection_drop_count connection_drop_probability
connection_rejected connection_request_count connection_token_deficit_sum dbinittime_count
dbinittime_sum dead_watchers_cleaner_latency_sum dead_watchers_cleared dead_watchers_queued diff_count
digest_mismatches_count election_time_count election_time_sum ensemble_auth_fail ensemble_auth_skip
ensemble_auth_success ephemerals_count follower_sync_time_sum fsynctime_count fsynctime_sum global_sessions
jvm_pause_time_ms_sum last_client_response_size last_proposal_size leader_uptime learner_commit_received_count
learner_handler_qp_size_sum learners local_sessions local_write_committed_time_ms_sum looking_count
max_client_response_size max_latency max_proposal_size min_client_response_size min_latency min_proposal_size
node_changed_watch_count_sum node_children_watch_count_sum node_created_watch_count_sum node_deleted_watch_count_sum
num_alive_connections om_commit_process_time_ms_sum om_proposal_process_time_ms_sum open_file_descriptor_count
outstanding_changes_queued outstanding_changes_removed outstanding_requests outstanding_tls_handshake packets_received
packets_sent pending_session_queue_size_sum prep_process_time_sum prep_processor_queue_size_sum
prep_processor_queue_time_ms_sum prep_processor_request_queued propagation_latency_sum
proposal_ack_creation_latency_sum proposal_count proposal_latency_sum quit_leading_due_to_disloyal_voter
quorum_ack_latency_sum quorum_size read_commit_proc_issued_sum read_commit_proc_req_queued_sum
read_commitproc_time_ms_sum read_final_proc_time_ms_sum read_per_namespace_sum readlatency_sum
reads_after_write_in_session_queue_sum reads_issued_from_session_queue_sum request_commit_queued
requests_in_session_queue_sum response_packet_cache_hits response_packet_cache_misses
response_packet_get_children_cache_hits response_packet_get_children_cache_misses revalidate_count
server_write_committed_time_ms_sum session_queues_drained_sum sessionless_connections_expired snap_count
snapshottime_count snapshottime_sum stale_sessions_expired startup_snap_load_time_count
startup_snap_load_time_sum startup_txns_loaded_count startup_txns_loaded_sum sync_process_time_sum
sync_processor_batch_size_sum sync_processor_queue_flush_time_ms_sum sync_processor_queue_size_sum
sync_processor_request_queued synced_non_voting_followers synced_observers
time_waiting_empty_pool_in_commit_processor_read_ms_sum tls_handshake_exceeded unrecoverable_error_count
updatelatency_sum uptime watch_count write_batch_time_in_commit_processor_sum write_commit_proc_issued_sum
write_commit_proc_req_queued_sum write_commitproc_time_ms_sum write_final_proc_time_ms_sum write_per_namespace_sum
znode_count)";

TEST(Zookeeper39, HasEveryNameOfGrafana10465OnALeader) {
  for (const bool from_mntr : {false, true}) {
    auto member = golden_member("apache-3.9.5/prometheus-provider/metrics.3", Role::kLeader);
    if (from_mntr) {
      auto parsed = parse_mntr(golden("apache-3.9.5/default-provider/mntr.3"));
      ASSERT_EQ(parsed.state, SourceState::kOk);
      member = serving_member("zk1:2181", Role::kLeader, std::get<StatusAnswer>(std::move(parsed.answer)));
    }
    const auto seen = scrape(snapshot_of({std::move(member)}), only_zookeeper39());
    std::set<std::string> names;
    for (const auto& [sample, value] : seen.samples()) names.insert(sample.first);
    std::istringstream words(kGrafana10465);
    std::size_t count = 0;
    for (std::string word; words >> word; ++count)
      EXPECT_TRUE(names.contains(word)) << word << " mntr " << from_mntr;
    EXPECT_EQ(count, 120U);
  }
}

TEST(Zookeeper39, RoleIsToldByPresence) {
  const auto leader =
      scrape(snapshot_of({golden_member("apache-3.9.5/prometheus-provider/metrics.3", Role::kLeader)}),
             only_zookeeper39());
  const auto follower =
      scrape(snapshot_of({golden_member("apache-3.9.5/prometheus-provider/metrics.1", Role::kFollower)}),
             only_zookeeper39());
  for (const auto* of_leader :
       {"leader_uptime", "learners", "synced_followers", "pending_syncs", "last_proposal_size"}) {
    EXPECT_TRUE(leader.has(of_leader)) << of_leader;
    EXPECT_FALSE(follower.has(of_leader)) << of_leader;
  }
  EXPECT_TRUE(follower.has("quorum_size"));
}

std::string namespace_key(int number) { return (number < 10 ? "n0" : "n") + std::to_string(number); }

TEST(Zookeeper39, GaugesOfNamespacesBeyondTheLimitAreAddedUp) {
  StatusAnswer status;
  for (int i = 0; i < 20; ++i)
    status.measurements.push_back(number("quota_count_usage_per_namespace", 100 + i, namespace_key(i)));
  status.measurements.push_back(number("quota_count_usage_per_namespace", 50, "_other"));
  sort_measurements(status);
  const auto seen =
      scrape(snapshot_of({serving_member("zk1:2181", Role::kLeader, std::move(status))}), only_zookeeper39());
  const std::string labels = "instance=zk1:2181,key=";
  EXPECT_EQ(seen("quota_count_usage_per_namespace", labels + "n15"), 115);
  EXPECT_FALSE(seen("quota_count_usage_per_namespace", labels + "n16"));
  EXPECT_EQ(seen("quota_count_usage_per_namespace", labels + "_other"), 116 + 117 + 118 + 119 + 50);
}

TEST(Zookeeper39, WhatGrowsIsNotAddedUpOverNamespacesThatAClientCanChoose) {
  StatusAnswer status;
  for (int i = 0; i < 20; ++i) {
    auto value = summary_value(1, 100 + i);
    value.quantiles = {{0.5, 9}};
    status.measurements.push_back(summary("write_per_namespace", value, namespace_key(i)));
    status.measurements.push_back(number("quota_exceeded_error_per_namespace", 1, namespace_key(i)));
  }
  status.measurements.push_back(number("quota_exceeded_error_per_namespace", 50, "_other"));
  sort_measurements(status);
  const auto seen =
      scrape(snapshot_of({serving_member("zk1:2181", Role::kLeader, std::move(status))}), only_zookeeper39());
  const std::string labels = "instance=zk1:2181,key=";
  EXPECT_EQ(seen("write_per_namespace_sum", labels + "n15"), 115);
  EXPECT_EQ(seen("write_per_namespace", labels + "n15,quantile=0.5"), 9);
  EXPECT_EQ(seen("quota_exceeded_error_per_namespace", labels + "n15"), 1);
  for (const std::string key : {"n16", "_other"}) {
    EXPECT_FALSE(seen("write_per_namespace_sum", labels + key));
    EXPECT_FALSE(seen("write_per_namespace_count", labels + key));
    EXPECT_FALSE(seen("quota_exceeded_error_per_namespace", labels + key));
  }
}

TEST(Zookeeper39, WithoutInstanceOneMemberIsShown) {
  FamilySelection selection = only_zookeeper39();
  selection.zookeeper39_instance = false;
  const auto seen =
      scrape(snapshot_of({serving_member("zk1:2181", Role::kLeader, full_status(Role::kLeader)),
                          serving_member("zk2:2181", Role::kFollower, full_status(Role::kFollower))}),
             selection);
  EXPECT_EQ(seen("znode_count", ""), 7);
}

TEST(Zookeeper39, OtherReleasesNamesStayOut) {
  const auto seen =
      scrape(snapshot_of({serving_member("zk1:2181", Role::kLeader, full_status(Role::kLeader))}),
             only_zookeeper39());
  for (const auto* foreign :
       {"followers", "fsync_threshold_exceed_count", "op_count_total", "ttl_node_created_count"})
    EXPECT_FALSE(seen.has(foreign)) << foreign;
  EXPECT_EQ(seen.families().size(), 160U) << "as many as a leader of 3.9.5 has";
}

TEST(Zookeeper39, AMemberByItselfShowsQuantilesOfNothingAsApacheDoes) {
  StatusAnswer status;
  auto some = summary_value(2, 30);
  some.quantiles = {{0.5, 12}};
  status.measurements = {summary("fsynctime", some), summary("readlatency", summary_value(0, 0)),
                         summary("snapshottime", summary_value(0, 0))};
  sort_measurements(status);
  const auto snapshot = snapshot_of({serving_member("zk1:2181", Role::kStandalone, std::move(status))});
  FamilySelection by_itself = only_zookeeper39();
  by_itself.zookeeper39_instance = false;
  const auto seen = scrape(snapshot, by_itself);
  for (const char* rank : {"quantile=0.5", "quantile=0.9", "quantile=0.99"}) {
    ASSERT_TRUE(seen("readlatency", rank)) << rank;
    EXPECT_TRUE(std::isnan(*seen("readlatency", rank))) << rank;
  }
  EXPECT_TRUE(std::isnan(seen("snapshottime", "quantile=0.5").value_or(0)));
  EXPECT_FALSE(seen("snapshottime", "quantile=0.9"));
  EXPECT_EQ(seen("readlatency_count", ""), 0);
  EXPECT_EQ(seen("fsynctime", "quantile=0.5"), 12);
  // Among others, what is not known is absent.
  EXPECT_FALSE(scrape(snapshot, only_zookeeper39())("readlatency", "instance=zk1:2181,quantile=0.5"));
}

}  // namespace
}  // namespace wk::exporter
