#include "server/node/commands.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "tests/unit/server/node/silent_owner.h"
#include "tests/unit/server/replica/member.h"

namespace wk::node {
namespace {

using exporter::Json;
using testing::ElementsAre;
using testing::HasSubstr;

/// Commands over a member with one client; the core answers at once.
class CommandsTest : public testing::Test {
 protected:
  CommandsTest()
      : port_(io_, {}, owner_),
        inspection_(config_, "/nowhere/version-2", "/nowhere/version-2", member_.replica, port_,
                    surroundings_),
        words_(config_, inspection_, member_.replica, stats_, [](const Moment&) { return std::string(); }) {
    client_.open();
  }

  [[nodiscard]] Json document(std::string_view name) const {
    const CommandAnswer answer = commands_.answer(name);
    EXPECT_EQ(answer.status, 200) << name;
    EXPECT_EQ(answer.document["error"], nullptr) << name;
    return answer.document;
  }

  /// Sets a data watch on a znode that does not exist.
  jute::ErrorCode watch(const std::string& path) {
    return client_.outcome(jute::OpCode::kExists, jute::ReadRequest{path, true});
  }

  static std::vector<std::string> keys(const Json& document) {
    std::vector<std::string> all;
    for (const auto& field : document.items()) all.push_back(field.key());
    return all;
  }

  SilentOwner owner_;
  boost::asio::io_context io_;
  config::Config config_ = [] {
    config::Config config;
    config.four_letter_words = {"wchp", "wchc", "dump", "wchs"};
    return config;
  }();
  net::ClientPort port_;
  replica::Member member_;
  replica::Client client_{member_};
  NodeStats stats_;
  Surroundings surroundings_;
  Inspection inspection_;
  Words words_;
  Inquiries inquiries_{[](const std::function<void()>& task) { task(); }};
  Commands commands_{{inquiries_, inspection_, words_, stats_,
                      [] { return std::string("zk_version\t3.9.5\nzk_znode_count\t5\n"); },
                      storage::posix_file_system()}};
};

TEST_F(CommandsTest, NamesAreThoseThatOnlyRead) {
  EXPECT_THAT(Commands::names(),
              ElementsAre("configuration", "connections", "dirs", "dump", "environment", "get_trace_mask",
                          "hash", "initial_configuration", "is_read_only", "last_snapshot", "leader",
                          "monitor", "observers", "ruok", "server_stats", "stats", "system_properties",
                          "voting_view", "watch_summary", "watches", "watches_by_path", "zabstate"));
}

TEST_F(CommandsTest, CommandAndErrorStandLast) {
  EXPECT_EQ(document("ruok").dump(), R"({"command":"ruok","error":null})");
  EXPECT_EQ(document("monitor").dump(),
            R"({"version":"3.9.5","znode_count":5,"command":"monitor","error":null})");
}

TEST_F(CommandsTest, AnAliasIsAnsweredUnderThePrimaryName) {
  EXPECT_EQ(document("isro").dump(), R"({"read_only":false,"command":"is_read_only","error":null})");
  EXPECT_EQ(document("config")["command"], "configuration");
  EXPECT_EQ(document("envi")["command"], "environment");
  EXPECT_EQ(document("wchs")["command"], "watch_summary");
}

TEST_F(CommandsTest, UnknownOnesAreToldAsApacheTellsThem) {
  for (const char* name : {"nope", "", "ruok/", "RUOK"}) {
    const CommandAnswer answer = commands_.answer(name);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.document, Json({{"command", name}, {"error", std::string("Unknown command: ") + name}}));
  }
}

TEST_F(CommandsTest, WhatChangesTheServerIsRefusedWithTheWayOut) {
  for (const char* name :
       {"connection_stat_reset", "crst", "observer_connection_stat_reset", "orst", "restore", "rest",
        "set_trace_mask", "stmk", "snapshot", "snap", "stat_reset", "srst"}) {
    const CommandAnswer answer = commands_.answer(name);
    EXPECT_EQ(answer.status, 403) << name;
    EXPECT_THAT(answer.document["error"].get<std::string>(),
                HasSubstr(" would change the server, and this address only reads; "));
  }
  EXPECT_EQ(
      commands_.answer("snap").document["error"],
      "snapshot would change the server, and this address only reads; copy the newest snapshot file and "
      "the logs of the data folder");
}

TEST_F(CommandsTest, AStandaloneServerHasNoQuorum) {
  EXPECT_EQ(commands_.answer("leader").document["error"], "server is not initialized");
  EXPECT_EQ(document("voting_view")["current_config"], Json::object());
  EXPECT_EQ(document("observers")["synced_observers"], 0);
}

TEST_F(CommandsTest, ServerStatsAreOfTheReplica) {
  EXPECT_EQ(client_.create("/a", "12345"), jute::ErrorCode::kOk);
  stats_.slow_fsyncs = 3;
  const Json told = document("srvr");
  EXPECT_EQ(told["node_count"], member_.replica.tree().node_count());
  EXPECT_EQ(told["server_stats"]["last_processed_zxid"], member_.replica.last_applied().value);
  EXPECT_EQ(told["server_stats"]["fsync_threshold_exceed_count"], 3);
  EXPECT_EQ(told["server_stats"]["packets_received"], member_.replica.stats().packets_received);
  EXPECT_GT(told["server_stats"]["packets_received"], 0);
}

TEST_F(CommandsTest, SizesOfFoldersAreThoseThatWereReadAndUnknownOnesAreMinusOne) {
  surroundings_.snapshot_folder_bytes = 12;
  EXPECT_EQ(document("dirs").dump(), R"({"datadir_size":12,"logdir_size":-1,"command":"dirs","error":null})");
  EXPECT_EQ(document("srvr")["server_stats"]["data_dir_size"], 12);
  EXPECT_EQ(document("srvr")["server_stats"]["log_dir_size"], -1);
}

TEST_F(CommandsTest, DumpHasSessionsAndEphemerals) {
  EXPECT_EQ(client_.create("/e", "", jute::CreateMode::kEphemeral), jute::ErrorCode::kOk);
  const Json told = document("dump");
  EXPECT_EQ(told["expiry_time_to_session_ids"].size(), 1U);
  EXPECT_EQ(told["session_id_to_ephemeral_paths"].begin().value(), Json::array({"/e"}));
}

TEST_F(CommandsTest, TooManyEntriesAreRefusedWithTheNumber) {
  for (std::size_t i = 0; i <= kListedMax; ++i)
    ASSERT_EQ(watch(fmt::format("/w{}", i)), jute::ErrorCode::kNoNode);
  const CommandAnswer answer = commands_.answer("watches");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.document["error"],
            "10001 watches are more than the 10000 that one answer lists; watch_summary tells how many there "
            "are");
  EXPECT_FALSE(answer.document.contains("session_id_to_watched_paths"));
  EXPECT_EQ(document("watch_summary")["num_total_watches"], 10001);
}

