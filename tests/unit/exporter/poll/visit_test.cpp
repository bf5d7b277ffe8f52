// Visits over the client port: every state a member can put a question into.
#include "exporter/poll/visit.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "tests/unit/exporter/poll/visit_fixture.h"

namespace wk::exporter {
namespace {

namespace asio = boost::asio;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kForbiddenMntr = "mntr is not executed because it is not in the whitelist.\n";
constexpr const char* kIdleText = "This ZooKeeper instance is not currently serving requests\n";

TEST_F(VisitTest, ServingMemberTellsEverything) {
  ScriptedServer server(io,
                        {words({{"mntr", kMntrText},
                                {"srvr", kSrvrText},
                                {"ruok", "imok"},
                                {"isro", "rw"},
                                {"conf", "clientPort=2181\nmaxClientCnxns=60\ntickTime=2000\nserverId=0\n"},
                                {"cons", " /127.0.0.1:5000[0](queued=0,recved=1,sent=0)\n\n"},
                                {"dirs", "datadir_size: 12\nlogdir_size: 34\n"},
                                {"wchs", "1 connections watching 2 paths\nTotal watches:3\n"},
                                {"hash", ""}})});
  const PollReport report = visit(loopback(server.port()));
  EXPECT_THAT(outline(report), ElementsAre("mntr:ok", "srvr:ok", "ruok:ok", "isro:ok", "conf:ok", "cons:ok",
                                           "dirs:ok", "wchs:ok", "hash:ok"));
  EXPECT_EQ(report.address, "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_FALSE(report.certificate_not_after.has_value());
  EXPECT_EQ(server.connections(), 9);
  const auto& status = std::get<StatusAnswer>(probe(report, Probe::kMntr).answer);
  EXPECT_EQ(status.role, Role::kStandalone);
  EXPECT_EQ(status.number("znode_count"), 5.0);
  EXPECT_EQ(std::get<StatusAnswer>(probe(report, Probe::kSrvr).answer).zxid, (Zxid{0x100000007}));
  EXPECT_EQ(std::get<WatchesAnswer>(probe(report, Probe::kWchs).answer).watches, 3U);
}

TEST_F(VisitTest, ForbiddenMntrFallsBackToSrvr) {
  ScriptedServer server(io, {words({{"mntr", kForbiddenMntr}, {"srvr", kSrvrText}})});
  const PollReport report = visit(loopback(server.port()));
  EXPECT_EQ(probe(report, Probe::kMntr).state, SourceState::kNotWhitelisted);
  EXPECT_EQ(probe(report, Probe::kSrvr).state, SourceState::kOk);
}

TEST_F(VisitTest, NotServingMemberSaysSoAndIsAskedRuok) {
  ScriptedServer server(io, {words({{"mntr", kIdleText}, {"srvr", kIdleText}, {"ruok", "imok"}})});
  const PollReport report = visit(loopback(server.port()));
  EXPECT_THAT(outline(report), ElementsAre("mntr:not_serving", "srvr:not_serving", "ruok:ok"));
  EXPECT_TRUE(std::get<RuokAnswer>(report.probes.back().answer).imok);
}

TEST_F(VisitTest, NobodyListeningIsRefused) {
  ScriptedServer server(io, {hangs()});
  server.close();
  const PollReport report = visit(loopback(server.port()));
  EXPECT_THAT(outline(report), ElementsAre("mntr:refused"));
  EXPECT_EQ(report.address, "");  // of connections, not of attempts
  EXPECT_THAT(report.probes[0].detail, HasSubstr("127.0.0.1:" + std::to_string(server.port())));
}

TEST_F(VisitTest, AnUnknownWordIsNotAnAnswerWithoutDigests) {
  const auto of_35 = [](std::string text) { return text.replace(text.find("3.8.0"), 5, "3.5.9"); };
  ScriptedServer server(io, {words({{"mntr", of_35(kMntrText)}, {"srvr", of_35(kSrvrText)}})});
  EXPECT_THAT(outline(visit(loopback(server.port()))), Contains("hash:closed"));
}

TEST_F(VisitTest, UnresolvableNameIsUnresolved) {
  dial::Resolver::of(io).set_lookup([](const std::string& host) -> Result<dial::Resolver::Addresses> {
    return Error{Errc::kUnresolved, "host name " + host + ": Name or service not known"};
  });
  TargetSpec target = loopback(1);
  target.host = "zk.invalid";
  const PollReport report = visit(target);
  EXPECT_THAT(outline(report), ElementsAre("mntr:unresolved"));
  EXPECT_EQ(report.address, "");
  EXPECT_EQ(report.probes[0].detail, "host name zk.invalid: Name or service not known");
}

TEST_F(VisitTest, NoRouteIsUnreachable) {
  TargetSpec target = loopback(2181);
  target.host = "255.255.255.255";  // never routable over TCP: the system answers at once
  EXPECT_THAT(outline(visit(target)), ElementsAre("mntr:unreachable"));
}

TEST_F(VisitTest, SilentPeerTimesOutAndSrvrHadItsChance) {
  ScriptedServer server(io, {hangs()});
  const PollReport report = visit(loopback(server.port()), kBrief);
  EXPECT_THAT(outline(report), ElementsAre("mntr:timed_out", "srvr:timed_out"));
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(VisitTest, HungMntrDoesNotHideSrvr) {
  ScriptedServer server(io, {hangs(), words({{"srvr", kSrvrText}, {"ruok", "imok"}})});
  const PollReport report = visit(loopback(server.port()), std::chrono::seconds{3});
  EXPECT_EQ(report.probes.at(0).state, SourceState::kTimedOut);
  EXPECT_EQ(report.probes.at(1).probe, Probe::kSrvr);
  EXPECT_EQ(report.probes.at(1).state, SourceState::kOk);
}

TEST_F(VisitTest, PeerThatDripsTimesOut) {
  ScriptedServer server(io, {[](Peer& peer) -> asio::awaitable<void> {
                          co_await peer.read(4);
                          co_await peer.write("zk_version\t3");
                          co_await peer.hang();
                        }});
  const PollReport report = visit(loopback(server.port()), kBrief);
  EXPECT_EQ(report.probes[0].state, SourceState::kTimedOut);
  EXPECT_THAT(report.probes[0].detail, HasSubstr("12 bytes"));
}

TEST_F(VisitTest, ClosingPeerIsClosed) {
  ScriptedServer server(io, {says("")});
  EXPECT_THAT(outline(visit(loopback(server.port()))),
              ElementsAre("mntr:closed", "srvr:closed", "ruok:closed"));
}

TEST_F(VisitTest, ResetWithoutAnswerIsClosed) {
  ScriptedServer server(io, {[](Peer& peer) -> asio::awaitable<void> {
                          co_await peer.read(4);
                          peer.reset();
                        }});
  EXPECT_THAT(outline(visit(loopback(server.port()))),
              ElementsAre("mntr:closed", "srvr:closed", "ruok:closed"));
}

TEST_F(VisitTest, AnswerThatEndsInTheMiddleIsTruncated) {
  const std::string text = kMntrText;
  ScriptedServer server(io, {words({{"mntr", text.substr(0, text.size() / 2)}, {"srvr", kSrvrText}})});
  const PollReport report = visit(loopback(server.port()));
  EXPECT_EQ(report.probes[0].state, SourceState::kTruncated);
  EXPECT_EQ(report.probes[1].state, SourceState::kOk);
}

TEST_F(VisitTest, BinaryAnswerIsMalformed) {
  ScriptedServer server(io, {says(std::string("\x00\x01\xff\x1b[2J\x00", 8))});
  const PollReport report = visit(loopback(server.port()));
  EXPECT_THAT(outline(report), ElementsAre("mntr:malformed", "srvr:malformed", "ruok:malformed"));
  for (const ProbeReport& one : report.probes)
    for (const char c : one.detail) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << one.detail;
}

TEST_F(VisitTest, EndlessAnswerIsTooLargeAndCutOff) {
  bool cut = false;
  std::size_t written = 0;
  ScriptedServer server(io, {[&](Peer& peer) -> asio::awaitable<void> {
                               co_await peer.read(4);
                               const std::string block(std::size_t{64} << 10, 'x');
                               while (written < (std::size_t{100} << 20)) {
                                 const bool alive = co_await peer.write(block);
                                 if (!alive) break;
                                 written += block.size();
                               }
                               cut = true;
                             },
                             words({{"srvr", kSrvrText}})});
  const PollReport report = visit(loopback(server.port()));
  EXPECT_EQ(report.probes[0].state, SourceState::kTooLarge);
  EXPECT_EQ(report.probes[1].state, SourceState::kOk);
  while (!cut && io.run_one() > 0) {
  }
  EXPECT_LT(written, std::size_t{40} << 20);  // the limit and what the sockets buffer, not 100 MiB
}

// Any client that may create top-level nodes makes mntr longer, for as long as the server runs.
TEST_F(VisitTest, CountlessTopLevelNodesHideNothingElse) {
  std::string nodes;
  for (int node = 0; nodes.size() < (std::size_t{5} << 20); ++node)
    for (const char* part : {"avg", "min", "max", "cnt", "sum"})
      nodes += fmt::format("zk_{}_node{}_write_per_namespace\t{}\n", part, node, node);
  std::string text = kMntrText;
  text.insert(text.find('\n') + 1, nodes);
  ScriptedServer server(io, {words({{"mntr", text}})});
  const PollReport report = visit(loopback(server.port()));
  EXPECT_EQ(probe(report, Probe::kMntr).state, SourceState::kOk);
  const auto& status = std::get<StatusAnswer>(probe(report, Probe::kMntr).answer);
  EXPECT_EQ(status.number("znode_count"), 5.0);
  EXPECT_EQ(status.dropped, static_cast<std::size_t>(std::ranges::count(nodes, '\n')));
}

TEST_F(VisitTest, FirstAddressThatAcceptsIsUsedAndReported) {
  ScriptedServer server(io, {words({{"mntr", kForbiddenMntr}, {"srvr", kSrvrText}})});
  dial::Resolver::of(io).set_lookup([](const std::string&) -> Result<dial::Resolver::Addresses> {
    return dial::Resolver::Addresses{asio::ip::make_address("::1"), asio::ip::make_address("127.0.0.1")};
  });
  TargetSpec target = loopback(server.port());
  target.host = "member.example";
  const PollReport report = visit(target);
  EXPECT_THAT(outline(report), Contains("srvr:ok"));
  EXPECT_EQ(report.address, "127.0.0.1:" + std::to_string(server.port()));
}

TEST_F(VisitTest, DeadlineThatHasPassedStillYieldsAReport) {
  ScriptedServer server(io, {hangs()});
  const PollReport report = visit(loopback(server.port()), std::chrono::milliseconds{0});
  ASSERT_EQ(report.probes.size(), 1U);
  EXPECT_EQ(report.probes[0].probe, Probe::kMntr);
  EXPECT_NE(report.probes[0].state, SourceState::kOk);
}

TEST_F(VisitTest, HungNameServiceIsUnresolvedAtTheDeadline) {
  struct Gate {
    std::mutex mutex;
    std::condition_variable opened;
    bool open = false;
  };
  const auto gate = std::make_shared<Gate>();
  dial::Resolver::of(io).set_lookup([gate](const std::string& host) -> Result<dial::Resolver::Addresses> {
    std::unique_lock lock(gate->mutex);
    gate->opened.wait(lock, [&] { return gate->open; });
    return Error{Errc::kUnresolved, host};
  });
  TargetSpec target = loopback(1);
  target.host = "hung.example";
  const PollReport report = visit(target, kBrief);
  EXPECT_EQ(outline(report).at(0), "mntr:unresolved");
  EXPECT_THAT(report.probes[0].detail, HasSubstr("hung.example: no answer from the name service"));
  const std::lock_guard lock(gate->mutex);
  gate->open = true;
  gate->opened.notify_all();
}

}  // namespace
}  // namespace wk::exporter
