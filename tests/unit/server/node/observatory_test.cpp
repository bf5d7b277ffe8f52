#include "server/node/observatory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>

namespace wk::node {
namespace {

using exporter::Event;
using exporter::EventType;
using exporter::Severity;
using testing::ElementsAre;
using testing::HasSubstr;

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

  /// Tells `event` and waits until it is published.
  static void tell(Observatory& observatory, Event event) {
    const auto publication = observatory.chronicle().publication();
    const std::uint64_t seen = publication->current()->sequence;
    const std::atomic<bool> never{false};
    observatory.observe(std::move(event));
    publication->wait_for_newer(seen, never, std::chrono::seconds{30});
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
  Observatory observatory("zk1:2181", 2181, folder_);
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
    Observatory observatory("zk1:2181", 2181, folder_);
    observatory.start();
    tell(observatory, full());
    observatory.stop("asked to stop", true);
  }
  Observatory observatory("zk1:2182", 2182, folder_);
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

TEST_F(ObservatoryTest, GivingUpIsCritical) {
  Observatory observatory("zk1:2181", 2181, folder_);
  observatory.start();
  observatory.stop("the log failed", false);
  const Event last = observatory.chronicle().events(0, 100).back();
  EXPECT_EQ(last.type, EventType::kServerStopped);
  EXPECT_EQ(last.severity, Severity::kCritical);
  EXPECT_EQ(last.text, "the log failed");
}

}  // namespace
}  // namespace wk::node
