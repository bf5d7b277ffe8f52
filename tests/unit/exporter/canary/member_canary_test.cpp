#include "exporter/canary/member_canary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <future>
#include <stdexcept>

#include "dial/resolver.h"
#include "exporter/canary/canary.h"
#include "fake_member.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;
using jute::ErrorCode;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using Op = CanaryOperation;
using Outcome = CanaryResult;

constexpr std::int64_t kSession = 0x1000013dc750000;

std::uint64_t counted(const CanaryReport& report, Op operation, Outcome result) {
  return report.totals.operations[static_cast<std::size_t>(operation)][static_cast<std::size_t>(result)];
}

/// Asked for so far, whatever came of it.
std::uint64_t counted(const CanaryReport& report, Op operation) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : report.totals.operations[static_cast<std::size_t>(operation)])
    sum += count;
  return sum;
}

const LatencyHistogram& latency(const CanaryReport& report, Op operation) {
  return report.totals.latency[static_cast<std::size_t>(operation)];
}

/// Two members, each with its scripted server; a test opens the canaries that it wants.
class MemberCanaryTest : public testing::Test {
 protected:
  MemberCanaryTest() {
    spec_.canary_path = "/ops/canary";
    for (auto& member : members_) {
      TargetSpec target;
      target.host = "127.0.0.1";
      target.port = member.server.address().port;
      target.name = member.server.address().to_string();
      spec_.members.push_back(target);
    }
  }

  MemberCanary& make(std::size_t index, CanaryMode mode) {
    EnsembleSpec spec = spec_;
    spec.canary = mode;
    canaries_[index] = std::make_unique<MemberCanary>(
        io_, spec, index, "w1", [] { return 0.0; },
        [this, index](CanaryReport report) { reports_[index].push_back(std::move(report)); },
        [this, index] { ++lost_[index]; });
    return *canaries_[index];
  }

  /// Opens the canary; its first round on a connection is under way, or finished, afterwards.
  void open(std::size_t index) {
    canaries_[index]->open();
    begin_connected_round(index);
  }

  /// Rounds without a connection fail at once; begins them until one has a connection.
  void begin_connected_round(std::size_t index) {
    for (;;) {
      const std::size_t before = syncs(index);
      const std::uint64_t number = ++round_;
      canaries_[index]->begin_round(number);
      run_until([&] { return syncs(index) > before || reported(index, number); }, "a round that begins");
      if (syncs(index) > before) return;
      run_handler();
    }
  }

  /// A whole round on a connection that stands.
  const CanaryReport& round(std::size_t index) {
    const std::uint64_t number = ++round_;
    canaries_[index]->begin_round(number);
    return await_report(index, number);
  }
  const CanaryReport& await_report(std::size_t index, std::uint64_t number) {
    run_until([&] { return reported(index, number); }, "the report of a round");
    return reports_[index].back();
  }
  const CanaryReport& await_report(std::size_t index) { return await_report(index, round_); }
  [[nodiscard]] bool reported(std::size_t index, std::uint64_t number) const {
    return !reports_[index].empty() && reports_[index].back().round == number;
  }

  void await_line(std::size_t index, const std::string& line, std::size_t times = 1) {
    run_until([&] { return lines(index, line) >= times; }, line.c_str());
  }
  [[nodiscard]] std::size_t lines(std::size_t index, const std::string& line) const {
    const auto& log = members_[index].log;
    return static_cast<std::size_t>(std::count(log.begin(), log.end(), line));
  }
  /// Whole rounds, until the member has been asked for `line` so many times.
  void rounds_until(std::size_t index, const std::string& line, std::size_t times) {
    for (int left = 100; left > 0 && lines(index, line) < times; --left) round(index);
    ASSERT_GE(lines(index, line), times) << line;
  }
  [[nodiscard]] std::size_t syncs(std::size_t index) const { return lines(index, "sync /"); }
  /// What was asked of the member, without the operations of rounds.
  [[nodiscard]] std::vector<std::string> chain_log(std::size_t index) const {
    auto log = members_[index].log;
    std::erase_if(log, [](const std::string& line) { return line == "sync /" || line == "exists /"; });
    return log;
  }
  [[nodiscard]] std::string own_path(std::size_t index) const {
    return "/ops/canary/" + spec_.members[index].name + "-w1";
  }

