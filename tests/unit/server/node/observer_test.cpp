#include "server/node/observer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "exporter/model/internals.h"
#include "server/node/words.h"
#include "tests/unit/server/node/silent_owner.h"
#include "tests/unit/server/replica/member.h"

namespace wk::node {
namespace {

using exporter::Probe;
using testing::ElementsAre;

class ObserverTest : public testing::Test {
 protected:
  ObserverTest() : port_(io_, {}, owner_), client_(member_) {
    config_.client = config::ListenAddress{"", 0};
    config_.sessions = {std::chrono::milliseconds{4000}, std::chrono::milliseconds{40000}};
    config_.four_letter_words = {"mntr"};
    client_.open();
    EXPECT_EQ(client_.create("/a", "12345"), jute::ErrorCode::kOk);
    stats_.started = member_.now;
    stats_.fsync_ns.record(std::chrono::milliseconds{7});
  }

  std::vector<Probe> probes(const exporter::PollReport& report) {
    std::vector<Probe> all;
    for (const exporter::ProbeReport& one : report.probes) {
      EXPECT_EQ(one.state, exporter::SourceState::kOk);
      all.push_back(one.probe);
    }
    return all;
  }
  static std::map<std::string, std::string> values(const std::string& mntr) {
    std::map<std::string, std::string> all;
    std::istringstream lines(mntr);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t tab = line.find('\t');
      EXPECT_NE(tab, std::string::npos) << line;
      EXPECT_TRUE(all.emplace(line.substr(0, tab), line.substr(tab + 1)).second) << "twice: " << line;
    }
    return all;
  }

  boost::asio::io_context io_;
  SilentOwner owner_;
  net::ClientPort port_;
  replica::Member member_;
  replica::Client client_;
  config::Config config_;
  NodeStats stats_;
  RestoreFacts restored_{};
  Surroundings surroundings_{.open_descriptors = 17, .descriptors_max = 1024};
  Surveys surveys_{member_.replica, port_};
  Observer observer_{config_, "/data/version-2", "/log/version-2", restored_, member_.replica, port_,
                     stats_,  surroundings_,     surveys_};
};

TEST_F(ObserverTest, MntrNamesEachNumberOnceUnderApachesNames) {
  const std::string text = observer_.mntr(member_.now + std::chrono::seconds{5}, 3);
  EXPECT_EQ(text.substr(0, text.find('\n')), "zk_version\t" + version_text());
  const auto found = values(text);
  EXPECT_EQ(found.at("zk_server_state"), "standalone");
  EXPECT_EQ(found.at("zk_znode_count"), "6");
  EXPECT_EQ(found.at("zk_ephemerals_count"), "0");
  EXPECT_EQ(found.at("zk_watch_count"), "0");
  EXPECT_EQ(found.at("zk_num_alive_connections"), "0");
  EXPECT_EQ(found.at("zk_outstanding_requests"), "0");
  EXPECT_EQ(found.at("zk_global_sessions"), "1");
  EXPECT_EQ(found.at("zk_uptime"), "5000");
  EXPECT_EQ(found.at("zk_approximate_data_size"), "51");
  EXPECT_EQ(found.at("zk_cnt_fsynctime"), "1");
  EXPECT_EQ(found.at("zk_max_fsynctime"), "7");
  EXPECT_EQ(found.at("zk_open_file_descriptor_count"), "17");
  EXPECT_EQ(found.at("zk_session_expiry_buckets"), "1");
  EXPECT_EQ(found.at("zk_session_expiry_bucket_max"), "1");
  EXPECT_FALSE(found.contains("zk_quorum_size")) << "a number of an ensemble";
}

TEST_F(ObserverTest, WithoutAClientPortItSaysThatItServesNobody) {
  std::vector<exporter::PollReport> reports;
  observer_.set_receiver([&](exporter::PollReport report) { reports.push_back(std::move(report)); });
  observer_.publish(member_.now, 0);
  config_.client.reset();
  observer_.publish(member_.now, 0);
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].internals->serves_nobody, "");
  EXPECT_EQ(reports[1].internals->serves_nobody,
            "has no client port, so that no client can connect: set clientPort");
}

TEST_F(ObserverTest, NothingIsMadeWithoutAReceiver) {
  observer_.publish(member_.now, 0);
  EXPECT_FALSE(observer_.due(member_.now.steady));
}

