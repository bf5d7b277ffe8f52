#include "exporter/app/api_tables.h"

#include <gtest/gtest.h>

#include "tests/unit/exporter/app/sample_snapshot.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kFresh{10};

/// A member whose newest visit, 300 ms ago, brought these facts.
std::shared_ptr<MemberFacts> facts_of_newest_visit() {
  auto facts = std::make_shared<MemberFacts>();
  StatusAnswer status;
  status.implementation = Implementation::kApache;
  status.version = "3.9.5";
  for (const ZkMetric& metric : zk_metrics())
    for (const auto& [name, value] :
         std::map<std::string_view, double>{{"outstanding_requests", 3.0}, {"znode_count", 40.0}})
      if (metric.name == name) status.measurements.push_back({&metric, "", value});
  facts->status = {status, sample::now() + -300ms};
  ConnectionsAnswer connections;
  connections.total = 3;
  connections.with_session = 2;
  connections.by_address = {{"10.0.0.1", 2}, {"10.0.0.2", 1}};
  ClientConnection& busiest = connections.busiest.emplace_back();
  busiest.address = "10.0.0.1";
  busiest.port = 4000;
  busiest.session = SessionId{0x10};
  busiest.received = 7;
  facts->connections = {connections, sample::now() + -4s};
  return facts;
}

EnsembleView ensemble_with_facts() {
  EnsembleView view = sample::healthy_ensemble("a");
  view.members[0].facts = facts_of_newest_visit();
  return view;
}

HistoryRow row_of(std::chrono::system_clock::time_point at) {
  HistoryRow row;
  row.at = std::chrono::floor<std::chrono::seconds>(at);
  row.members.resize(3);
  row.members[0][static_cast<std::size_t>(MemberSeries::kLatencyAverageMs)] = 0.1F;
  row.members[0][static_cast<std::size_t>(MemberSeries::kCanaryLatencyMs)] = 2.5F;
  row.ensemble[static_cast<std::size_t>(EnsembleSeries::kQuorumMargin)] = 1.0F;
  return row;
}

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

TEST(ApiTables, MembersTellTheirNumbersWhileTheyAreFresh) {
  const Json table = members_table(ensemble_with_facts(), row_of(sample::now().wall), kFresh, sample::now());
  EXPECT_EQ(table["ensemble"], "a");
  EXPECT_EQ(table["time"], "2026-11-21T22:40:01.250Z");
  ASSERT_EQ(table["members"].size(), 3u);
  const Json& member = table["members"][0];
  EXPECT_EQ(member["member"], "zk1:2181");
  EXPECT_EQ(member["id"], "1");
  EXPECT_EQ(member["state"], "serving");
  EXPECT_EQ(member["role"], "follower");
  EXPECT_EQ(member["epoch"], 5);
  EXPECT_EQ(member["zxid"], "0x500000010");
  EXPECT_EQ(member["version"], "3.9.5");
  EXPECT_EQ(member["implementation"], "apache");
  EXPECT_EQ(member["safe_to_stop"]["safe"], true);
  EXPECT_EQ(member["fresh"], true);
  EXPECT_EQ(member["age_seconds"], 0.3);
  EXPECT_EQ(member["last_answer"], "2026-11-21T22:40:00.950Z");
  EXPECT_EQ(member["outstanding_requests"], 3);
  EXPECT_EQ(member["znodes"], 40);
  EXPECT_EQ(member["sessions"], 2);
  EXPECT_EQ(member["watches"], nullptr);
  EXPECT_EQ(member["latency_average_ms"], 0.1);
  EXPECT_EQ(member["canary"]["latency_ms"], 2.5);
  EXPECT_EQ(member["trouble"], nullptr);
}

TEST(ApiTables, FieldsOfAMemberNeverDependOnWhatIsKnown) {
  const Json known = members_table(ensemble_with_facts(), row_of(sample::now().wall), kFresh, sample::now());
  const Json unknown = members_table(sample::unknown_ensemble("a"), std::nullopt, kFresh, sample::now());
  EXPECT_EQ(keys_of(known["members"][0]), keys_of(unknown["members"][0]));
  EXPECT_EQ(keys_of(known["members"][0]["canary"]), keys_of(unknown["members"][0]["canary"]));
  for (const char* field : {"id", "address", "zxid", "epoch", "lag_transactions", "version", "last_answer",
                            "age_seconds", "outstanding_requests", "sessions", "latency_average_ms"})
    EXPECT_EQ(unknown["members"][0][field], nullptr) << field;
  EXPECT_EQ(unknown["members"][0]["fresh"], false);
}