  void serve() {
    for (auto& member : members_) member.serve();
  }
  void run_handler() {
    io_.restart();
    if (io_.run_one_for(20s) == 0) throw std::runtime_error("nothing is under way any more");
    serve();
  }
  template <typename Condition>
  void run_until(Condition condition, const char* what) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    io_.restart();
    serve();
    while (!condition()) {
      if (io_.run_one_until(deadline) == 0) {
        ADD_FAILURE() << "never happened: " << what;
        throw std::runtime_error(what);  // ends this test; the others go on
      }
      serve();
    }
  }

  boost::asio::io_context io_;
  FakeTree tree_;
  std::array<FakeMember, 2> members_{{{io_, tree_, kSession}, {io_, tree_, kSession + 1}}};
  EnsembleSpec spec_;
  std::array<std::vector<CanaryReport>, 2> reports_;
  std::array<int, 2> lost_{};
  std::array<std::unique_ptr<MemberCanary>, 2> canaries_;
  std::uint64_t round_ = 0;
};

// ---------------------------------------------------------------------------------------------------------------
// Rounds

TEST_F(MemberCanaryTest, RoundCountsAndTimesSyncAndRead) {
  make(1, CanaryMode::kRead);
  open(1);
  const CanaryReport& report = await_report(1);
  EXPECT_THAT(members_[1].log, ElementsAre("sync /", "exists /"));
  EXPECT_EQ(report.member, 1U);
  EXPECT_TRUE(report.round_ok);
  EXPECT_TRUE(report.sync_ok);
  EXPECT_TRUE(report.totals.connected);
  for (const Op operation : {Op::kConnect, Op::kSync, Op::kRead}) {
    EXPECT_EQ(counted(report, operation, Outcome::kOk), 1U) << name(operation);
    EXPECT_EQ(latency(report, operation).count(), 1U) << name(operation);
  }
  for (const Op operation : {Op::kCreate, Op::kSet, Op::kDelete, Op::kWatch})
    EXPECT_EQ(counted(report, operation), 0U) << name(operation);
  ASSERT_TRUE(report.totals.last_ok);
  EXPECT_EQ(report.totals.last_ok->steady, report.finished.steady);
  EXPECT_TRUE(report.totals.last_sync_ok);
  EXPECT_EQ(report.totals.watch_from, "");
}

TEST_F(MemberCanaryTest, WithoutConnectionARoundFailsAtOnceAndTheNextGoodOneClearsTheError) {
  make(0, CanaryMode::kRead).open();
  canaries_[0]->begin_round(1);
  io_.poll_one();  // no more than one handler: far from a connection
  ASSERT_TRUE(reported(0, 1));
  const CanaryReport first = reports_[0].back();
  EXPECT_FALSE(first.round_ok);
  EXPECT_FALSE(first.sync_ok);
  EXPECT_FALSE(first.totals.connected);
  EXPECT_EQ(counted(first, Op::kConnect, Outcome::kTimedOut), 1U);
  EXPECT_EQ(counted(first, Op::kSync), 0U);
  EXPECT_EQ(first.totals.last_error, "connect: no connection yet");
  EXPECT_FALSE(first.totals.last_ok);

  round_ = 1;
  begin_connected_round(0);
  const CanaryReport& good = await_report(0);
  EXPECT_TRUE(good.round_ok);
  EXPECT_EQ(good.totals.last_error, "");
}

