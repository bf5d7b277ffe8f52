#include "exporter/catalogue/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <regex>
#include <set>

#include "snapshot_builder.h"

namespace wk::exporter {
namespace {

using namespace test;
using prometheus::MetricType;

const std::string kMember = "ensemble=default,member=zk1:2181";

std::vector<CatalogueRow> all_rows() {
  std::vector<CatalogueRow> rows;
  for (const auto table : {native_catalogue(), exporter_catalogue(), zk_catalogue(), zookeeper39_catalogue()})
    rows.insert(rows.end(), table.begin(), table.end());
  return rows;
}

ConfigurationAnswer allowing_60_connections() {
  ConfigurationAnswer configuration;
  configuration.entries = {{"maxClientCnxns", "60"}};
  return configuration;
}

/// Every state of a member, with facts that an earlier, better time left behind.
Snapshot snapshot_in(ServingState state) {
  auto member = serving_member("zk1:2181", Role::kFollower, full_status(Role::kFollower));
  member.state = state;
  return snapshot_of({std::move(member)});
}

TEST(Catalogue, NamesAreLegalAndUnique) {
  const std::regex legal("[a-z_][a-z0-9_]*(<sid>[a-z0-9_]*)?");
  std::set<std::string> names;
  for (const auto& row : all_rows()) {
    EXPECT_TRUE(std::regex_match(row.name, legal)) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " stands twice";
    EXPECT_FALSE(row.help.empty()) << row.name;
    EXPECT_EQ(row.help.back(), '.') << row.name;
    EXPECT_EQ(row.help.find('\n'), std::string::npos) << row.name;
  }
  EXPECT_GT(names.size(), 900U);
}

TEST(Catalogue, SummaryPartsNeverMeetAnotherRow) {
  std::set<std::string> names;
  for (const auto& row : all_rows()) names.insert(row.name);
  for (const auto& row : all_rows()) {
    if (row.type != MetricType::Summary && row.type != MetricType::Histogram) continue;
    for (const auto* suffix : {"_count", "_sum", "_bucket", "_created"})
      EXPECT_FALSE(names.contains(row.name + suffix)) << row.name + suffix;
  }
}

TEST(Catalogue, NativeNamesFollowPrometheusRules) {
  for (const auto table : {native_catalogue(), exporter_catalogue()}) {
    for (const auto& row : table) {
      EXPECT_TRUE(row.name.starts_with("watchkeeper_") || row.name.starts_with("process_")) << row.name;
      EXPECT_EQ(row.type == MetricType::Counter, row.name.ends_with("_total")) << row.name;
      for (const auto* word : {"_counter", "_gauge", "_summary", "_histogram", "_ms", "_milliseconds"}) {
        EXPECT_FALSE(row.name.ends_with(word)) << row.name;
        EXPECT_EQ(row.name.find(std::string(word) + "_"), std::string::npos) << row.name;
      }
      for (const auto* suffix : {"_count", "_sum", "_bucket", "_created"})
        EXPECT_FALSE(row.name.ends_with(suffix)) << row.name;
      auto stem = row.name;
      if (row.type == MetricType::Counter) stem.resize(stem.size() - std::string_view("_total").size());
      for (const std::string unit : {"seconds", "bytes", "ratio"})
        EXPECT_EQ(row.unit == unit, stem.ends_with("_" + unit)) << row.name << " and unit " << row.unit;
    }
  }
}

TEST(Catalogue, ZkFamilyHasNoTypeThatOpenMetricsWouldRefuse) {
  for (const auto& row : zk_catalogue()) {
    EXPECT_TRUE(row.type == MetricType::Gauge || row.type == MetricType::Untyped) << row.name;
    if (row.type != MetricType::Gauge) continue;
    for (const auto* suffix : {"_count", "_sum", "_bucket", "_total", "_info", "_created"})
      EXPECT_FALSE(row.name.ends_with(suffix)) << row.name;
  }
}

TEST(Catalogue, LabelsOfSamplesAreThoseOfTheRow) {
  auto snapshot = snapshot_in(ServingState::kServing);
  auto& ensemble = snapshot.ensembles[0];
  ensemble.canary_mode = CanaryMode::kWrite;
  ensemble.members[0].canary.watch_from = "zk2:2181";
  change_facts(ensemble.members[0], [](MemberFacts& facts) { facts.internals = full_internals(); });
  ensemble.drift.push_back({"tickTime", {{"zk1:2181", "2000"}, {"zk2:2181", "3000"}}});
  const auto families = collected(snapshot, {.native = true, .zk = true, .zookeeper39 = true}, noon());
  std::map<std::string, std::vector<std::string_view>> labels;
  for (const auto& row : all_rows()) labels[row.name] = row.labels;
  for (const auto& family : families) {
    auto row_name = family.name;
    if (!labels.contains(row_name)) row_name = std::regex_replace(row_name, std::regex("_2_"), "_<sid>_");
    ASSERT_TRUE(labels.contains(row_name)) << family.name;
    for (const auto& sample : family.metric) {
      std::vector<std::string_view> present;
      for (const auto& label : sample.label) present.emplace_back(label.name);
      EXPECT_EQ(present, labels[row_name]) << family.name;
    }
  }
}

TEST(Catalogue, EveryRowAppearsForAMemberThatTellsEverything) {
  auto leader = serving_member("zk1:2181", Role::kLeader, full_status(Role::kLeader));
  leader.id = ServerId{1};
  leader.zxid = Zxid{0x500000007};
  leader.lag_transactions = 0;
  leader.digest_mismatch = false;
  leader.certificate_not_after = std::chrono::system_clock::time_point{1'800'000'000s};
  leader.last_poll = noon();
  leader.canary.last_ok = noon();
  leader.canary.watch_from = "zk1:2181";
  for (const auto probe : {Probe::kConf, Probe::kCons, Probe::kDirs, Probe::kWchs})
    tell(leader, probe, SourceState::kOk);
  change_facts(leader, [](MemberFacts& facts) {
    facts.configuration = {allowing_60_connections(), noon()};
    facts.connections = {ConnectionsAnswer{}, noon()};
    facts.dirs = {DirsAnswer{1, 2}, noon()};
    facts.watches = {WatchesAnswer{1, 2, 3}, noon()};
    facts.internals = full_internals();
  });
  auto snapshot = snapshot_of({std::move(leader)}, 0);
  auto& ensemble = snapshot.ensembles[0];
  ensemble.canary_mode = CanaryMode::kWrite;
  ensemble.leader_id = ServerId{1};
  ensemble.epoch = Epoch{5};
  ensemble.connection_imbalance = 1.0;
  ensemble.session_imbalance = 1.0;
  ensemble.drift.push_back({"tickTime", {{"zk1:2181", "2000"}, {"zk2:2181", "3000"}}});

  const auto seen = scrape(snapshot, {.native = true, .zk = true, .zookeeper39 = true});
  for (const auto table : {native_catalogue(), zk_catalogue(), zookeeper39_catalogue()})
    for (const auto& row : table) {
      const auto name = std::regex_replace(row.name, std::regex("<sid>"), "2");
      ASSERT_TRUE(seen.has(name)) << row.name;
      EXPECT_EQ(seen.type(name), row.type) << row.name;
    }
}

TEST(Catalogue, RowsThatAlwaysExistDoSoInEveryState) {
  std::vector<Snapshot> snapshots;
  snapshots.push_back(snapshot_of({unknown_member("zk1:2181")}));  // the first second
  for (std::size_t i = 0; i < kServingStateCount; ++i)
    snapshots.push_back(snapshot_in(static_cast<ServingState>(i)));
  for (const auto& snapshot : snapshots) {
    const auto seen = scrape(snapshot);
    for (const auto table : {native_catalogue(), zk_catalogue()})
      for (const auto& row : table)
        if (row.presence == Presence::kAlways) {
          EXPECT_TRUE(seen.has(row.name)) << row.name;
        }
    EXPECT_EQ(seen.ones_of("watchkeeper_member_serving_state", kMember), std::pair(1, 6));
    EXPECT_EQ(seen.ones_of("watchkeeper_member_role", kMember), std::pair(1, 6));
  }
}

TEST(Catalogue, ServingStateAndRoleNameTheOneThatIsTrue) {
  for (std::size_t i = 0; i < kServingStateCount; ++i) {
    const auto state = static_cast<ServingState>(i);
    const auto seen = scrape(snapshot_in(state), only_native());
    EXPECT_EQ(seen("watchkeeper_member_serving_state", kMember + ",state=" + name(state)), 1);
    const auto role = state == ServingState::kUnreachable ? "unknown" : "follower";
    EXPECT_EQ(seen("watchkeeper_member_role", kMember + ",role=" + role), 1) << name(state);
  }
}

TEST(Catalogue, NumbersOfAMemberThatDoesNotServeVanish) {
  for (std::size_t i = 0; i < kServingStateCount; ++i) {
    const auto state = static_cast<ServingState>(i);
    const bool serves = state == ServingState::kServing || state == ServingState::kReadOnly;
    const auto seen = scrape(snapshot_in(state), {.native = true, .zk = true, .zookeeper39 = true});
    for (const auto& name_of : {"watchkeeper_member_znodes", "zk_znode_count", "znode_count", "zk_version",
                                "zk_avg_2_ack_latency", "watchkeeper_member_unexported_values"})
      EXPECT_EQ(seen.has(name_of), serves) << name_of << " while " << name(state);
  }
}

TEST(Catalogue, StatusIsShownUntilItsLifetimeIsOver) {
  EXPECT_EQ(status_lifetime(1s), 10s);
  EXPECT_EQ(status_lifetime(20ms), 10s);
  EXPECT_EQ(status_lifetime(5s), 15s);
  FamilySelection selection;
  selection.fresh_for = 15s;
  const auto snapshot = snapshot_in(ServingState::kServing);
  EXPECT_EQ(scrape(snapshot, selection, noon() + 15s)("watchkeeper_member_znodes", kMember), 7);
  const auto late = scrape(snapshot, selection, noon() + 15s + 1ns);
  EXPECT_FALSE(late.has("watchkeeper_member_znodes"));
  EXPECT_FALSE(late.has("zk_znode_count"));
  EXPECT_EQ(late("watchkeeper_member_info", kMember + ",version=3.9.5,implementation=apache,server_id="), 1);
}

TEST(Catalogue, EnsembleValuesAreThoseOfTheView) {
  auto member = serving_member("zk1:2181", Role::kLeader, full_status(Role::kLeader));
  member.zxid = Zxid{0x5'4000'0000};
  auto snapshot = snapshot_of({std::move(member), unknown_member("zk2:2181")}, 0);
  auto& ensemble = snapshot.ensembles[0];
  ensemble.voters = 5;
  ensemble.majority = 3;
  ensemble.voters_in_sync = 2;
  ensemble.quorum_margin = -1;
  ensemble.unserved = 1500ms;
  ensemble.leader_id = ServerId{3};
  ensemble.epoch = Epoch{5};
  ensemble.elections = 2;
  ensemble.election_duration.record(300ms);
  ensemble.election_duration.record(2s);
  ensemble.events[static_cast<std::size_t>(EventType::kQuorumLost)] = 4;
  ensemble.problems.resize(3);
  ensemble.problems[0].severity = Severity::kCritical;
  ensemble.drift.push_back({"tickTime", {{"a", "2000"}, {"b", "3000"}, {"c", "2000"}}});
  const auto families = collected(snapshot, only_native(), noon());
  const Scrape seen(families);
  const std::string labels = "ensemble=default";
  EXPECT_EQ(seen("watchkeeper_ensemble_serving", labels), 0);
  EXPECT_EQ(seen("watchkeeper_ensemble_has_leader", labels), 1);
  EXPECT_EQ(seen("watchkeeper_ensemble_quorum_margin", labels), -1);
  EXPECT_EQ(seen("watchkeeper_ensemble_unserved_seconds_total", labels), 1.5);
  EXPECT_EQ(seen("watchkeeper_ensemble_leader_id", labels), 3);
  EXPECT_EQ(seen("watchkeeper_ensemble_epoch", labels), 5);
  EXPECT_EQ(seen("watchkeeper_ensemble_election_duration_seconds_sum", labels), 2.3);
  EXPECT_EQ(seen("watchkeeper_ensemble_zxid_used_ratio", labels), 0.25);
  EXPECT_EQ(seen("watchkeeper_ensemble_events_total", labels + ",type=quorum_lost"), 4);
  EXPECT_EQ(seen.ones_of("watchkeeper_ensemble_events_total", labels), std::pair(0, 31));
  EXPECT_EQ(seen("watchkeeper_ensemble_problems", labels + ",severity=critical"), 1);
  EXPECT_EQ(seen("watchkeeper_ensemble_problems", labels + ",severity=warning"), 2);
  EXPECT_EQ(seen("watchkeeper_ensemble_problems", labels + ",severity=info"), 0);
  EXPECT_EQ(seen("watchkeeper_ensemble_configuration_drift", labels + ",key=tickTime"), 2);
  EXPECT_EQ(seen("watchkeeper_member_epoch", kMember), 5);
  EXPECT_EQ(seen("watchkeeper_member_epoch_transactions", kMember), 0x4000'0000);
  EXPECT_FALSE(seen("watchkeeper_member_epoch", "ensemble=default,member=zk2:2181"));

  const auto histogram = std::ranges::find(families, "watchkeeper_ensemble_election_duration_seconds",
                                           &prometheus::MetricFamily::name);
  const auto& buckets = histogram->metric[0].histogram.bucket;
  ASSERT_EQ(buckets.size(), 12U);
  EXPECT_EQ(buckets[1].upper_bound, 0.25);
  EXPECT_EQ(buckets[1].cumulative_count, 0U);
  EXPECT_EQ(buckets[2].cumulative_count, 1U);  // 0.5 s
  EXPECT_EQ(buckets[4].cumulative_count, 2U);  // 2.5 s
  EXPECT_EQ(buckets[11].upper_bound, std::numeric_limits<double>::infinity());
}

TEST(Catalogue, ZxidOfAMemberThatDoesNotAnswerIsNotShown) {
  auto member = unknown_member("zk1:2181");
  member.zxid = Zxid{0x500000001};
  member.lag_transactions = 3;
  const auto seen = scrape(snapshot_of({std::move(member)}), only_native());
  EXPECT_FALSE(seen.has("watchkeeper_member_epoch"));
  EXPECT_FALSE(seen.has("watchkeeper_member_epoch_transactions"));
  EXPECT_FALSE(seen.has("watchkeeper_member_lag_transactions"));
  EXPECT_FALSE(seen.has("watchkeeper_ensemble_zxid_used_ratio"));
}

TEST(Catalogue, NativeValuesAreInBaseUnits) {
  StatusAnswer status;
  SummaryValue fsync = summary_value(100, 147);
  fsync.average = 1.47;
  fsync.maximum = 31;
  fsync.quantiles = {{0.5, 1}, {0.999, 30}};
  status.measurements = {number("avg_latency", 0.147),
                         number("packets_received", 12),
                         summary("fsynctime", fsync),
                         number("open_file_descriptor_count", -1),
                         number("approximate_data_size", 44),
                         summary("learner_handler_qp_time_ms", summary_value(2, 3000), "10"),
                         summary("learner_handler_qp_time_ms", summary_value(2, 5000), "9")};
  sort_measurements(status);
  const auto families = collected(snapshot_of({serving_member("zk1:2181", Role::kLeader, std::move(status))}),
                                  only_native(), noon());
  const Scrape seen(families);
  EXPECT_EQ(seen("watchkeeper_member_latency_average_seconds", kMember), 0.000147);
  EXPECT_EQ(seen("watchkeeper_member_packets_received_total", kMember), 12);
  EXPECT_EQ(seen.type("watchkeeper_member_packets_received_total"), MetricType::Counter);
  EXPECT_EQ(seen("watchkeeper_member_data_size_bytes", kMember), 44);
  EXPECT_EQ(seen("watchkeeper_member_fsync_duration_seconds_count", kMember), 100);
  EXPECT_EQ(seen("watchkeeper_member_fsync_duration_seconds_sum", kMember), 0.147);
  EXPECT_EQ(seen("watchkeeper_member_fsync_duration_seconds", kMember + ",quantile=0.5"), 0.001);
  EXPECT_EQ(seen("watchkeeper_member_fsync_duration_seconds", kMember + ",quantile=0.999"), 0.03);
  EXPECT_EQ(seen("watchkeeper_member_fsync_duration_average_seconds", kMember), 0.00147);
  EXPECT_EQ(seen("watchkeeper_member_fsync_duration_maximum_seconds", kMember), 0.031);
  EXPECT_FALSE(seen.has("watchkeeper_member_open_file_descriptors")) << "-1 means that the JVM cannot tell";
  EXPECT_EQ(seen("watchkeeper_member_learner_queue_duration_seconds_sum", kMember + ",learner=10"), 3);
  EXPECT_EQ(seen("watchkeeper_member_learner_queue_duration_seconds_sum", kMember + ",learner=9"), 5);
  EXPECT_FALSE(seen.has("watchkeeper_member_read_latency_seconds"));
}

TEST(Catalogue, SummariesNeedCountAndSumAndMeansAreDerived) {
  StatusAnswer status;
  SummaryValue only_average;
  only_average.average = 3;
  status.measurements = {summary("readlatency", only_average), summary("snapshottime", summary_value(4, 10)),
                         summary("updatelatency", summary_value(0, 0))};
  const auto seen =
      scrape(snapshot_of({serving_member("zk1:2181", Role::kLeader, std::move(status))}), only_native());
  EXPECT_FALSE(seen.has("watchkeeper_member_read_latency_seconds"));
  EXPECT_EQ(seen("watchkeeper_member_read_latency_average_seconds", kMember), 0.003);
  EXPECT_EQ(seen("watchkeeper_member_snapshot_duration_average_seconds", kMember), 0.0025);
  EXPECT_FALSE(seen.has("watchkeeper_member_snapshot_duration_maximum_seconds"));
  EXPECT_EQ(seen("watchkeeper_member_update_latency_seconds_count", kMember), 0);
  EXPECT_FALSE(seen.has("watchkeeper_member_update_latency_average_seconds"));
}

TEST(Catalogue, NumbersThatAreNoneNeverAppear) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  StatusAnswer status;
  SummaryValue summary_with_nan = summary_value(3, 4);
  summary_with_nan.quantiles = {{0.5, nan}, {0.99, 2}};
  status.measurements = {number("znode_count", -infinity),
                         number("watch_count", infinity),
                         number("commit_count", -5),
                         summary("fsynctime", summary_value(1e300, 1)),
                         summary("snapshottime", summary_value(-1, 1)),
                         summary("updatelatency", summary_value(1, nan)),
                         summary("readlatency", summary_with_nan)};
  sort_measurements(status);
  const auto seen = scrape(snapshot_of({serving_member("zk1:2181", Role::kLeader, std::move(status))}),
                           {.native = true, .zk = true, .zookeeper39 = true});
  for (const auto* absent :
       {"watchkeeper_member_znodes", "zk_znode_count", "znode_count", "watchkeeper_member_watches",
        "watchkeeper_member_commits_total", "commit_count", "fsynctime", "snapshottime", "updatelatency",
        "watchkeeper_member_update_latency_seconds", "zk_sum_updatelatency",
        "watchkeeper_member_fsync_duration_seconds", "zk_p50_readlatency"})
    EXPECT_FALSE(seen.has(absent)) << absent;
  EXPECT_EQ(seen("readlatency", "instance=zk1:2181,quantile=0.99"), 2);
  EXPECT_EQ(seen("zk_cnt_readlatency", "zk_host=zk1:2181,ensemble=default"), 3);
}

TEST(Catalogue, NoCounterWithoutItsTotalIsAnotherFamily) {
  std::set<std::string> names;
  std::vector<std::string> counters;
  for (const auto rows : {native_catalogue(), zk_catalogue(), zookeeper39_catalogue()}) {
    for (const CatalogueRow& row : rows) {
      names.insert(row.name);
      if (row.type == prometheus::MetricType::Counter) counters.push_back(row.name);
    }
  }
  for (const auto& row : exporter_catalogue()) {
    names.insert(row.name);
    if (row.type == prometheus::MetricType::Counter) counters.push_back(row.name);
  }
  ASSERT_GT(counters.size(), 50U);
  for (const std::string& counter : counters)
    if (counter.ends_with("_total")) {
      EXPECT_FALSE(names.contains(counter.substr(0, counter.size() - 6))) << counter;
    }
}

TEST(Catalogue, SourcesThatWereTriedHaveExactlyOneState) {
  auto member = unknown_member("zk1:2181");
  tell(member, Probe::kSrvr, SourceState::kOk);
  tell(member, Probe::kMntr, SourceState::kOk);
  tell(member, Probe::kMntr, SourceState::kNotWhitelisted);
  member.sources.of(Probe::kSrvr).duration = 3ms;
  const auto seen = scrape(snapshot_of({std::move(member)}), only_native(), noon() + 4s);
  EXPECT_EQ(seen.ones_of("watchkeeper_member_source_state", kMember), std::pair(2, 3));
  EXPECT_EQ(seen("watchkeeper_member_source_state", kMember + ",source=mntr,state=not_whitelisted"), 1);
  EXPECT_EQ(seen("watchkeeper_member_source_state", kMember + ",source=mntr,state=ok"), 0);
  EXPECT_EQ(seen("watchkeeper_member_source_state", kMember + ",source=srvr,state=ok"), 1);
  EXPECT_EQ(seen("watchkeeper_member_source_polls_total", kMember + ",source=mntr,result=not_whitelisted"),
            1);
  EXPECT_EQ(seen("watchkeeper_member_source_polls_total", kMember + ",source=mntr,result=ok"), 1);
  EXPECT_EQ(seen("watchkeeper_member_source_age_seconds", kMember + ",source=srvr"), 4);
  EXPECT_EQ(seen("watchkeeper_member_source_age_seconds", kMember + ",source=mntr"), 4);
  EXPECT_EQ(seen("watchkeeper_member_source_duration_seconds_sum", kMember + ",source=srvr"), 0.003);
}

TEST(Catalogue, DetailIsShownWhileItsSourceAnswers) {
  auto member = serving_member("zk1:2181", Role::kFollower, full_status(Role::kFollower));
  change_facts(member, [](MemberFacts& facts) {
    facts.configuration = {allowing_60_connections(), noon()};
    ConnectionsAnswer connections;
    connections.total = 9;
    connections.with_session = 8;
    connections.by_address = {{"10.0.0.1", 6}, {"10.0.0.2", 3}};
    facts.connections = {std::move(connections), noon()};
    facts.dirs = {DirsAnswer{67108880, std::nullopt}, noon()};
    facts.watches = {WatchesAnswer{2, 5, 7}, noon()};
  });
  for (const auto probe : {Probe::kConf, Probe::kAdminConnections, Probe::kDirs, Probe::kWchs})
    tell(member, probe, SourceState::kOk);
  auto snapshot = snapshot_of({member});
  const auto seen = scrape(snapshot, only_native());
  EXPECT_EQ(seen("watchkeeper_member_max_client_connections", kMember), 60);
  EXPECT_EQ(seen("watchkeeper_member_connections_from_busiest_address", kMember), 6);
  EXPECT_EQ(seen("watchkeeper_member_sessions", kMember), 8);
  EXPECT_EQ(seen("watchkeeper_member_snapshot_directory_bytes", kMember), 67108880);
  EXPECT_FALSE(seen.has("watchkeeper_member_log_directory_bytes"));
  EXPECT_EQ(seen("watchkeeper_member_watched_paths", kMember), 5);
  EXPECT_EQ(seen("watchkeeper_member_watching_connections", kMember), 2);

  tell(snapshot.ensembles[0].members[0], Probe::kAdminConnections, SourceState::kTimedOut);
  const auto later = scrape(snapshot, only_native());
  EXPECT_FALSE(later.has("watchkeeper_member_sessions"));
  EXPECT_FALSE(later.has("watchkeeper_member_connections_from_busiest_address"));
  EXPECT_TRUE(later.has("watchkeeper_member_max_client_connections"));
  snapshot.ensembles[0].members[0].state = ServingState::kUnreachable;
  EXPECT_FALSE(scrape(snapshot, only_native()).has("watchkeeper_member_max_client_connections"));
}

TEST(Catalogue, DetailOlderThanItsLifetimeIsNotRendered) {
  for (const auto age : {34s, 35s}) {
    auto member = serving_member("zk1:2181", Role::kFollower, full_status(Role::kFollower));
    const Moment told = noon() + -age;
    change_facts(member, [&](MemberFacts& facts) {
      facts.configuration = {allowing_60_connections(), told};
      facts.connections = {ConnectionsAnswer{}, told};
      facts.dirs = {DirsAnswer{1, 2}, told};
      facts.watches = {WatchesAnswer{1, 2, 3}, told};
    });
    for (const auto probe : {Probe::kConf, Probe::kAdminConnections, Probe::kAdminDirs, Probe::kWchs})
      tell(member, probe, SourceState::kOk);
    const auto seen = scrape(snapshot_of({member}), only_native());
    for (const char* row :
         {"watchkeeper_member_max_client_connections", "watchkeeper_member_connections_from_busiest_address",
          "watchkeeper_member_sessions", "watchkeeper_member_snapshot_directory_bytes",
          "watchkeeper_member_log_directory_bytes", "watchkeeper_member_watched_paths",
          "watchkeeper_member_watching_connections"})
      EXPECT_EQ(seen.has(row), age == 34s) << row;
  }
}

TEST(Catalogue, CanaryOperationsAreThoseOfTheMode) {
  auto snapshot = snapshot_of({unknown_member("zk1:2181")});
  EXPECT_FALSE(scrape(snapshot).has("watchkeeper_canary_connected"));
  EXPECT_FALSE(scrape(snapshot).has("watchkeeper_canary_rounds_total"));

  auto& ensemble = snapshot.ensembles[0];
  auto& canary = ensemble.members[0].canary;
  canary.operations[static_cast<std::size_t>(CanaryOperation::kSync)]
                   [static_cast<std::size_t>(CanaryResult::kTimedOut)] = 3;
  canary.latency[static_cast<std::size_t>(CanaryOperation::kRead)].record(60us);
  canary.last_ok = noon() + -7s;
  canary.watch_from = "zk2:2181";
  ensemble.canary_rounds_ok = 99;
  ensemble.canary_rounds_failed = 1;
  ensemble.canary_mode = CanaryMode::kRead;
  const auto read = scrape(snapshot, only_native());
  EXPECT_EQ(read("watchkeeper_canary_operations_total", kMember + ",operation=sync,result=timed_out"), 3);
  EXPECT_EQ(read.ones_of("watchkeeper_canary_operations_total", kMember), std::pair(0, 3 * 6));
  EXPECT_EQ(read("watchkeeper_canary_operation_duration_seconds_sum", kMember + ",operation=read"), 0.00006);
  EXPECT_EQ(read("watchkeeper_canary_last_success_age_seconds", kMember), 7);
  EXPECT_EQ(read("watchkeeper_canary_rounds_total", "ensemble=default,result=ok"), 99);
  EXPECT_EQ(read("watchkeeper_canary_rounds_total", "ensemble=default,result=failed"), 1);
  EXPECT_EQ(read("watchkeeper_canary_connected", kMember), 0);
  EXPECT_FALSE(read.has("watchkeeper_canary_watch_delivery_seconds"));

  ensemble.canary_mode = CanaryMode::kWrite;
  const auto write = scrape(snapshot, only_native());
  EXPECT_EQ(write.ones_of("watchkeeper_canary_operations_total", kMember).second, 7 * 6);
  EXPECT_EQ(write("watchkeeper_canary_watch_delivery_seconds_count", kMember + ",from=zk2:2181"), 0);
}

TEST(Catalogue, SamplesOfOneFamilyStandTogetherOverEnsembles) {
  auto snapshot = snapshot_of({serving_member("zk1:2181", Role::kLeader, full_status(Role::kLeader)),
                               serving_member("zk2:2181", Role::kFollower, full_status(Role::kFollower))});
  auto other = snapshot.ensembles[0];
  other.name = "other";
  other.members[0].name = "zk9:2181";
  snapshot.ensembles.push_back(std::move(other));
  const auto families = collected(snapshot, {.native = true, .zk = true, .zookeeper39 = true}, noon());
  const Scrape seen(families);  // finds families and samples that stand twice
  const auto znodes =
      std::ranges::find(families, "watchkeeper_member_znodes", &prometheus::MetricFamily::name);
  EXPECT_EQ(znodes->metric.size(), 4U);
  const auto instances = std::ranges::find(families, "znode_count", &prometheus::MetricFamily::name);
  EXPECT_EQ(instances->metric.size(), 3U)
      << "zk2:2181 is in both ensembles, and zookeeper39 has only the instance";
  const auto learner = std::ranges::find(families, "zk_avg_2_ack_latency", &prometheus::MetricFamily::name);
  EXPECT_EQ(learner->metric.size(), 4U);
}

TEST(Catalogue, HostileLabelValuesPassThroughUnchanged) {
  const std::string hostile = "a\"b\\c\n}{\xff";
  auto status = full_status(Role::kFollower);
  status.version = hostile;
  auto snapshot = snapshot_of({serving_member(hostile, Role::kFollower, std::move(status))});
  snapshot.ensembles[0].name = hostile;
  const auto seen = scrape(snapshot, {.native = true, .zk = true, .zookeeper39 = true});
  EXPECT_EQ(seen("zk_version", "zk_host=" + hostile + ",ensemble=" + hostile + ",version=" + hostile), 1);
  EXPECT_EQ(seen("znode_count", "instance=" + hostile), 7);
}

TEST(Catalogue, ValuesNamedByClientsAreCountedNotShown) {
  StatusAnswer status;
  status.measurements = {
      number("quota_count_usage_per_namespace", 1, "a\"b"), number("quota_count_usage_per_namespace", 2, "c"),
      summary("ack_latency", summary_value(1, 1), "3"), summary("ack_latency", summary_value(1, 1), "03x")};
  sort_measurements(status);
  status.others = {{"zk_something_new", 1}};
  const auto seen = scrape(snapshot_of({serving_member("zk1:2181", Role::kLeader, std::move(status))}));
  EXPECT_EQ(seen("watchkeeper_member_unexported_values", kMember), 4);
  for (const auto& [sample, value] : seen.samples()) {
    EXPECT_EQ(sample.second.find("a\"b"), std::string::npos) << sample.first;
    EXPECT_EQ(sample.first.find("quota"), std::string::npos) << sample.first;
    EXPECT_EQ(sample.first.find("03x"), std::string::npos) << sample.first;
  }
}

TEST(Catalogue, LearnersAreLimited) {
  StatusAnswer status;
  for (int i = 0; i < 300; ++i)
    status.measurements.push_back(summary("ack_latency", summary_value(1, 1), std::to_string(i)));
  sort_measurements(status);
  const auto seen = scrape(snapshot_of({serving_member("zk1:2181", Role::kLeader, std::move(status))}));
  EXPECT_EQ(seen("watchkeeper_member_unexported_values", kMember), 44);
  EXPECT_TRUE(seen.has("zk_cnt_255_ack_latency"));
  EXPECT_FALSE(seen.has("zk_cnt_256_ack_latency"));
}

TEST(Catalogue, ExporterFamiliesHoldWhatWasPassedIn) {
  auto snapshot = snapshot_of({unknown_member("zk1:2181"), unknown_member("zk2:2181")});
  snapshot.exporter.started = noon() + -60s;
  snapshot.exporter.events_dropped = 5;
  snapshot.exporter.poll_rounds_skipped = 6;
  snapshot.exporter.samples_dropped = 7;
  const BuildInfo build{"0.1.0", "abc", "gcc 12"};
  ProcessStats process;
  process.cpu_seconds = 1.5;
  process.open_descriptors = 12;
  HttpCounters http;
  http.responses = {100, 0, 4, 1};
  http.rejected = {{"busy", 2}};
  http.streams = 3;
  http.handler_failures = 8;
  http.web_config_reloads_ok = 9;
  http.web_config_reloads_failed = 10;
  FamilyCollector collector;
  collect_exporter({snapshot, build, process, http}, noon() + 3s, collector);
  const Scrape seen(collector.families());
  EXPECT_EQ(seen("watchkeeper_build_info", "version=0.1.0,revision=abc,compiler=gcc 12"), 1);
  EXPECT_EQ(seen("watchkeeper_exporter_snapshot_age_seconds", ""), 3);
  EXPECT_EQ(seen("watchkeeper_exporter_start_time_seconds", ""), 1'700'000'000 - 60);
  EXPECT_EQ(seen("watchkeeper_exporter_targets", ""), 2);
  EXPECT_EQ(seen("watchkeeper_exporter_events_dropped_total", ""), 5);
  EXPECT_EQ(seen("watchkeeper_exporter_poll_rounds_skipped_total", ""), 6);
  EXPECT_EQ(seen("watchkeeper_exporter_samples_dropped_total", ""), 7);
  EXPECT_EQ(seen("watchkeeper_exporter_http_requests_total", "code_class=2xx"), 100);
  EXPECT_EQ(seen("watchkeeper_exporter_http_requests_total", "code_class=4xx"), 4);
  EXPECT_EQ(seen("watchkeeper_exporter_http_rejected_total", "reason=busy"), 2);
  EXPECT_EQ(seen("watchkeeper_exporter_http_streams", ""), 3);
  EXPECT_EQ(seen("watchkeeper_exporter_handler_failures_total", ""), 8);
  EXPECT_EQ(seen("watchkeeper_exporter_web_config_reloads_total", "result=ok"), 9);
  EXPECT_EQ(seen("watchkeeper_exporter_web_config_reloads_total", "result=failed"), 10);
  EXPECT_EQ(seen("process_cpu_seconds_total", ""), 1.5);
  EXPECT_EQ(seen("process_open_fds", ""), 12);
  EXPECT_FALSE(seen.has("process_max_fds"));
}

}  // namespace
}  // namespace wk::exporter
