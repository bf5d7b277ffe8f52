// The rounds of a whole ensemble. Order of reports is asserted, never their timing.
#include "exporter/poll/poller.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <iterator>
#include <set>

#include "tests/unit/exporter/poll/visit_fixture.h"

namespace wk::exporter {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                                std::filesystem::directory_iterator{}));
}

class PollerTest : public VisitTest {
 protected:
  static EnsembleSpec ensemble(std::vector<TargetSpec> members) {
    EnsembleSpec spec;
    spec.members = std::move(members);
    spec.interval = milliseconds{20};
    spec.detail_interval = std::chrono::seconds{60};
    return spec;
  }
  void run_until(const std::function<bool()>& done) {
    while (!done() && io.run_one() > 0) {
    }
  }

  ScriptedServer healthy{io, {words({{"mntr", kMntrText}, {"srvr", kSrvrText}, {"ruok", "imok"}})}};
  std::vector<PollReport> reports;
};

TEST_F(PollerTest, VisitsEveryMemberAgainAndAgain) {
  Poller poller(io, ensemble({loopback(healthy.port()), loopback(healthy.port())}),
                [&](PollReport report) { reports.push_back(std::move(report)); });
  poller.start();
  run_until([&] { return reports.size() >= 6; });
  std::multiset<std::size_t> members;
  for (const PollReport& report : reports) {
    members.insert(report.member);
    EXPECT_EQ(probe(report, Probe::kMntr).state, SourceState::kOk);
    EXPECT_LE(report.started.steady, report.finished.steady);
  }
  EXPECT_GE(members.count(0), 2U);
  EXPECT_GE(members.count(1), 2U);
}

TEST_F(PollerTest, FirstVisitAsksForDetailAndTheNextDoesNot) {
  Poller poller(io, ensemble({loopback(healthy.port())}),
                [&](PollReport report) { reports.push_back(std::move(report)); });
  poller.start();
  run_until([&] { return reports.size() >= 2; });
  EXPECT_THAT(outline(reports[0]), ::testing::Contains("ruok:ok"));
  EXPECT_THAT(outline(reports[1]), ::testing::ElementsAre("mntr:ok", "srvr:ok"));
}

TEST_F(PollerTest, HangingMemberDelaysNobodyAndIsNotVisitedTwiceAtOnce) {
  ScriptedServer mute(io, {hangs()});
  TargetSpec slow = loopback(mute.port());
  slow.timeout = std::chrono::seconds{60};
  Poller poller(io, ensemble({slow, loopback(healthy.port())}),
                [&](PollReport report) { reports.push_back(std::move(report)); });
  poller.start();
  run_until([&] { return reports.size() >= 5 && poller.rounds_skipped() >= 3; });
  for (const PollReport& report : reports) EXPECT_EQ(report.member, 1U);
  EXPECT_EQ(mute.connections(), 1);
}

TEST_F(PollerTest, MemberThatReturnsIsAskedForDetailAtOnce) {
  bool down = true;
  ScriptedServer flaky(io, {[&down](Peer& peer) -> asio::awaitable<void> {
                         const std::string word = co_await peer.read(4);
                         if (down) co_return;
                         if (word == "mntr") co_await peer.write(kMntrText);
                         if (word == "srvr") co_await peer.write(kSrvrText);
                         if (word == "ruok") co_await peer.write("imok");
                       }});
  Poller poller(io, ensemble({loopback(flaky.port())}),
                [&](PollReport report) { reports.push_back(std::move(report)); });
  poller.start();
  run_until([&] { return reports.size() >= 2; });
  EXPECT_THAT(outline(reports[1]), ::testing::ElementsAre("mntr:closed", "srvr:closed", "ruok:closed"));
  down = false;
  reports.clear();
  run_until([&] { return !reports.empty() && reports.back().probes.at(0).state == SourceState::kOk; });
  EXPECT_EQ(probe(reports.back(), Probe::kConf).probe, Probe::kConf);
}

TEST_F(PollerTest, NothingIsReportedAfterStop) {
  ScriptedServer mute(io, {hangs()});
  Poller poller(io, ensemble({loopback(mute.port()), loopback(healthy.port())}),
                [&](PollReport report) { reports.push_back(std::move(report)); });
  poller.start();
  run_until([&] { return !reports.empty() && mute.connections() > 0; });
  poller.stop();
  poller.stop();
  const std::size_t before = reports.size();
  healthy.close();
  mute.close();
  io.run();  // ends: no timer, socket or visit is left
  EXPECT_EQ(reports.size(), before);
}

TEST_F(PollerTest, StoppingInTheReportIsAllowed) {
  std::optional<Poller> poller;
  poller.emplace(io, ensemble({loopback(healthy.port())}), [&](PollReport report) {
    reports.push_back(std::move(report));
    poller.reset();
  });
  poller->start();
  run_until([&] { return !reports.empty(); });
  healthy.close();
  io.run();
  EXPECT_EQ(reports.size(), 1U);
  EXPECT_FALSE(poller.has_value());
}

TEST_F(PollerTest, DestructionWithVisitsUnderWayLeavesNoDescriptor) {
  const std::size_t before = open_descriptors();
  {
    asio::io_context context{1};
    ScriptedServer mute(context, {hangs()});
    std::vector<TargetSpec> members(20, loopback(mute.port()));
    Poller poller(context, ensemble(members), [](PollReport) {});
    poller.start();
    while (mute.connections() < 20 && context.run_one() > 0) {
    }
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(PollerTest, HundredsOfVisitsLeaveNoDescriptor) {
  Poller poller(io, ensemble({loopback(healthy.port())}),
                [&](PollReport report) { reports.push_back(std::move(report)); });
  poller.start();
  run_until([&] { return reports.size() >= 2; });
  const std::size_t before = open_descriptors();
  run_until([&] { return reports.size() >= 52; });
  EXPECT_LE(open_descriptors(), before + 10);  // the far ends live in this process, too
}

}  // namespace
}  // namespace wk::exporter