TEST_F(MemberCanaryTest, ARefusedConnectionIsCountedOnceARound) {
  members_[0].server.stop();
  make(0, CanaryMode::kRead).open();
  do {
    run_handler();
    round(0);
  } while (reports_[0].back().totals.last_error == "connect: no connection yet");
  const CanaryReport& report = round(0);
  EXPECT_THAT(report.totals.last_error, StartsWith("connect: " + spec_.members[0].name));
  EXPECT_THAT(report.totals.last_error, HasSubstr("check that the server runs"));
  EXPECT_GE(counted(report, Op::kConnect, Outcome::kRefused), 1U);
  EXPECT_EQ(
      counted(report, Op::kConnect, Outcome::kRefused) + counted(report, Op::kConnect, Outcome::kTimedOut),
      round_);
  EXPECT_EQ(counted(report, Op::kConnect), round_);
  EXPECT_EQ(lost_[0], 0);  // there was nothing to lose
}

// Waits for the deadline of a round in real time.
TEST_F(MemberCanaryTest, ASyncThatHangsIsTimedOutByTheDeadlineOfItsRound) {
  make(0, CanaryMode::kRead);
  members_[0].held = {"sync /"};
  const auto began = std::chrono::steady_clock::now();
  open(0);
  const CanaryReport hung = await_report(0);
  EXPECT_GE(hung.finished.steady - began, kCanaryRoundDeadline - 1ms);  // Requests take whole milliseconds.
  EXPECT_FALSE(hung.round_ok);
  EXPECT_FALSE(hung.sync_ok);
  EXPECT_TRUE(hung.totals.connected);
  EXPECT_EQ(counted(hung, Op::kSync, Outcome::kTimedOut), 1U);
  EXPECT_EQ(latency(hung, Op::kSync).count(), 0U);
  EXPECT_EQ(counted(hung, Op::kRead), 0U);
  EXPECT_THAT(hung.totals.last_error, AnyOf(StartsWith("sync: "), HasSubstr("did not end in time")));

  members_[0].held.clear();
  const CanaryReport& next = round(0);  // The late reply belongs to the round before.
  EXPECT_TRUE(next.round_ok);
  EXPECT_EQ(counted(next, Op::kSync, Outcome::kOk), 1U);
  EXPECT_EQ(next.totals.last_error, "");
}

TEST_F(MemberCanaryTest, ARoundStillUnderWayIsEndedByTheNext) {
  make(0, CanaryMode::kRead);
  open(0);
  await_report(0);
  members_[0].held = {"sync /"};
  const std::uint64_t slow = ++round_;
  canaries_[0]->begin_round(slow);
  await_line(0, "sync /", 2);
  EXPECT_FALSE(reported(0, slow));
  canaries_[0]->begin_round(++round_);
  run_until([&] { return reported(0, slow); }, "the report of the slow round");
  EXPECT_FALSE(reports_[0].back().round_ok);
  EXPECT_THAT(reports_[0].back().totals.last_error, HasSubstr("did not end in time"));

  members_[0].held.clear();
  const CanaryReport& next = await_report(0);
  EXPECT_TRUE(next.round_ok);
  EXPECT_EQ(counted(next, Op::kSync, Outcome::kOk), 2U);  // not the late one
  EXPECT_EQ(counted(next, Op::kRead, Outcome::kOk), 2U);
}

TEST_F(MemberCanaryTest, AnErrorCodeFailsTheRoundAndIsNamed) {
  make(0, CanaryMode::kRead);
  open(0);
  await_report(0);
  members_[0].fail["sync /"] = ErrorCode::kSystemError;
  const CanaryReport no_sync = round(0);
  EXPECT_FALSE(no_sync.round_ok);
  EXPECT_FALSE(no_sync.sync_ok);
  EXPECT_EQ(counted(no_sync, Op::kSync, Outcome::kError), 1U);
  EXPECT_EQ(counted(no_sync, Op::kRead), 1U);  // that of the round before
  EXPECT_EQ(no_sync.totals.last_error, "sync: the server answered SYSTEMERROR");

  members_[0].fail = {{"exists /", ErrorCode::kUnimplemented}};
  const CanaryReport no_read = round(0);
  EXPECT_FALSE(no_read.round_ok);
  EXPECT_TRUE(no_read.sync_ok);
  EXPECT_EQ(counted(no_read, Op::kRead, Outcome::kError), 1U);
  EXPECT_EQ(no_read.totals.last_error, "read: the server answered UNIMPLEMENTED");
  EXPECT_EQ(no_read.totals.last_ok->steady, reports_[0][reports_[0].size() - 3].finished.steady);
}