TEST(ApiTables, OldNumbersAreLeftOutAndTheirAgeTold) {
  EnsembleView view = ensemble_with_facts();
  view.members[0].last_poll = sample::now() + -100ms;  // a later visit brought no status
  const Json member = members_table(view, row_of(sample::now().wall), kFresh, sample::now())["members"][0];
  EXPECT_EQ(member["fresh"], false);
  EXPECT_EQ(member["age_seconds"], 0.3);
  EXPECT_EQ(member["version"], "3.9.5") << "a version does not grow old";
  for (const char* field : {"outstanding_requests", "znodes", "sessions", "latency_average_ms"})
    EXPECT_EQ(member[field], nullptr) << field;

  // No visit at all any more: the watcher hangs.
  const Json later = members_table(ensemble_with_facts(), row_of(sample::now().wall), kFresh,
                                   sample::now() + 10s)["members"][0];
  EXPECT_EQ(later["fresh"], false);
  EXPECT_EQ(later["znodes"], nullptr);
}

TEST(ApiTables, ARowOfAnotherTimeIsNotUsed) {
  for (const auto distance : {-11s, 11s}) {
    const Json member = members_table(ensemble_with_facts(), row_of(sample::now().wall + distance), kFresh,
                                      sample::now())["members"][0];
    EXPECT_EQ(member["latency_average_ms"], nullptr);
    EXPECT_EQ(member["outstanding_requests"], 3);
  }
}

TEST(ApiTables, TroubleIsTheWorstProblemThatNamesTheMember) {
  EnsembleView view = ensemble_with_facts();
  view.problems = {
      {"no_leader", Severity::kCritical, "no leader", "", "", "ZooKeeperNoLeader", {}},
      {"lag", Severity::kWarning, "zk1 is behind", "", "wait", "ZooKeeperFollowerLag", {"zk1:2181"}},
      {"x", Severity::kInfo, "less", "", "", "ZooKeeperMemberDown", {"zk1:2181"}}};
  const Json members = members_table(view, std::nullopt, kFresh, sample::now())["members"];
  EXPECT_EQ(members[0]["trouble"], "zk1 is behind");
  EXPECT_EQ(members[0]["remedy"], "wait");
  EXPECT_EQ(members[0]["severity"], "warning");
  EXPECT_EQ(members[0]["runbook"], "ZooKeeperFollowerLag");
  EXPECT_EQ(members[1]["trouble"], nullptr);
}

TEST(ApiTables, ConnectionsOfAllMembers) {
  const Json table = connections_table(ensemble_with_facts(), sample::now());
  ASSERT_EQ(table["members"].size(), 3u);
  EXPECT_EQ(table["members"][0],
            Json({{"member", "zk1:2181"}, {"age_seconds", 4.0}, {"connections", 3}, {"with_session", 2}}));
  EXPECT_EQ(table["members"][1]["connections"], nullptr);
  ASSERT_EQ(table["addresses"].size(), 2u);
  EXPECT_EQ(
      table["addresses"][1],
      Json({{"member", "zk1:2181"}, {"age_seconds", 4.0}, {"address", "10.0.0.2"}, {"connections", 1}}));
  ASSERT_EQ(table["connections"].size(), 1u);
  EXPECT_EQ(table["connections"][0]["member"], "zk1:2181");
  EXPECT_EQ(table["connections"][0]["session"], "0x10");
  EXPECT_EQ(table["connections"][0]["received"], 7);
  EXPECT_EQ(table["connections"][0]["sent"], nullptr);
}

TEST(ApiTables, ConfigurationSideBySide) {
  EnsembleView view = sample::healthy_ensemble("a");
  const auto configured = [](std::string tick_time, std::string_view version) {
    auto facts = std::make_shared<MemberFacts>();
    StatusAnswer status;
    status.version = version;
    facts->status = {status, sample::now()};
    ConfigurationAnswer configuration;
    configuration.entries = {{"clientPort", "2181"}, {"tickTime", std::move(tick_time)}};
    configuration.membership = {{ServerId{1}, "zk1", 2888, 3888, true, "0.0.0.0:2181"},
                                {ServerId{2}, "zk2", 2888, 3888, false, ""}};
    facts->configuration = {configuration, sample::now() + -2s};
    return facts;
  };
  view.members[0].facts = configured("2000", "3.9.5");
  view.members[1].facts = configured("3000", "3.9.5");
  view.drift = {{"tickTime", {{"zk1:2181", "2000"}, {"zk2:2181", "3000"}}}};
  const Json table = configuration_table(view, sample::now());
  EXPECT_EQ(table["members"][0], Json({{"member", "zk1:2181"}, {"age_seconds", 2.0}, {"fresh", true}}));
  EXPECT_EQ(table["members"][2], Json({{"member", "zk3:2181"}, {"age_seconds", nullptr}, {"fresh", false}}));
  std::map<std::string, Json> rows;
  for (const Json& row : table["keys"]) rows[row["key"]] = row;
  EXPECT_EQ(rows.size(), 5u);
  EXPECT_EQ(rows["tickTime"],
            Json({{"key", "tickTime"},
                  {"differs", true},
                  {"drift", true},
                  {"values", {{"zk1:2181", "2000"}, {"zk2:2181", "3000"}, {"zk3:2181", nullptr}}}}));
  EXPECT_EQ(rows["clientPort"]["differs"], false) << "what is not known differs from nothing";
  EXPECT_EQ(rows["clientPort"]["drift"], false);
  EXPECT_EQ(rows["version"]["values"]["zk2:2181"], "3.9.5");
  EXPECT_EQ(rows["server.1"]["values"]["zk1:2181"], "zk1:2888:3888:participant;0.0.0.0:2181");
  EXPECT_EQ(rows["server.2"]["values"]["zk1:2181"], "zk2:2888:3888:observer");
}

