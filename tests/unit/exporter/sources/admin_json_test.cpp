#include "exporter/sources/admin_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/exporter/sources/golden.h"

namespace wk::exporter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using namespace std::chrono_literals;

const std::string kAdmin = "apache-3.9.5/default-provider/adm.";

TEST(ParseAdminMonitor, LeaderOfApache395) {
  const auto answer = answer_of<StatusAnswer>(parse_admin_monitor(200, golden_body(kAdmin + "monitor")));
  EXPECT_EQ(answer.version, "3.9.5");
  EXPECT_EQ(answer.role, Role::kLeader);
  EXPECT_EQ(answer.phase, ZabPhase::kBroadcast);
  EXPECT_EQ(answer.number("packets_sent"), 262);
  EXPECT_EQ(answer.number("commit_count"), 341);
  ASSERT_NE(answer.summary("readlatency"), nullptr);
  EXPECT_EQ(answer.summary("readlatency")->quantiles.size(), 4U);
  EXPECT_THAT(unknown_names(answer), IsEmpty());
  EXPECT_EQ(answer.dropped, 0U);
}

TEST(ParseAdminMonitor, PrometheusProvidersSpelling) {
  struct Member {
    const char* number;
    Role role;
  };
  for (const auto& [number, role] : {Member{"1", Role::kFollower}, Member{"2", Role::kFollower},
                                     Member{"3", Role::kLeader}, Member{"4", Role::kObserver}}) {
    const auto answer = answer_of<StatusAnswer>(parse_admin_monitor(
        200, golden_body(std::string("apache-3.9.5/prometheus-provider/monitor.") + number)));
    EXPECT_EQ(answer.role, role);
    EXPECT_EQ(answer.number("quorum_size"), 3);
    EXPECT_THAT(unknown_names(answer), IsEmpty());
    EXPECT_EQ(answer.dropped, 0U);
    EXPECT_NE(find(answer, "write_per_namespace", "app"), nullptr);
  }
}

TEST(ParseAdmin, StatesOfAMemberThatDoesNotServe) {
  const std::string not_serving =
      R"({ "command" : "dirs", "error" : "This ZooKeeper instance is not currently serving requests" })";
  EXPECT_EQ(parse_admin_dirs(200, not_serving).state, SourceState::kNotServing);
  EXPECT_EQ(parse_admin_connections(200, not_serving).state, SourceState::kNotServing);
  const std::string page =
      "<html><head><title>Error 500 java.lang.NullPointerException</title></head></html>";
  EXPECT_EQ(parse_admin_monitor(500, page).state, SourceState::kNotServing);
  const Parsed other = parse_admin_monitor(500, "<html><head><title>Error 500 disk</title></head></html>");
  EXPECT_EQ(other.state, SourceState::kHttpError);
  EXPECT_EQ(other.detail, "HTTP 500: Error 500 disk");
  EXPECT_EQ(parse_admin_monitor(404, "").state, SourceState::kHttpError);
  const Parsed unknown =
      parse_admin_zabstate(200, R"({"command":"zabstate","error":"Unknown command: zabstate"})");
  EXPECT_EQ(unknown.state, SourceState::kHttpError);
  EXPECT_EQ(unknown.detail, "Unknown command: zabstate");
}

TEST(ParseAdminServerStats, TellsTheZxid) {
  const auto answer =
      answer_of<StatusAnswer>(parse_admin_server_stats(200, golden_body(kAdmin + "server_stats")));
  EXPECT_EQ(answer.version, "3.9.5");
  EXPECT_EQ(answer.role, Role::kLeader);
  EXPECT_EQ(answer.zxid, Zxid{4294967637});
  EXPECT_EQ(answer.number("fsync_threshold_exceed_count"), 0);
  EXPECT_EQ(answer.number("uptime"), 39914);
  EXPECT_EQ(answer.number("znode_count"), 222);
  EXPECT_EQ(answer.number("max_client_response_size"), 2131);
  EXPECT_EQ(answer.number("min_proposal_size"), 48);
  EXPECT_EQ(answer.number("num_alive_connections"), 1);
  EXPECT_EQ(answer.number("avg_latency"), 0.4645);
  EXPECT_EQ(answer.dropped, 0U);
}

TEST(ParseAdminConfiguration, KeysAreSpelledAsConfDoes) {
  const auto answer =
      answer_of<ConfigurationAnswer>(parse_admin_configuration(200, golden_body(kAdmin + "configuration")));
  EXPECT_EQ(answer.server_id, ServerId{3});
  EXPECT_EQ(answer.entry_number("clientPort"), 42183);
  EXPECT_EQ(answer.entry_number("maxClientCnxns"), 60);
  EXPECT_EQ(answer.entry("dataLogDir"), "/var/lib/zookeeper/version-2");
  EXPECT_EQ(answer.entry_number("clientPortListenBacklog"), -1);
  EXPECT_EQ(answer.entries.size(), 9U);
}