// ---------------------------------------------------------------------------------------------------------------
// Sessions

TEST_F(MemberCanaryTest, ALostConnectionIsReportedAtOnceAndMadeAgain) {
  make(0, CanaryMode::kRead);
  members_[0].held = {"sync /"};
  open(0);
  EXPECT_EQ(lost_[0], 0);
  members_[0].drop();
  const CanaryReport lost = await_report(0);
  EXPECT_EQ(lost_[0], 1);
  EXPECT_FALSE(lost.round_ok);
  EXPECT_FALSE(lost.totals.connected);
  EXPECT_EQ(counted(lost, Op::kSync, Outcome::kConnectionLoss), 1U);

  const CanaryReport between = round(0);
  EXPECT_EQ(counted(between, Op::kConnect, Outcome::kConnectionLoss), 1U);
  EXPECT_THAT(between.totals.last_error, StartsWith("connect: "));

  members_[0].held.clear();
  begin_connected_round(0);
  const CanaryReport& again = await_report(0);
  EXPECT_TRUE(again.round_ok);
  EXPECT_EQ(counted(again, Op::kConnect, Outcome::kOk), 2U);
  EXPECT_EQ(again.totals.sessions_expired, 0U);
  EXPECT_EQ(lost_[0], 1);
  EXPECT_THAT(members_[0].sessions_wanted, ElementsAre(0, kSession));
}

TEST_F(MemberCanaryTest, AnExpiredSessionIsCountedAndFollowedByANewOne) {
  make(0, CanaryMode::kRead);
  open(0);
  await_report(0);
  members_[0].expire = true;
  members_[0].drop();
  run_until([&] { return lost_[0] == 1; }, "the loss");
  begin_connected_round(0);
  const CanaryReport& report = await_report(0);
  EXPECT_TRUE(report.round_ok);
  EXPECT_EQ(report.totals.sessions_expired, 1U);
  EXPECT_THAT(members_[0].sessions_wanted, ElementsAre(0, kSession, 0));
}

TEST_F(MemberCanaryTest, ASessionThatHasSeenMoreThanTheServerIsGivenUpAfterItsTimeout) {
  // Waits for the timeout in real time. A connection that a slow machine loses before does no harm.
  members_[0].granted_timeout_ms = 200;
  make(0, CanaryMode::kRead);
  open(0);
  await_report(0);
  tree_.zxid = 1;  // restored from an old backup
  members_[0].drop();
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  do {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the canary never came back";
    run_handler();
  } while (!round(0).round_ok);
  EXPECT_GE(std::ranges::count(members_[0].sessions_wanted, 0), 2);
}

TEST_F(MemberCanaryTest, AHangingNameOfAnotherMemberDelaysNobody) {
  std::promise<void> end;
  dial::Resolver::of(io_).set_lookup(
      [ended = end.get_future().share()](const std::string& host) -> Result<dial::Resolver::Addresses> {
        if (host == "hung.example") ended.wait();
        return dial::Resolver::Addresses{boost::asio::ip::make_address("127.0.0.1")};
      });
  spec_.members[0].host = "hung.example";
  spec_.members[1].host = "brisk.example";
  make(0, CanaryMode::kRead).open();
  make(1, CanaryMode::kRead);
  open(1);
  EXPECT_TRUE(await_report(1).round_ok);
  EXPECT_FALSE(round(0).round_ok);
  end.set_value();
}

TEST_F(MemberCanaryTest, CredentialsAreShownBeforeAnythingElse) {
  spec_.canary_auth = "ops:secret";
  make(0, CanaryMode::kRead);
  open(0);
  EXPECT_TRUE(await_report(0).round_ok);
  EXPECT_THAT(members_[0].log, ElementsAre("auth digest ops:secret", "sync /", "exists /"));
}

