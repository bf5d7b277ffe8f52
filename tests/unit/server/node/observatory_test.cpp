#include "server/node/observatory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <variant>

#include "exporter/model/internals.h"
#include "exporter/model/zk_metric.h"
#include "server/node/web.h"

namespace wk::node {
namespace {

using namespace std::chrono_literals;
using exporter::Event;
using exporter::EventType;
using exporter::ServingState;
using exporter::Severity;
using exporter::Snapshot;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ObservatoryTest : public testing::Test {
 protected:
  ObservatoryTest() {
    std::string name = testing::TempDir() + "observatory-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~ObservatoryTest() override { std::filesystem::remove_all(folder_); }

  static Event full() {
    Event event;
    event.at = Moment::now();
    event.type = EventType::kLogFull;
    event.severity = Severity::kCritical;
    event.text = "no room";
    return event;
  }

  /// Waits until a snapshot is published for which `condition` holds.
  template <typename Condition>
  static void wait_for(const Observatory& observatory, const Condition& condition) {
    const auto publication = observatory.chronicle().publication();
    const std::atomic<bool> never{false};
    auto newest = publication->current();
    for (int second = 0; !condition(*newest) && second < 30; ++second) {
      publication->wait_for_newer(newest->sequence, never, 1s);
      newest = publication->current();
    }
    EXPECT_TRUE(condition(*newest));
  }

  /// Tells `event` and waits until it is published.
  static void tell(Observatory& observatory, Event event) {
    const auto told = [type = static_cast<std::size_t>(event.type)](const Snapshot& snapshot) {
      return snapshot.ensembles.front().events[type];
    };
    const std::uint64_t before = told(*seen(observatory));
    observatory.observe(std::move(event));
    wait_for(observatory, [&](const Snapshot& snapshot) { return told(snapshot) > before; });
  }

  /// What a core reports at `now` that serves.
  static exporter::PollReport report(const Moment& now) {
    exporter::StatusAnswer status;
    status.role = exporter::Role::kStandalone;
    status.zxid = Zxid{0x100000005};
    status.measurements.push_back({exporter::find_zk_metric("num_alive_connections"), {}, 7.0});
    exporter::PollReport made;
    made.started = made.finished = now;
    made.probes.push_back({.probe = exporter::Probe::kMntr,
                           .state = exporter::SourceState::kOk,
                           .detail = "",
                           .duration = {},
                           .answer = std::move(status)});
    made.internals = std::make_shared<exporter::ServerInternals>();
    return made;
  }

  static std::shared_ptr<const Snapshot> seen(const Observatory& observatory) {
    return observatory.chronicle().publication()->current();
  }

  static std::vector<std::string> types(const Observatory& observatory) {
    std::vector<std::string> all;
    for (const Event& event : observatory.chronicle().events(0, 100))
      all.emplace_back(exporter::name(event.type));
    return all;
  }

  std::string folder_;
};

TEST_F(ObservatoryTest, WhatTheCoreTellsIsKeptAndCountedAsTheMembers) {
  Observatory observatory("default", "zk1:2181", 2181, folder_);
  observatory.start();
  tell(observatory, full());
  EXPECT_THAT(types(observatory), ElementsAre("server_started", "log_full"));
  const Event told = observatory.chronicle().events(1, 1).front();
  EXPECT_EQ(told.ensemble, "default");
  EXPECT_EQ(told.member, "zk1:2181");
  EXPECT_EQ(told.severity, Severity::kCritical);
  EXPECT_EQ(told.text, "no room");
  const auto snapshot = observatory.chronicle().publication()->current();
  EXPECT_EQ(snapshot->ensembles.front().events[static_cast<std::size_t>(EventType::kLogFull)], 1U);
}

TEST_F(ObservatoryTest, TheNextStartTellsWhatWasBeforeAndHowItEnded) {
  {
    Observatory observatory("default", "zk1:2181", 2181, folder_);
    observatory.start();
    tell(observatory, full());
    observatory.stop("asked to stop", true);
  }
  Observatory observatory("default", "zk1:2182", 2182, folder_);
  observatory.start();
  EXPECT_THAT(types(observatory),
              ElementsAre("server_started", "log_full", "server_stopped", "server_started"));
  const std::vector<Event> events = observatory.chronicle().events(0, 100);
  EXPECT_EQ(events[1].member, "zk1:2181") << "as it was called then";
  EXPECT_EQ(events[3].member, "zk1:2182");
  EXPECT_EQ(events[3].severity, Severity::kInfo);
  EXPECT_THAT(events[3].text, HasSubstr("It had been stopped at "));
  EXPECT_THAT(events[3].text, HasSubstr(": asked to stop"));
  // Counters are of this process, as all others are.
  const auto snapshot = observatory.chronicle().publication()->current();
  EXPECT_EQ(snapshot->ensembles.front().events[static_cast<std::size_t>(EventType::kLogFull)], 0U);
}

// A start after damage, by the operator's order.
TEST_F(ObservatoryTest, WhatAStartGaveUpStaysInTheTimeLine) {
  const std::vector<std::string> losses{"log.1 at byte 99: damaged", std::string(9000, 'x')};
  {
    Observatory observatory("default", "zk1:2181", 2181, folder_);
    observatory.start(losses);
    observatory.stop("asked to stop", true);
  }
  Observatory observatory("default", "zk1:2181", 2181, folder_);
  observatory.start();
  EXPECT_THAT(types(observatory), ElementsAre("server_started", "server_stopped", "server_started"));
  const std::vector<Event> events = observatory.chronicle().events(0, 100);
  EXPECT_EQ(events[0].severity, Severity::kCritical);
  EXPECT_THAT(events[0].text, HasSubstr(". Lost: log.1 at byte 99: damaged. Lost: xxx"));
  EXPECT_EQ(events[2].severity, Severity::kInfo);
  EXPECT_THAT(events[2].text, Not(HasSubstr("Lost")));
}

TEST_F(ObservatoryTest, TheEnsembleHasTheNameThatItWasGivenAndItsTimeLineGoesOn) {
  {
    Observatory observatory("default", "zk1:2181", 2181, folder_);
    observatory.start();
    tell(observatory, full());
    observatory.stop("asked to stop", true);
  }
  Observatory observatory("locks", "zk1:2181", 2181, folder_);
  observatory.start();
  tell(observatory, full());
  EXPECT_EQ(observatory.ensemble().name, "locks");
  EXPECT_EQ(seen(observatory)->ensembles.front().name, "locks");
  const std::vector<Event> events = observatory.chronicle().events(0, 100);
  EXPECT_EQ(events.size(), 5U);
  for (const Event& event : events) EXPECT_EQ(event.ensemble, "locks") << event.text;
}

TEST_F(ObservatoryTest, ACoreThatHangsDoesNotServeUntilItReportsAgain) {
  Observatory observatory("default", "zk1:2181", 2181, folder_);
  const Moment began = Moment::now();
  observatory.take(report(began + -1s), began + -1s);
  observatory.take(report(began), began);
  for (int second = 1; second <= 10; ++second) observatory.tick(began + std::chrono::seconds{second});
  auto snapshot = seen(observatory);
  EXPECT_TRUE(snapshot->ensembles.front().serving);
  EXPECT_EQ(server_livez(*snapshot, began + 10s).status, 200);
  EXPECT_EQ(server_readyz(*snapshot, began + 10s).status, 200);
  EXPECT_THAT(types(observatory), IsEmpty());

  const Moment told = began + 11s;
  observatory.tick(told);
  snapshot = seen(observatory);
  EXPECT_EQ(snapshot->taken - told, 0s) << "what is shown is new";
  const exporter::EnsembleView& hung = snapshot->ensembles.front();
  EXPECT_FALSE(hung.serving);
  EXPECT_EQ(hung.unserved, 11s) << "since it was heard last";
  EXPECT_EQ(hung.members.front().state, ServingState::kUnreachable);
  EXPECT_EQ(hung.verdict,
            "Not serving for 11 s: zk1:2181 has not reported for 11 s, so its core thread hangs.");
  EXPECT_EQ(hung.problems.front().severity, Severity::kCritical);
  EXPECT_THAT(hung.problems.back().remedy, HasSubstr("it shows where the thread hangs"));
  EXPECT_EQ(server_livez(*snapshot, told).status, 503);
  EXPECT_EQ(server_readyz(*snapshot, told).status, 503);
  EXPECT_THAT(types(observatory), ElementsAre("member_lost", "leader_lost", "quorum_lost"));

  for (int second = 12; second <= 60; ++second) observatory.tick(began + std::chrono::seconds{second});
  EXPECT_FALSE(seen(observatory)->ensembles.front().serving) << "however long it lasts";
  EXPECT_EQ(seen(observatory)->ensembles.front().unserved, 60s);
  EXPECT_EQ(types(observatory).size(), 3U);

  const Moment back = began + 61s;
  observatory.take(report(back), back);
  snapshot = seen(observatory);
  EXPECT_TRUE(snapshot->ensembles.front().serving);
  EXPECT_EQ(snapshot->ensembles.front().unserved, 61s);
  EXPECT_EQ(server_livez(*snapshot, back).status, 200);
  EXPECT_EQ(server_readyz(*snapshot, back).status, 200);
  EXPECT_THAT(types(observatory), ElementsAre("member_lost", "leader_lost", "quorum_lost", "member_regained",
                                              "leader_elected", "quorum_regained"));
}

TEST_F(ObservatoryTest, AServerThatServesNobodyIsNotReady) {
  Observatory observatory("default", "localhost:0", 0, folder_);
  Moment now = Moment::now();
  for (int second = 0; second < 5; ++second) {
    exporter::PollReport made = report(now);
    exporter::ServerInternals inside;
    inside.serves_nobody = "has no client port: set clientPort";
    made.internals = std::make_shared<exporter::ServerInternals>(std::move(inside));
    observatory.take(made, now);
    now = now + 1s;
  }
  const auto snapshot = seen(observatory);
  EXPECT_EQ(server_livez(*snapshot, now).status, 200);
  EXPECT_EQ(server_readyz(*snapshot, now).status, 503);
  EXPECT_EQ(std::get<std::string>(server_readyz(*snapshot, now).body),
            "the server does not serve clients: has no client port: set clientPort\nnot ready\n");
  const exporter::EnsembleView& view = snapshot->ensembles.front();
  EXPECT_FALSE(view.serving);
  EXPECT_THAT(view.verdict, testing::StartsWith("Not serving"));
  EXPECT_THAT(view.verdict, HasSubstr("has no client port: set clientPort"));
  EXPECT_EQ(view.problems.front().severity, Severity::kCritical);
  EXPECT_TRUE(view.members.front().facts->status.value) << "its numbers are known";
}

TEST_F(ObservatoryTest, ReportsThatComeLateAreNoOutage) {
  Observatory observatory("default", "zk1:2181", 2181, folder_);
  Moment now = Moment::now();
  for (int round = 0; round < 5; ++round) {
    observatory.take(report(now), now);
    for (int second = 0; second < 9; ++second) {
      EXPECT_TRUE(seen(observatory)->ensembles.front().serving) << round << " and " << second << " s";
      observatory.tick(now = now + 1s);
    }
  }
  EXPECT_THAT(types(observatory), IsEmpty());
  EXPECT_EQ(seen(observatory)->ensembles.front().unserved, 0s);
}

TEST_F(ObservatoryTest, WhatHeldTheWholeProcessUpIsNoSilenceOfTheCore) {
  Observatory observatory("default", "zk1:2181", 2181, folder_);
  const Moment began = Moment::now();
  observatory.take(report(began), began);
  observatory.tick(began + 1s);
  observatory.tick(began + 31s);
  EXPECT_TRUE(seen(observatory)->ensembles.front().serving);
  observatory.take(report(began + 31s), began + 31s);
  observatory.tick(began + 32s);
  EXPECT_THAT(types(observatory), IsEmpty());
  // One that does not report afterwards is told within the time for which a report is believed.
  observatory.tick(began + 62s);
  EXPECT_THAT(types(observatory), IsEmpty());
  for (auto second = 63s; second <= 62s + Observatory::kSilenceMax; second += 1s)
    observatory.tick(began + second);
  EXPECT_TRUE(seen(observatory)->ensembles.front().serving);
  observatory.tick(began + 63s + Observatory::kSilenceMax);
  EXPECT_FALSE(seen(observatory)->ensembles.front().serving);
}

TEST_F(ObservatoryTest, AReportThatWaitedHereIsNoSilenceOfTheCore) {
  Observatory observatory("default", "zk1:2181", 2181, folder_);
  const Moment began = Moment::now();
  for (int second = 0; second <= 30; ++second)
    observatory.take(report(began + std::chrono::seconds{second}), began + 30s);
  observatory.tick(began + 30s);
  EXPECT_TRUE(seen(observatory)->ensembles.front().serving);
  EXPECT_THAT(types(observatory), IsEmpty());
}

TEST_F(ObservatoryTest, ReportOrTurnMakesTheRowOfASecondAndNotBoth) {
  Observatory observatory("default", "zk1:2181", 2181, folder_);
  const Moment began = Moment::now();
  const std::uint64_t first = seen(observatory)->sequence;
  for (int second = 0; second < 5; ++second) {
    const Moment now = began + std::chrono::seconds{second};
    observatory.take(report(now), now);
    observatory.tick(now + 500ms);
  }
  EXPECT_EQ(seen(observatory)->sequence, first + 5);
  // The last report was at 4 s.
  for (int second = 5; second <= 16; ++second) observatory.tick(began + std::chrono::seconds{second});
  EXPECT_EQ(seen(observatory)->sequence, first + 5 + 11) << "all but that at 5 s";
  const auto points = [&](auto series, const std::string& member) {
    exporter::HistoryQuery query;
    query.since = began.wall;
    const auto found = observatory.chronicle().history({"default", member, series}, query);
    EXPECT_TRUE(found);
    return found ? found->points : std::vector<std::optional<float>>();
  };
  const auto connections = points(exporter::MemberSeries::kConnections, "zk1:2181");
  ASSERT_EQ(connections.size(), 17U);
  EXPECT_EQ(connections[4], 7.0F);
  EXPECT_EQ(connections[14], 7.0F) << "believed";
  EXPECT_FALSE(connections[15]) << "not known any more";
  EXPECT_FALSE(connections[16]);
  const auto serving = points(exporter::EnsembleSeries::kServing, "");
  ASSERT_EQ(serving.size(), 17U);
  EXPECT_EQ(serving[14], 1.0F);
  EXPECT_EQ(serving[15], 0.0F);
  EXPECT_EQ(serving[16], 0.0F);
}

TEST_F(ObservatoryTest, BeforeTheFirstReportTheCoreIsAwaitedSinceTheStart) {
  Observatory observatory("default", "zk1:2181", 2181, folder_);
  const Moment began = seen(observatory)->exporter.started;
  for (int second = 1; second <= 11; ++second) observatory.tick(began + std::chrono::seconds{second});
  const auto snapshot = seen(observatory);
  EXPECT_EQ(server_livez(*snapshot, began + 10s).status, 200);
  EXPECT_EQ(server_readyz(*snapshot, began + 10s).status, 503) << "it is starting";
  EXPECT_EQ(server_livez(*snapshot, began + 11s).status, 503);
  EXPECT_THAT(types(observatory), IsEmpty()) << "what was never there is not lost";
}

TEST_F(ObservatoryTest, ItsThreadLetsTimePassAndShowsThatTheProcessLives) {
  Observatory observatory("default", "zk1:2181", 2181, folder_);
  observatory.start();
  const auto turn_after = [&](std::uint64_t sequence) {
    wait_for(observatory, [&](const Snapshot& snapshot) { return snapshot.sequence > sequence; });
  };
  turn_after(seen(observatory)->sequence);
  const std::string path = folder_ + "/" + FlightRecorder::kFileName;
  ASSERT_TRUE(std::filesystem::exists(path));
  const auto long_ago = std::filesystem::file_time_type::clock::now() - 1h;
  std::filesystem::last_write_time(path, long_ago);
  // The beat of the first of two turns is written by the end of the second.
  turn_after(seen(observatory)->sequence + 1);
  EXPECT_GT(std::filesystem::last_write_time(path), long_ago + 30min);
}

TEST_F(ObservatoryTest, GivingUpIsCritical) {
  Observatory observatory("default", "zk1:2181", 2181, folder_);
  observatory.start();
  observatory.stop("the log failed", false);
  const Event last = observatory.chronicle().events(0, 100).back();
  EXPECT_EQ(last.type, EventType::kServerStopped);
  EXPECT_EQ(last.severity, Severity::kCritical);
  EXPECT_EQ(last.text, "the log failed");
}

}  // namespace
}  // namespace wk::node