TEST(ParseAdminVotingView, Voters) {
  const auto answer =
      answer_of<ConfigurationAnswer>(parse_admin_voting_view(200, golden_body(kAdmin + "voting_view")));
  ASSERT_EQ(answer.membership.size(), 3U);
  EXPECT_EQ(answer.membership[0].client_address, "");
  EXPECT_EQ(answer.membership[2].id, ServerId{3});
  EXPECT_EQ(answer.membership[2].host, "127.0.0.1");
  EXPECT_EQ(answer.membership[2].quorum_port, 42883);
  EXPECT_EQ(answer.membership[2].election_port, 43883);
  EXPECT_EQ(answer.membership[2].client_address, "127.0.0.1:42183");
  EXPECT_TRUE(answer.membership[2].voter);
  EXPECT_EQ(
      parse_admin_voting_view(200, R"({"current_config":{"1":{}},"command":"voting_view","error":null})")
          .state,
      SourceState::kMalformed);
}

TEST(ParseAdminConnections, SessionIdsAreExact) {
  const auto answer =
      answer_of<ConnectionsAnswer>(parse_admin_connections(200, golden_body(kAdmin + "connections")));
  EXPECT_EQ(answer.total, 1U);
  EXPECT_EQ(answer.with_session, 1U);
  EXPECT_THAT(answer.by_address, ElementsAre(Pair("127.0.0.1", 1U)));
  ASSERT_EQ(answer.busiest.size(), 1U);
  EXPECT_EQ(answer.busiest[0].session, SessionId{216172866716368896});
  EXPECT_EQ(answer.busiest[0].session_timeout, 10s);
  const auto both = answer_of<ConnectionsAnswer>(parse_admin_connections(
      200,
      R"({"connections":[{"remote_socket_address":"a:1","session_id":9007199254740993}],)"
      R"("secure_connections":[{"remote_socket_address":"[::1]:2"}],"command":"connections","error":null})"));
  EXPECT_EQ(both.total, 2U);
  EXPECT_EQ(both.with_session, 1U);
  ASSERT_EQ(both.busiest.size(), 2U);
  EXPECT_EQ(both.busiest[1].address, "a");
  EXPECT_EQ(both.busiest[1].session, SessionId{9007199254740993});
  EXPECT_EQ(
      parse_admin_connections(200, R"({"connections":[{}],"command":"connections","error":null})").state,
      SourceState::kMalformed);
}

TEST(ParseAdminConnections, AConnectionThatJustClosedIsLeftOut) {
  const auto answer = answer_of<ConnectionsAnswer>(parse_admin_connections(
      200, R"({"connections":[{"remote_socket_address":null},{"remote_socket_address":"a:1"}],)"
           R"("command":"connections","error":null})"));
  EXPECT_EQ(answer.total, 1U);
  EXPECT_THAT(answer.by_address, ElementsAre(Pair("a", 1U)));
}

TEST(ParseAdminZabstate, ServingAndLooking) {
  const auto answer = answer_of<ZabAnswer>(parse_admin_zabstate(200, golden_body(kAdmin + "zabstate")));
  EXPECT_EQ(answer.my_id, ServerId{3});
  EXPECT_EQ(answer.is_leader, true);
  EXPECT_EQ(answer.voting, true);
  EXPECT_EQ(answer.last_zxid, Zxid{0x100000155});
  EXPECT_EQ(answer.phase, ZabPhase::kBroadcast);
  const auto looking = answer_of<ZabAnswer>(
      parse_admin_zabstate(200, R"({"voting":false,"zabstate":"","command":"zabstate","error":null})"));
  EXPECT_EQ(looking.phase, ZabPhase::kUnknown);
  EXPECT_EQ(looking.voting, false);
  EXPECT_EQ(looking.my_id, std::nullopt);
  EXPECT_EQ(
      answer_of<ZabAnswer>(parse_admin_zabstate(200, R"({"zabstate":"election","command":"z","error":null})"))
          .phase,
      ZabPhase::kElection);
}

TEST(ParseAdmin, SmallAnswers) {
  const auto dirs = answer_of<DirsAnswer>(parse_admin_dirs(200, golden_body(kAdmin + "dirs")));
  EXPECT_EQ(dirs.snapshot_bytes, 67109538U);
  EXPECT_EQ(dirs.log_bytes, 67109538U);
  const auto watches =
      answer_of<WatchesAnswer>(parse_admin_watch_summary(200, golden_body(kAdmin + "watch_summary")));
  EXPECT_EQ(watches.connections, 1U);
  EXPECT_EQ(watches.paths, 60U);
  EXPECT_EQ(watches.watches, 60U);
  const auto digests = answer_of<DigestsAnswer>(parse_admin_hash(200, golden_body(kAdmin + "hash")));
  EXPECT_THAT(digests.digests,
              ElementsAre(Digest{Zxid{4294967424}, 209222526652}, Digest{Zxid{4294967552}, 424080379975}));
}