TEST_F(MemberCanaryTest, RefusedCredentialsFailEveryRoundWithTheRemedy) {
  spec_.canary_auth = "ops:secret";
  members_[0].auth_answer = ErrorCode::kAuthFailed;
  make(0, CanaryMode::kRead).open();
  run_until([&] { return !members_[0].log.empty(); }, "the credentials");
  run_until(
      [&] {
        canaries_[0]->begin_round(++round_);
        return !reports_[0].empty() &&
               reports_[0].back().totals.last_error.find("credentials") != std::string::npos;
      },
      "the refusal");
  const CanaryReport& report = reports_[0].back();
  EXPECT_FALSE(report.round_ok);
  EXPECT_EQ(counted(report, Op::kConnect, Outcome::kError), 1U);
  EXPECT_EQ(report.totals.last_error,
            "connect: the server refuses the canary's credentials; correct canary auth in the configuration");
  EXPECT_THAT(report.totals.last_error, testing::Not(HasSubstr("secret")));
}

TEST_F(MemberCanaryTest, CloseEndsTheSessionAndNoReportFollows) {
  make(0, CanaryMode::kRead);
  open(0);
  await_report(0);
  members_[0].held = {"sync /"};
  canaries_[0]->begin_round(++round_);
  await_line(0, "sync /", 2);
  const std::size_t reports = reports_[0].size();
  bool closed = false;
  canaries_[0]->close([&] { closed = true; });
  await_line(0, "closeSession");
  EXPECT_FALSE(closed);
  members_[0].held.clear();
  run_until([&] { return closed; }, "the end of the session");
  EXPECT_EQ(reports_[0].size(), reports);
  EXPECT_EQ(lost_[0], 0);
}

TEST_F(MemberCanaryTest, CloseWithoutAConnectionIsDoneToo) {
  members_[0].server.stop();
  make(0, CanaryMode::kRead).open();
  bool closed = false;
  canaries_[0]->close([&] { closed = true; });
  run_until([&] { return closed; }, "the end of the session");
  EXPECT_THAT(reports_[0], IsEmpty());
}

// ---------------------------------------------------------------------------------------------------------------
// Chains

class WriteCanaryTest : public MemberCanaryTest {
 protected:
  /// Member 1 reads, and watches what member 0 writes.
  void open_writer_and_watcher() {
    make(1, CanaryMode::kRead);
    open(1);
    await_report(1);
    members_[1].log.clear();
    make(0, CanaryMode::kWrite).watched_by(canaries_[1].get());
    open(0);
  }
  /// The chain's last request is on its way; the reply comes in front of those of the next round.
  void await_chain_end(std::size_t times = 1) { await_line(0, "delete " + own_path(0), times); }
};

TEST_F(WriteCanaryTest, ChainMakesItsParentsThenCreatesSetsAndDeletesBeforeAWatcher) {
  open_writer_and_watcher();
  await_chain_end();
  const CanaryReport& writer = round(0);
  EXPECT_TRUE(writer.round_ok);
  const auto log = chain_log(0);
  ASSERT_GE(log.size(), 5U);
  EXPECT_THAT((std::vector(log.begin(), log.begin() + 5)),
              ElementsAre("create /ops", "create /ops/canary", "create " + own_path(0),
                          "setData " + own_path(0), "delete " + own_path(0)));
  EXPECT_THAT(members_[1].log, ElementsAre("sync /", "exists " + own_path(0)));
  for (const Op operation : {Op::kCreate, Op::kSet, Op::kDelete}) {
    EXPECT_EQ(counted(writer, operation, Outcome::kOk), 1U) << name(operation);
    EXPECT_EQ(counted(writer, operation), 1U) << name(operation);
    EXPECT_EQ(latency(writer, operation).count(), 1U) << name(operation);
  }
  EXPECT_EQ(counted(writer, Op::kWatch), 0U);
  EXPECT_EQ(tree_.owners.at("/ops/canary"), 0);

  const CanaryReport& watcher = round(1);
  EXPECT_EQ(counted(watcher, Op::kWatch, Outcome::kOk), 1U);
  EXPECT_EQ(counted(watcher, Op::kWatch), 1U);
  EXPECT_EQ(watcher.totals.watch_delivery.count(), 1U);
  EXPECT_EQ(watcher.totals.watch_from, spec_.members[0].name);
  EXPECT_EQ(counted(watcher, Op::kSync), 2U);  // Its sync for the watch is none of its rounds'.
}