TEST_F(ObserverTest, ReportsOnceASecondAndDetailsEveryTen) {
  std::vector<exporter::PollReport> reports;
  observer_.set_receiver([&](exporter::PollReport report) { reports.push_back(std::move(report)); });
  while (!surveys_.connections().state().finished) surveys_.slice();
  EXPECT_TRUE(observer_.due(member_.now.steady));
  Moment now = member_.now;
  observer_.publish(now, 0);
  EXPECT_FALSE(observer_.due(now.steady + std::chrono::milliseconds{999}));
  EXPECT_TRUE(observer_.due(now.steady + std::chrono::milliseconds{1000}));
  for (int i = 0; i < 10; ++i) observer_.publish(now = now + std::chrono::seconds{1}, 0);
  ASSERT_EQ(reports.size(), 11U);
  EXPECT_THAT(probes(reports[0]), ElementsAre(Probe::kMntr, Probe::kRuok, Probe::kIsro, Probe::kConf,
                                              Probe::kCons, Probe::kDirs, Probe::kWchs, Probe::kHash));
  for (std::size_t i = 1; i < 10; ++i)
    EXPECT_THAT(probes(reports[i]), ElementsAre(Probe::kMntr, Probe::kRuok, Probe::kIsro)) << i;
  EXPECT_EQ(reports[10].probes.size(), 8U);
}