TEST(ParseAdmin, DigestsAreOldestFirstInWhateverOrderTheyAreTold) {
  const auto told = answer_of<DigestsAnswer>(parse_admin_hash(
      200, R"({"digests":[{"zxid":384,"digest":3},{"zxid":128,"digest":1},{"zxid":-1,"digest":9},)"
           R"({"zxid":256,"digest":2}],"command":"hash","error":null})"));
  EXPECT_THAT(told.digests, ElementsAre(Digest{Zxid{128}, 1}, Digest{Zxid{256}, 2}, Digest{Zxid{384}, 3},
                                        Digest{Zxid{0xFFFFFFFFFFFFFFFF}, 9}));

  std::string list;
  for (int digest = 600; digest > 0; --digest)
    list += (list.empty() ? "" : ",") +
            ("{\"zxid\":" + std::to_string(digest * 128) + ",\"digest\":" + std::to_string(digest) + "}");
  const auto newest = answer_of<DigestsAnswer>(
      parse_admin_hash(200, "{\"digests\":[" + list + "],\"command\":\"hash\",\"error\":null}"));
  ASSERT_EQ(newest.digests.size(), DigestsAnswer::kLimit);
  EXPECT_EQ(newest.digests.front().value, 89U);
  EXPECT_EQ(newest.digests.back().value, 600U);
}

TEST(ParseAdmin, CutAtAnyByteIsTold) {
  struct Command {
    Parsed (*parse)(int, std::string_view);
    const char* file;
  };
  for (const auto& [parse, file] :
       {Command{parse_admin_monitor, "monitor"}, Command{parse_admin_server_stats, "server_stats"},
        Command{parse_admin_configuration, "configuration"}, Command{parse_admin_voting_view, "voting_view"},
        Command{parse_admin_connections, "connections"}, Command{parse_admin_zabstate, "zabstate"},
        Command{parse_admin_dirs, "dirs"}, Command{parse_admin_watch_summary, "watch_summary"},
        Command{parse_admin_hash, "hash"}}) {
    const std::string text = golden_body(kAdmin + file);
    const std::size_t step =
        text.size() > 4096 ? 61 : 1;  // a monitor answer of 22 KB is not parsed 22,000 times
    for (std::size_t length = 0; length < text.size(); length += step)
      EXPECT_EQ(parse(200, std::string_view(text).substr(0, length)).state, SourceState::kTruncated)
          << file << " " << length;
  }
}

TEST(ParseAdminConnections, WhatIsNotReadIsNotKept) {
  const auto wrap = [](const std::string& lists) {
    return parse_admin_connections(200, "{" + lists + R"(,"command":"connections","error":null})");
  };
  EXPECT_EQ(
      answer_of<ConnectionsAnswer>(
          wrap(R"("connections":[0,"a",[1],null,{"remote_socket_address":"a:1","x":[1,{"y":2}]}],"z":[1])"))
          .total,
      1U);
  EXPECT_EQ(answer_of<ConnectionsAnswer>(wrap(R"("connections":[])")).total, 0U);
  EXPECT_EQ(wrap(R"("connections":{"a":0})").state, SourceState::kMalformed);
}

TEST(ParseAdmin, HostileJson) {
  EXPECT_EQ(parse_admin_dirs(200, "[]").state, SourceState::kMalformed);
  EXPECT_EQ(parse_admin_dirs(200, "{}").state, SourceState::kMalformed);
  EXPECT_EQ(parse_admin_dirs(200, "{\"a\":\"\xff\"}").state, SourceState::kMalformed);
  EXPECT_EQ(parse_admin_dirs(200, std::string(1 << 20, '[')).state, SourceState::kTruncated);
  EXPECT_EQ(
      parse_admin_hash(
          200, R"({"digests":[{"zxid":99999999999999999999,"digest":1}],"command":"hash","error":null})")
          .state,
      SourceState::kMalformed);
  const auto dirs = answer_of<DirsAnswer>(parse_admin_dirs(
      200, R"({"datadir_size":-5,"logdir_size":18446744073709551615,"command":"dirs","error":null})"));
  EXPECT_EQ(dirs.snapshot_bytes, std::nullopt);
  EXPECT_EQ(dirs.log_bytes, std::nullopt);
}

}  // namespace
}  // namespace wk::exporter