TEST_F(WriteCanaryTest, TheZnodeIsEphemeral) {
  make(0, CanaryMode::kWrite);
  members_[0].held = {"setData " + own_path(0)};
  open(0);
  await_line(0, "setData " + own_path(0));
  EXPECT_EQ(tree_.owners.at(own_path(0)), kSession);
  EXPECT_EQ(tree_.owners.at("/ops"), 0);
  bool closed = false;
  canaries_[0]->close([&] { closed = true; });
  members_[0].held.clear();
  run_until([&] { return closed; }, "the end of the session");
  EXPECT_FALSE(tree_.owners.contains(own_path(0)));
}

TEST_F(WriteCanaryTest, ParentsAreMadeOnceAndAgainAfterSomebodyRemovedThem) {
  make(0, CanaryMode::kWrite);
  open(0);
  rounds_until(0, "create " + own_path(0), 3);
  EXPECT_EQ(lines(0, "create /ops/canary"), 1U);

  tree_.owners.erase("/ops/canary");
  rounds_until(0, "create /ops/canary", 2);
  const auto failed = std::find_if(reports_[0].begin(), reports_[0].end(), [](const CanaryReport& report) {
    return report.totals.last_error == "create: the server answered NONODE";
  });
  ASSERT_NE(failed, reports_[0].end());
  EXPECT_FALSE(failed->round_ok);

  rounds_until(0, "create " + own_path(0), lines(0, "create " + own_path(0)) + 2);
  const CanaryReport& good = round(0);
  EXPECT_TRUE(good.round_ok);
  EXPECT_EQ(counted(good, Op::kCreate, Outcome::kError), 1U);
  EXPECT_EQ(lines(0, "create /ops/canary"), 2U);
}

TEST_F(WriteCanaryTest, ALockedRootAboveAnExistingParentIsNoFault) {
  tree_.owners = {{"/ops", 0}, {"/ops/canary", 0}};
  members_[0].fail["create /ops"] = ErrorCode::kNoAuth;
  members_[0].fail["create /ops/canary"] = ErrorCode::kNoAuth;
  make(0, CanaryMode::kWrite);
  open(0);
  await_chain_end();
  const CanaryReport& report = round(0);
  EXPECT_TRUE(report.round_ok);
  EXPECT_EQ(counted(report, Op::kCreate, Outcome::kError), 0U);
}

TEST_F(WriteCanaryTest, AnExistingParentIsNoFault) {
  tree_.owners = {{"/ops", 0}, {"/ops/canary", 0}};
  make(0, CanaryMode::kWrite);
  open(0);
  await_chain_end();
  const CanaryReport& report = round(0);
  EXPECT_TRUE(report.round_ok);
  EXPECT_EQ(counted(report, Op::kCreate, Outcome::kError), 0U);
}

TEST_F(WriteCanaryTest, NoAuthNamesThePathAndTheRemedyAndFailsRoundsUntilAChainSucceeds) {
  members_[0].fail["create " + own_path(0)] = ErrorCode::kNoAuth;
  make(0, CanaryMode::kWrite);
  open(0);
  await_line(0, "create " + own_path(0));
  const CanaryReport failed = round(0);
  EXPECT_FALSE(failed.round_ok);
  EXPECT_TRUE(failed.sync_ok);
  EXPECT_GE(counted(failed, Op::kCreate, Outcome::kError), 1U);
  EXPECT_EQ(counted(failed, Op::kCreate, Outcome::kOk), 0U);
  EXPECT_EQ(
      failed.totals.last_error,
      "create: the server answered NOAUTH; give the canary credentials that may write below /ops/canary");

  members_[0].fail.clear();
  rounds_until(0, "delete " + own_path(0), lines(0, "delete " + own_path(0)) + 2);  // the rest, then its own
  const CanaryReport& good = round(0);
  EXPECT_TRUE(good.round_ok);
  EXPECT_EQ(good.totals.last_error, "");
}