TEST_F(CommandsTest, WordsAreBoundedAsCommandsAre) {
  const auto word = [this](net::FourLetterWord asked) {
    return words_.answer(asked, ConnectionId{}, {}, member_.now);
  };
  for (std::size_t i = 0; i < kListedMax; ++i)
    ASSERT_EQ(watch(fmt::format("/w{}", i)), jute::ErrorCode::kNoNode);
  EXPECT_THAT(word(net::FourLetterWord::kWchp), HasSubstr("/w9999\n"));
  EXPECT_THAT(word(net::FourLetterWord::kWchc), HasSubstr("/w9999\n"));
  ASSERT_EQ(watch("/one/more"), jute::ErrorCode::kNoNode);
  for (const auto asked : {net::FourLetterWord::kWchp, net::FourLetterWord::kWchc}) {
    EXPECT_EQ(word(asked),
              "10001 watches are more than the 10000 that one answer lists; wchs tells how many there are\n");
  }
  EXPECT_THAT(word(net::FourLetterWord::kWchs), HasSubstr("Total watches:10001"));
  EXPECT_THAT(word(net::FourLetterWord::kDump), HasSubstr("SessionTracker dump"));
}

TEST_F(CommandsTest, WatchesOfAFewAreListed) {
  ASSERT_EQ(watch("/w"), jute::ErrorCode::kNoNode);
  const Json by_path = document("watches_by_path")["path_to_session_ids"];
  ASSERT_THAT(keys(by_path), ElementsAre("/w"));
  EXPECT_EQ(by_path["/w"].size(), 1U);
  const Json by_session = document("watches")["session_id_to_watched_paths"];
  EXPECT_THAT(keys(by_session), ElementsAre(by_path["/w"][0].dump()));
}

TEST_F(CommandsTest, AFolderThatCannotBeReadIsAnErrorOfTheServer) {
  const CommandAnswer answer = commands_.answer("last_snapshot");
  EXPECT_THAT(answer.document["error"].get<std::string>(), HasSubstr("/nowhere/version-2"));
}

}  // namespace
}  // namespace wk::node