TEST_F(ObserverTest, EachReportTellsTheInside) {
  std::vector<exporter::PollReport> reports;
  observer_.set_receiver([&](exporter::PollReport report) { reports.push_back(std::move(report)); });
  surroundings_.log_folder_bytes = 4'711;
  stats_.fsync.record(std::chrono::milliseconds{7});
  stats_.purges = 3;
  const Moment purged = member_.now;
  stats_.last_purge = purged;
  stats_.last_purge_failed = purged + std::chrono::seconds{1};
  member_.step(replica::OutputDelivered{});
  observer_.publish(member_.now, 0);
  client_.create("/b", "1");
  observer_.publish(member_.now, 0);
  ASSERT_EQ(reports.size(), 2U);
  ASSERT_NE(reports[0].internals, nullptr);
  const exporter::ServerInternals& inside = *reports[0].internals;
  ASSERT_EQ(inside.write_stages.size(), replica::kWriteStages);
  EXPECT_EQ(inside.write_stages[3].name, "fsync");
  EXPECT_EQ(inside.write_total.count(), 2U) << "the session and /a";
  EXPECT_EQ(inside.transactions_applied, 2U);
  EXPECT_EQ(reports[1].internals->transactions_applied, 3U) << "the first report changed";
  EXPECT_EQ(inside.fsync.count(), 1U);
  EXPECT_EQ(inside.purges.finished, 3U);
  EXPECT_EQ(inside.purges.last_finished, purged.wall);
  EXPECT_EQ(inside.last_purge_failed, purged.wall + std::chrono::seconds{1});
  EXPECT_FALSE(inside.snapshots.last_finished);
  EXPECT_EQ(inside.log_folder_bytes, 4'711U);
  EXPECT_FALSE(inside.snapshot_folder_bytes);
  EXPECT_EQ(inside.sessions, 1U);
  EXPECT_EQ(inside.expiry_bucket_most, 1U);
  EXPECT_EQ(inside.reply_bytes_max, 1'048'575U);
  const auto create = std::ranges::find(inside.operations, "create", &exporter::OperationNumbers::name);
  ASSERT_NE(create, inside.operations.end());
  EXPECT_EQ(create->requests, 1U);
  const auto open = std::ranges::find(inside.connections_by_state, "open", &exporter::NamedCount::name);
  ASSERT_NE(open, inside.connections_by_state.end());
  EXPECT_EQ(open->count, 1U);
  ASSERT_NE(inside.expired_sessions, nullptr);
  EXPECT_EQ(inside.expired_sessions, reports[1].internals->expired_sessions)
      << "nobody has expired meanwhile";
}

TEST_F(ObserverTest, ReportTellsWhoThisMemberIs) {
  std::optional<exporter::PollReport> report;
  observer_.set_receiver([&](exporter::PollReport made) { report = std::move(made); });
  observer_.publish(member_.now, 0);
  ASSERT_TRUE(report);
  const auto& status = std::get<exporter::StatusAnswer>(report->probes.at(0).answer);
  EXPECT_EQ(status.implementation, exporter::Implementation::kWatchkeeper);
  EXPECT_EQ(status.role, exporter::Role::kStandalone);
  EXPECT_EQ(status.zxid, member_.replica.last_applied());
  const auto& configuration = std::get<exporter::ConfigurationAnswer>(report->probes.at(3).answer);
  EXPECT_EQ(configuration.entries.at(1), (std::pair<std::string, std::string>{"dataDir", "/data/version-2"}));
  EXPECT_EQ(configuration.server_id, ServerId{0});
}

class WordsTest : public ObserverTest {
 protected:
  WordsTest() {
    words_ = std::make_unique<Words>(config_, inspection_, member_.replica, stats_,
                                     [](const Moment&) { return std::string("the text of mntr"); });
  }
  std::string ask(net::FourLetterWord word, std::string_view rest = "") {
    return words_->answer(word, ConnectionId{99}, std::as_bytes(std::span(rest)), member_.now);
  }
  void allow(std::vector<std::string> names) {
    config_.four_letter_words = std::move(names);
    words_ = std::make_unique<Words>(config_, inspection_, member_.replica, stats_,
                                     [](const Moment&) { return std::string("the text of mntr"); });
  }
  Inspection inspection_{config_, "/data/version-2", "/log/version-2", member_.replica, port_, surroundings_};
  std::unique_ptr<Words> words_;
};

TEST_F(WordsTest, OnlyWhatIsAllowedIsExecuted) {
  EXPECT_EQ(ask(net::FourLetterWord::kMntr), "the text of mntr");
  EXPECT_EQ(ask(net::FourLetterWord::kRuok), "ruok is not executed because it is not in the whitelist.\n");
  EXPECT_EQ(ask(net::FourLetterWord::kTelnetClose),
            "telnet close is not executed because it is not in the whitelist.\n");
  EXPECT_EQ(words_->asked_since_reset(), 3U);
}

TEST_F(WordsTest, SizesOfFoldersAreThoseThatWereReadBesideTheCore) {
  allow({"dirs", "conf"});
  surroundings_.snapshot_folder_bytes = 12;
  surroundings_.log_folder_bytes = 34;
  EXPECT_EQ(ask(net::FourLetterWord::kDirs), "datadir_size: 12\nlogdir_size: 34\n");
  EXPECT_NE(ask(net::FourLetterWord::kConf).find("dataDirSize=12\n"), std::string::npos);
  EXPECT_NE(ask(net::FourLetterWord::kConf).find("dataLogSize=34\n"), std::string::npos);
  surroundings_.log_folder_bytes.reset();
  EXPECT_EQ(ask(net::FourLetterWord::kDirs), "datadir_size: 12\nlogdir_size: -1\n") << "0 would be a size";
  EXPECT_NE(ask(net::FourLetterWord::kConf).find("dataLogSize=-1\n"), std::string::npos);
}

TEST_F(WordsTest, TraceMaskIsKept) {
  allow({"gtmk", "stmk"});
  EXPECT_EQ(ask(net::FourLetterWord::kGtmk), "306");
  using namespace std::string_view_literals;
  EXPECT_EQ(ask(net::FourLetterWord::kStmk, "\0\0\0\0\0\0\0\x0a"sv), "10");
  EXPECT_EQ(ask(net::FourLetterWord::kGtmk), "10");
}

TEST_F(WordsTest, TextsOfThisServer) {
  allow({"ruok", "isro", "wchs", "wchp", "wchc", "srvr", "dump"});
  EXPECT_EQ(ask(net::FourLetterWord::kRuok), "imok");
  EXPECT_EQ(ask(net::FourLetterWord::kIsro), "rw");
  EXPECT_EQ(ask(net::FourLetterWord::kWchs), "0 connections watching 0 paths\nTotal watches:0\n");
  ASSERT_EQ(client_.outcome(jute::OpCode::kGetData, jute::ReadRequest{"/a", true}), jute::ErrorCode::kOk);
  const std::string session = fmt::format("0x{:x}", static_cast<std::uint64_t>(client_.session.value));
  EXPECT_EQ(ask(net::FourLetterWord::kWchs), "1 connections watching 1 paths\nTotal watches:1\n");
  EXPECT_EQ(ask(net::FourLetterWord::kWchp), "/a\n\t" + session + "\n\n");
  EXPECT_EQ(ask(net::FourLetterWord::kWchc), session + "\n\t/a\n\n");
  ASSERT_EQ(client_.create("/e", "", jute::CreateMode::kEphemeral), jute::ErrorCode::kOk);
  EXPECT_NE(ask(net::FourLetterWord::kDump)
                .find("ephemeral nodes dump:\nSessions with Ephemerals (1):\n" + session +
                      ":\n\t/e\nConnections dump:\n"),
            std::string::npos);
  const std::string srvr = ask(net::FourLetterWord::kSrvr);
  EXPECT_EQ(srvr.substr(0, srvr.find('\n')), "Zookeeper version: " + version_text());
  EXPECT_NE(srvr.find("\nMode: standalone\nNode count: 7\n"), std::string::npos) << srvr;
}

}  // namespace
}  // namespace wk::node
