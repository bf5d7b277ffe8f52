#include "server/node/flight_recorder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace wk::node {
namespace {

using exporter::Event;
using exporter::EventType;
using exporter::Severity;
using testing::HasSubstr;
using testing::MatchesRegex;
using Kind = PreviousEnd::Kind;

class FlightRecorderTest : public testing::Test {
 protected:
  FlightRecorderTest() {
    std::string name = testing::TempDir() + "flight-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~FlightRecorderTest() override { std::filesystem::remove_all(folder_); }

  static Event event(EventType type, std::string text) {
    Event event;
    event.at = Moment::now();
    event.type = type;
    event.severity = Severity::kWarning;
    event.ensemble = "default";
    event.member = "zk1:2181";
    event.text = std::move(text);
    return event;
  }

  /// A process that starts, does `more`, and ends without a word.
  void run(std::vector<Event> more) {
    FlightRecorder recorder(folder_, Moment::now());
    more.insert(more.begin(), event(EventType::kServerStarted, "started"));
    recorder.append(more);
    recorder.flush();
  }

  [[nodiscard]] std::string path() const { return folder_ + "/" + FlightRecorder::kFileName; }
  [[nodiscard]] std::string text(const std::string& suffix = "") const {
    std::ifstream file(path() + suffix, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void add(const std::string& bytes) const {
    std::ofstream(path(), std::ios::app | std::ios::binary) << bytes;
  }
  [[nodiscard]] std::vector<std::string> past() const {
    const FlightRecorder recorder(folder_, Moment::now());
    std::vector<std::string> texts;
    for (const Event& event : recorder.past()) texts.push_back(event.text);
    return texts;
  }
  [[nodiscard]] PreviousEnd end() const { return FlightRecorder(folder_, Moment::now()).previous_end(); }

  std::string folder_;
};

TEST_F(FlightRecorderTest, TheFirstStartKnowsNothing) {
  EXPECT_THAT(past(), testing::IsEmpty());
  EXPECT_EQ(end().kind, Kind::kUnknown);
  EXPECT_EQ(start_text(end()), "The server started; nothing is known of an earlier start.");
  EXPECT_FALSE(std::filesystem::exists(path())) << "nothing is written before something happens";
}

TEST_F(FlightRecorderTest, EventsComeBackAsTheyWere) {
  Event slow = event(EventType::kSlowFsync, "took \"7\" s\n");
  slow.duration = std::chrono::seconds{7};
  run({slow});
  const FlightRecorder recorder(folder_, Moment::now());
  ASSERT_EQ(recorder.past().size(), 2U);
  const Event& again = recorder.past()[1];
  EXPECT_EQ(again.type, EventType::kSlowFsync);
  EXPECT_EQ(again.severity, Severity::kWarning);
  EXPECT_EQ(again.ensemble, "default");
  EXPECT_EQ(again.member, "zk1:2181");
  EXPECT_EQ(again.text, "took \"7\" s\n");
  EXPECT_EQ(again.duration, std::chrono::seconds{7});
  EXPECT_LT(slow.at.wall - again.at.wall, std::chrono::milliseconds{1});
  EXPECT_LE(again.at.wall, slow.at.wall);
}

TEST_F(FlightRecorderTest, AnOrderlyStopIsTold) {
  run({event(EventType::kServerStopped, "asked to stop")});
  EXPECT_EQ(end().kind, Kind::kStopped);
  EXPECT_THAT(start_text(end()),
              MatchesRegex("The server started. It had been stopped at 20.*Z: asked to stop"));
}

TEST_F(FlightRecorderTest, AnEndWithoutAWordIsToldWithTheLastSignOfLife) {
  run({});
  // A beat later than every line.
  const timespec seen[2] = {{2'000'000'000, 250'000'000}, {2'000'000'000, 250'000'000}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path().c_str(), seen, 0), 0);
  EXPECT_EQ(end().kind, Kind::kSilent);
  EXPECT_EQ(start_text(end()),
            "The server started. Before, it had ended without a word; its last sign of life was at "
            "2033-05-18T03:33:20.250Z. What ended it could not be told: SIGKILL, the kernel for want of "
            "memory (its "
            "log tells), another signal, or a loss of power")
      << "how long it stood still before that nobody knows";
}

TEST_F(FlightRecorderTest, BeatsAreSignsOfLife) {
  FlightRecorder recorder(folder_, Moment::now());
  recorder.append(std::vector<Event>{event(EventType::kServerStarted, "started")});
  recorder.flush();
  const timespec old[2] = {{1, 0}, {1, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path().c_str(), old, 0), 0);
  const auto before = std::chrono::system_clock::now() - std::chrono::seconds{1};
  recorder.beat();
  recorder.flush();
  EXPECT_GT(end().at, before);
}

TEST_F(FlightRecorderTest, AnotherStartOfTheMachineIsTold) {
  add(R"({"unix_ms":1700000000000,"type":"server_started","severity":"info","boot":"another","text":"s"})"
      "\n");
  EXPECT_TRUE(end().other_boot);
  EXPECT_THAT(start_text(end()), HasSubstr(" without a word; its last sign of life was at 20"));
  EXPECT_THAT(start_text(end()), HasSubstr(" and the machine was started again in between"));
}

TEST_F(FlightRecorderTest, ACrashIsToldWithItsSignal) {
  const pid_t child = ::fork();
  if (child == 0) {
    FlightRecorder recorder(folder_, Moment::now());
    recorder.append(std::vector<Event>{event(EventType::kServerStarted, "started")});
    recorder.flush();
    ::raise(SIGABRT);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the process ends as it always did";
  EXPECT_EQ(WTERMSIG(status), SIGABRT);
  const PreviousEnd crashed = end();
  EXPECT_EQ(crashed.kind, Kind::kCrashed);
  EXPECT_EQ(crashed.reason, "SIGABRT");
  EXPECT_LT(std::chrono::system_clock::now() - crashed.at, std::chrono::minutes{1});
  EXPECT_THAT(start_text(crashed),
              MatchesRegex("The server started. It had crashed with SIGABRT at .*Z; look for a "
                           "core dump and report it"));
}

TEST_F(FlightRecorderTest, OnlyTheLastStartCounts) {
  run({event(EventType::kServerStopped, "asked to stop")});
  run({});
  EXPECT_EQ(end().kind, Kind::kSilent);
  run({event(EventType::kServerStopped, "the log failed")});
  EXPECT_EQ(end().reason, "the log failed");
}

TEST_F(FlightRecorderTest, DamageIsPassedOver) {
  run({event(EventType::kLogFull, "one")});
  add("garbage\n{\"unix_ms\":1}\n[1]\n\xff\xfe\n");
  for (const char* when : {"-1", "9000000000000000000", "1e3", "\"1\""})
    add(fmt::format("{{\"unix_ms\":{},\"type\":\"log_full\",\"severity\":\"info\",\"text\":\"?\"}}\n", when));
  add(std::string(FlightRecorder::kLineBytesMax + 1, 'x') + "\n");
  add(R"({"unix_ms":1700000000000,"type":"of_a_later_version","severity":"info","text":"?"})"
      "\n");
  add(R"({"unix_ms":17000000)");  // torn, without a line break
  run({event(EventType::kLogWritable, "two")});
  EXPECT_THAT(past(), testing::ElementsAre("started", "one", "started", "two"));
}

TEST_F(FlightRecorderTest, TwoFilesAreAllThereEverIs) {
  std::vector<Event> many;
  for (int i = 0; i < 500; ++i) many.push_back(event(EventType::kSnapshotWritten, std::string(3000, 'x')));
  run(many);
  run(many);
  run({event(EventType::kLogFull, "last")});
  EXPECT_LE(text().size(), FlightRecorder::kFileBytesMax);
  EXPECT_FALSE(text(".1").empty());
  EXPECT_EQ(
      std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator()), 2);
  EXPECT_EQ(past().back(), "last");
  EXPECT_LE(past().size(), FlightRecorder::kPastMax);
}

TEST_F(FlightRecorderTest, AFolderThatCannotBeWrittenIsNoFault) {
  std::filesystem::remove_all(folder_);
  FlightRecorder recorder(folder_, Moment::now());
  recorder.append(std::vector<Event>{event(EventType::kLogFull, "lost")});
  recorder.beat();
  recorder.flush();
  EXPECT_THAT(recorder.past(), testing::IsEmpty());
}

}  // namespace
}  // namespace wk::node
