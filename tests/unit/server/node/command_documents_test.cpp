// Documents of the AdminServer's commands against what Apache ZooKeeper 3.9.5 sent (tests/golden), from the
// same facts.
#include "server/node/command_documents.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace wk::node {
namespace {

using exporter::Json;

/// The captured document without the fields that stand last in every answer.
Json golden(const std::string& command) {
  const std::string path =
      std::string(WK_SOURCE_DIR) + "/tests/golden/apache-3.9.5/default-provider/adm." + command;
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  Json document = Json::parse(text.substr(text.find("\r\n\r\n") + 4));
  document.erase("command");
  document.erase("error");
  return document;
}

constexpr SessionId kSession{216172866716368896};

ConnectionLine captured_connection() {
  ConnectionLine line{.address = "127.0.0.1",
                      .port = 46690,
                      .interest_ops = 1,
                      .queued = 0,
                      .received = 0,
                      .sent = 0,
                      .session = std::nullopt};
  line.session.emplace();
  line.session->id = kSession;
  line.session->established_ms = 1795295428786;
  line.session->timeout_ms = 10000;
  return line;
}

ServerStatsFacts captured_stats(std::int64_t uptime_ms) {
  return {
      .status = {.version = "3.9.5-293c895a8d966a3ecb92872be4a1daf87d725da2, built on 2026-02-11 20:15 UTC",
                 .latency_min_ms = 0,
                 .latency_mean_ms = 0.46453,
                 .latency_max_ms = 3,
                 .received = 200,
                 .sent = 262,
                 .connections = 1,
                 .outstanding = 0,
                 .zxid = Zxid{4294967637},
                 .mode = "leader",
                 .nodes = 222},
      .last_response = 16,
      .least_response = 16,
      .most_response = 2131,
      .slow_fsyncs = 0,
      .auth_failures = 0,
      .uptime_ms = uptime_ms,
      .data_dir_bytes = 67109538,
      .log_dir_bytes = 67109538};
}

TEST(CommandDocuments, Configuration) {
  EXPECT_EQ(configuration_document({.client_port = 42183,
                                    .data_dir = "/var/lib/zookeeper/version-2",
                                    .log_dir = "/var/lib/zookeeper/version-2",
                                    .tick_ms = 2000,
                                    .connections_per_address_max = 60,
                                    .session_timeout_min_ms = 4000,
                                    .session_timeout_max_ms = 40000,
                                    .listen_backlog = -1,
                                    .server_id = 3}),
            golden("configuration"));
}

TEST(CommandDocuments, Connections) {
  const std::vector<ConnectionLine> one{captured_connection()};
  EXPECT_EQ(connections_document(one), golden("connections"));
  EXPECT_EQ(connections_document({}).dump(), R"({"connections":[],"secure_connections":[]})");
}

TEST(CommandDocuments, AConnectionWithoutSessionHasFiveFields) {
  std::vector<ConnectionLine> one{captured_connection()};
  one.front().session.reset();
  one.front().address = "::1";
  EXPECT_EQ(connections_document(one)["connections"].dump(),
            R"([{"remote_socket_address":"[::1]:46690","interest_ops":1,"outstanding_requests":0,)"
            R"("packets_received":0,"packets_sent":0}])");
}

TEST(CommandDocuments, AConnectionThatWasAnswered) {
  std::vector<ConnectionLine> one{captured_connection()};
  ConnectionLine::Session& session = *one.front().session;
  session.last_operation = "GETD";
  session.last_cxid = 7;
  session.last_zxid = Zxid{0x100000002};
  session.last_response_ms = 5000;
  session.latency_last_ms = 1;
  session.latency_max_ms = 9;
  const Json told = connections_document(one)["connections"][0];
  EXPECT_EQ(told["last_operation"], "GETD");
  EXPECT_EQ(told["last_cxid"], 7);
  EXPECT_EQ(told["last_zxid"], 0x100000002);
  EXPECT_EQ(told["last_response_time"], 5000);
  EXPECT_EQ(told["last_latency"], 1);
  EXPECT_EQ(told["max_latency"], 9);
}

TEST(CommandDocuments, Dirs) { EXPECT_EQ(dirs_document(67109538, 67109538), golden("dirs")); }

TEST(CommandDocuments, Dump) {
  const auto at = [](int s) { return std::chrono::steady_clock::time_point(std::chrono::seconds(s)); };
  const SessionsByEnd sessions{{at(1332), {}},
                               {at(1334), {}},
                               {at(1336), {}},
                               {at(1340),
                                {SessionId{288230460754034688}, SessionId{144115272678178816}, kSession,
                                 SessionId{72057678645362688}}}};
  EXPECT_EQ(dump_document(sessions, {{SessionId{144115272678178816}, {"/app/eph"}}}), golden("dump"));
}

TEST(CommandDocuments, SystemPropertiesAreThoseOfTheEnvironmentThatJavaHasAsSuch) {
  const Entries entries{{"zookeeper.version", "3"}, {"host.name", "h"}, {"java.version", "none"},
                        {"os.name", "Linux"},       {"user.dir", "/"},  {"os.memory.free", "1MB"}};
  EXPECT_EQ(system_properties_document(entries).dump(),
            R"({"java.version":"none","os.name":"Linux","user.dir":"/"})");
  EXPECT_EQ(environment_document(entries).size(), 6U);
}

TEST(CommandDocuments, Hash) {
  EXPECT_EQ(hash_document({{Zxid{4294967424}, 209222526652}, {Zxid{4294967552}, 424080379975}}),
            golden("hash"));
  EXPECT_EQ(hash_document({{Zxid{1}, 0xffffffffffffffff}})["digests"][0]["digest"], -1);
}

TEST(CommandDocuments, LastSnapshot) {
  EXPECT_EQ(last_snapshot_document(SnapshotFacts{Zxid{0}, 1795295398}), golden("last_snapshot"));
  EXPECT_EQ(last_snapshot_document(SnapshotFacts{Zxid{0x10000000a}, 5})["zxid"], "10000000a");
  EXPECT_EQ(last_snapshot_document(std::nullopt).dump(), R"({"zxid":"ffffffffffffffff","timestamp":-1})");
}

TEST(CommandDocuments, MonitorIsMntrWithoutThePrefix) {
  EXPECT_EQ(monitor_document("zk_version\t3.9.5-x, built on D\nzk_server_state\tstandalone\n"
                             "zk_znode_count\t5\nzk_avg_latency\t0.4645\nzk_p50_x\tNaN\nzk_low\t-1\n")
                .dump(),
            R"({"version":"3.9.5-x, built on D","server_state":"standalone","znode_count":5,)"
            R"("avg_latency":0.4645,"p50_x":"NaN","low":-1})");
}

TEST(CommandDocuments, ServerStatsOfALeaderAreOursAndTheSizesOfProposals) {
  Json expected = golden("server_stats");
  expected.erase("proposal_stats");
  EXPECT_EQ(server_stats_document(captured_stats(39914)), expected);
}

TEST(CommandDocuments, ServerStatsBeforeTheFirstReply) {
  ServerStatsFacts facts = captured_stats(1);
  facts.last_response = facts.least_response = facts.most_response = std::nullopt;
  EXPECT_EQ(server_stats_document(facts)["client_response"].dump(),
            R"({"last_buffer_size":-1,"min_buffer_size":-1,"max_buffer_size":-1})");
}

TEST(CommandDocuments, Stats) {
  Json expected = golden("stats");
  expected.erase("proposal_stats");
  const std::vector<ConnectionLine> one{captured_connection()};
  EXPECT_EQ(stats_document(captured_stats(39923), one), expected);
}

TEST(CommandDocuments, Watches) {
  EXPECT_EQ(watch_summary_document(1, 60, 60), golden("watch_summary"));
  PathsBySession by_session;
  SessionsByPath by_path;
  const Json captured = golden("watches");
  for (const Json& path : captured["session_id_to_watched_paths"][std::to_string(kSession.value)]) {
    by_session[kSession].push_back(path);
    by_path[path].push_back(kSession);
  }
  EXPECT_EQ(by_session[kSession].size(), 60U);
  EXPECT_EQ(watches_document(by_session), captured);
  // Paths come in no order there and sorted here.
  const auto sorted = [](const Json& document) { return nlohmann::json::parse(document.dump()); };
  EXPECT_EQ(sorted(watches_by_path_document(by_path)), sorted(golden("watches_by_path")));
}

}  // namespace
}  // namespace wk::node