TEST(ApiTables, AConfigurationOfYesterdayIsShownAndNotCompared) {
  EnsembleView view = sample::healthy_ensemble("a");
  for (const auto& [member, tick_time, age] :
       {std::tuple{std::size_t{0}, "2000", 2s}, {std::size_t{1}, "3000", 86'400s}}) {
    auto facts = std::make_shared<MemberFacts>();
    ConfigurationAnswer configuration;
    configuration.entries = {{"tickTime", tick_time}};
    facts->configuration = {configuration, sample::now() + -age};
    view.members[member].facts = facts;
  }
  const Json table = configuration_table(view, sample::now());
  EXPECT_EQ(table["members"][1], Json({{"member", "zk2:2181"}, {"age_seconds", 86'400.0}, {"fresh", false}}));
  EXPECT_EQ(table["keys"][0]["values"]["zk2:2181"], "3000");
  EXPECT_EQ(table["keys"][0]["differs"], false);
}

TEST(ApiTables, ConnectionsOfAMemberThatIsGoneAreNotListed) {
  EnsembleView view = ensemble_with_facts();
  view.members[0].state = ServingState::kUnreachable;
  const Json table = connections_table(view, sample::now());
  EXPECT_EQ(table["members"][0]["connections"], nullptr);
  EXPECT_EQ(table["addresses"], Json::array());
  EXPECT_EQ(table["connections"], Json::array());
}

TEST(ApiTables, SourcesThatWereAsked) {
  const Json healthy = sources_table(sample::healthy_ensemble("a"), sample::now());
  ASSERT_EQ(healthy["sources"].size(), 3u);
  EXPECT_EQ(healthy["sources"][0]["member"], "zk1:2181");
  EXPECT_EQ(healthy["sources"][0]["source"], "mntr");
  EXPECT_EQ(healthy["sources"][0]["state"], "ok");
  EXPECT_EQ(sources_table(sample::unknown_ensemble("a"), sample::now())["sources"], Json::array());
}

TEST(ApiTables, EnsemblesInOneLineEach) {
  const Json table = ensembles_table(
      sample::snapshot({sample::healthy_ensemble("a"), sample::dead_ensemble("b")}), sample::now());
  ASSERT_EQ(table["ensembles"].size(), 2u);
  const Json& good = table["ensembles"][0];
  const Json& bad = table["ensembles"][1];
  EXPECT_EQ(keys_of(good), keys_of(bad));
  EXPECT_EQ(good["name"], "a");
  EXPECT_EQ(good["status"], "ok");
  EXPECT_EQ(good["leader"], "zk2:2181");
  EXPECT_EQ(good["margin"], 1);
  EXPECT_EQ(bad["status"], "critical");
  EXPECT_EQ(bad["leader"], nullptr);
  EXPECT_EQ(bad["problems"], 1);
  EXPECT_EQ(bad["unserved_seconds_total"], 60.0);
}

TEST(ApiTables, AHistoryRowNamesItsSeries) {
  const Json row = history_row_document(sample::healthy_ensemble("a"), row_of(sample::now().wall));
  EXPECT_EQ(row["ensemble"], "a");
  EXPECT_EQ(row["time"], 1'795'300'801);
  EXPECT_EQ(keys_of(row["members"]), (std::vector<std::string>{"zk1:2181", "zk2:2181", "zk3:2181"}));
  EXPECT_EQ(row["members"]["zk1:2181"].size(), kMemberSeriesCount);
  EXPECT_EQ(row["members"]["zk1:2181"]["canary_latency_ms"], 2.5);
  EXPECT_EQ(row["members"]["zk2:2181"]["canary_latency_ms"], nullptr);
  EXPECT_EQ(row["series"]["quorum_margin"], 1);
  EXPECT_EQ(row["series"].size(), kEnsembleSeriesCount);
}

}  // namespace
}  // namespace wk::exporter