TEST_F(WriteCanaryTest, AChainLongerThanARoundFailsNoRoundAndIsNotDoubled) {
  members_[1].withhold_events = true;
  open_writer_and_watcher();
  await_line(0, "setData " + own_path(0));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(round(0).round_ok);
  EXPECT_EQ(lines(0, "create " + own_path(0)), 1U);
  EXPECT_EQ(lines(0, "delete " + own_path(0)), 0U);

  members_[1].send_events();
  await_chain_end();
  const CanaryReport& report = round(0);
  EXPECT_TRUE(report.round_ok);
  EXPECT_EQ(counted(report, Op::kSet, Outcome::kOk), 1U);
  EXPECT_EQ(counted(round(1), Op::kWatch, Outcome::kOk), 1U);
}

TEST_F(WriteCanaryTest, AnEventInFrontOfTheAcknowledgementCountsAsNoTime) {
  members_[0].held = {"setData " + own_path(0)};
  members_[1].withhold_events = true;
  open_writer_and_watcher();
  await_line(0, "setData " + own_path(0));
  // The watcher's member is ahead of the writer's: it applies the change and tells while the reply still
  // waits.
  members_[1].server.send(client::encode(
      jute::ReplyHeader{jute::kXidNotification, Zxid{tree_.zxid}, ErrorCode::kOk},
      jute::WatcherEvent{jute::EventType::kNodeDataChanged, jute::KeeperState::kSyncConnected, own_path(0)}));
  round(1);  // Its replies come behind the event.
  members_[0].held.clear();
  await_chain_end();
  const CanaryReport& watcher = round(1);
  EXPECT_EQ(counted(watcher, Op::kWatch, Outcome::kOk), 1U);
  EXPECT_EQ(watcher.totals.watch_delivery.count(), 1U);
  EXPECT_EQ(watcher.totals.watch_delivery.sum(), 0ns);
}

TEST_F(WriteCanaryTest, AWatcherWithoutConnectionIsLeftOut) {
  members_[1].server.stop();
  make(1, CanaryMode::kRead).open();
  make(0, CanaryMode::kWrite).watched_by(canaries_[1].get());
  open(0);
  await_chain_end();
  const CanaryReport& writer = round(0);
  EXPECT_TRUE(writer.round_ok);
  EXPECT_EQ(counted(writer, Op::kDelete, Outcome::kOk), 1U);
  EXPECT_EQ(counted(round(1), Op::kWatch), 0U);
}

TEST_F(WriteCanaryTest, TheRestOfAnUnansweredCreateIsRemovedFirst) {
  members_[0].held = {"create " + own_path(0)};
  make(0, CanaryMode::kWrite);
  open(0);
  await_line(0, "create " + own_path(0));
  await_report(0);
  const std::size_t syncs_before = syncs(0);
  canaries_[0]->begin_round(++round_);
  run_until([&] { return syncs(0) > syncs_before; }, "a sync behind the create");
  members_[0].carry_out_and_drop();
  const CanaryReport cut = await_report(0);
  EXPECT_FALSE(cut.round_ok);
  EXPECT_EQ(counted(cut, Op::kCreate, Outcome::kConnectionLoss), 1U);
  ASSERT_TRUE(tree_.owners.contains(own_path(0)));

  members_[0].held.clear();
  members_[0].log.clear();
  begin_connected_round(0);
  await_line(0, "delete " + own_path(0), 2);
  const auto log = chain_log(0);
  ASSERT_GE(log.size(), 4U);
  EXPECT_THAT((std::vector(log.begin(), log.begin() + 4)),
              ElementsAre("delete " + own_path(0), "create " + own_path(0), "setData " + own_path(0),
                          "delete " + own_path(0)));
  const CanaryReport& report = round(0);
  EXPECT_EQ(counted(report, Op::kCreate, Outcome::kOk), 1U);
  EXPECT_EQ(counted(report, Op::kDelete, Outcome::kOk), 1U);  // The removal of the rest is not counted.
  EXPECT_EQ(counted(report, Op::kCreate, Outcome::kError), 0U);
  EXPECT_TRUE(report.round_ok);
}

TEST_F(WriteCanaryTest, AfterExpiryTheParentIsMadeAgain) {
  make(0, CanaryMode::kWrite);
  open(0);
  await_chain_end(1);
  await_report(0);
  members_[0].expire = true;
  members_[0].drop();
  run_until([&] { return lost_[0] == 1; }, "the loss");
  tree_.owners.clear();
  begin_connected_round(0);
  await_chain_end(2);
  const CanaryReport& report = round(0);
  EXPECT_EQ(report.totals.sessions_expired, 1U);
  EXPECT_EQ(lines(0, "create /ops/canary"), 2U);
  EXPECT_EQ(counted(report, Op::kCreate, Outcome::kError), 0U);
}

// ---------------------------------------------------------------------------------------------------------------
// The canary of an ensemble

// Waits for rounds and for a watch in real time.
TEST_F(WriteCanaryTest, AnEnsemblesCanaryRunsRoundsOnAllMembersAndTellsAMissedWatch) {
  members_[1].withhold_events = true;
  spec_.canary = CanaryMode::kWrite;
  Canary canary(
      io_, spec_, "w1", [] { return 0.0; },
      [this](CanaryReport report) {
        const std::size_t member = report.member;
        reports_.at(member).push_back(std::move(report));
      },
      [this](std::size_t member) { ++lost_.at(member); });
  canary.start();
  run_until(
      [&] { return !reports_[1].empty() && counted(reports_[1].back(), Op::kWatch, Outcome::kTimedOut) > 0; },
      "the missed watch");
  ASSERT_FALSE(reports_[0].empty());
  EXPECT_EQ(reports_[0].front().round, 1U);
  EXPECT_EQ(reports_[1].front().round, 1U);
  EXPECT_TRUE(reports_[0].front().round_ok);
  EXPECT_TRUE(reports_[1].front().round_ok);
  EXPECT_EQ(reports_[0].front().member, 0U);
  EXPECT_EQ(reports_[1].front().member, 1U);
  for (std::size_t i = 1; i < reports_[1].size(); ++i) EXPECT_EQ(reports_[1][i].round, i + 1);

  // Member 0 watches member 1 and the other way round; only member 1 keeps its events to itself, and answers
  // for it.
  EXPECT_FALSE(reports_[1].back().round_ok);
  EXPECT_EQ(reports_[1].back().totals.last_error,
            "watch: no event for a change made through " + spec_.members[0].name);
  EXPECT_TRUE(reports_[0].back().round_ok);
  EXPECT_EQ(reports_[0].back().totals.watch_from, spec_.members[1].name);
  EXPECT_EQ(reports_[1].back().totals.watch_from, spec_.members[0].name);
  EXPECT_EQ(counted(reports_[1].back(), Op::kWatch, Outcome::kOk), 0U);
  EXPECT_GE(counted(reports_[0].back(), Op::kWatch, Outcome::kOk), 1U);
  EXPECT_EQ(counted(reports_[0].back(), Op::kWatch, Outcome::kTimedOut), 0U);

  bool stopped = false;
  canary.stop([&] { stopped = true; });
  run_until([&] { return stopped; }, "the end of all sessions");
  EXPECT_EQ(lines(0, "closeSession"), 1U);
  EXPECT_EQ(lines(1, "closeSession"), 1U);
  EXPECT_FALSE(tree_.owners.contains(own_path(0)));
  EXPECT_FALSE(tree_.owners.contains(own_path(1)));
}

}  // namespace
}  // namespace wk::exporter
