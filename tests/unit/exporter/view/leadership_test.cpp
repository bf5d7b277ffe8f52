// What the stories of ensemble_tracker_test.cpp do not show of the leadership: its edges in time and in
// number.
#include "exporter/view/leadership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/exporter/view/view_parts.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using testing::ElementsAre;

/// Three members, zk3:2181 leads at first. Visits take 5 ms.
class LeadershipTest : public testing::Test {
 protected:
  void answers(std::size_t member, Role role, std::uint32_t epoch, nanoseconds started) {
    Visit& visit = visits[member].emplace();
    visit.started = after(started);
    visit.finished = after(started + 5ms);
    visit.client_port = SourceState::kOk;
    visit.status_ok = true;
    visit.role_at_zxid = Visit::RoleAtZxid{role, zxid_of(epoch, 1)};
    MemberView& view_of = view.members[member];
    view_of.state = ServingState::kServing;
    view_of.role = role;
    view_of.zxid = zxid_of(epoch, 1);
    learn(view_of, [&](MemberFacts& facts) { facts.status = {status_of(role), visit.finished}; });
  }
  void fails(std::size_t member, SourceState how, nanoseconds started) {
    Visit& visit = visits[member].emplace();
    visit.started = after(started);
    visit.finished = after(started + 5ms);
    visit.client_port = how;
    view.members[member].state = ServingState::kUnreachable;
    view.members[member].state_reason = "does not answer";
    view.members[member].role = Role::kUnknown;
    view.members[member].zxid.reset();
  }
  void begin(std::uint32_t epoch) {
    answers(0, Role::kFollower, epoch, 0s);
    answers(1, Role::kFollower, epoch, 0s);
    answers(2, Role::kLeader, epoch, 0s);
    view.members[2].id = ServerId{3};
    derive(10ms);
  }
  void derive(nanoseconds now, bool judged = true) {
    EventSink events = ear.at(after(now));
    leadership.derive(view, visits, spec, judged, after(previous), events);
    previous = now;
  }

  EnsembleView view = ensemble_of(3);
  EnsembleSpec spec = EnsembleStory::spec(3, CanaryMode::kRead);
  Visits visits{3};
  Leadership leadership;
  nanoseconds previous{0};
  Ear ear;
};

TEST_F(LeadershipTest, EpochsThatPassedUnseenAreElectionsUpToAThousandAtOnce) {
  struct Row {
    std::uint32_t from, to;
    std::uint64_t elections;
  };
  for (const Row row : {Row{1, 2, 1}, Row{1, 4, 3}, Row{1, 1001, 1000}, Row{1, 1002, 1000},
                        Row{0, 0xFFFFFFFF, 1000}, Row{0xFFFFFFFE, 0xFFFFFFFF, 1}}) {
    view = ensemble_of(3);
    leadership = Leadership();
    begin(row.from);
    EXPECT_EQ(view.elections, 0U);
    answers(2, Role::kLeader, row.to, 1s);
    derive(1010ms);
    EXPECT_EQ(view.elections, row.elections) << row.from << " to " << row.to;
    EXPECT_EQ(view.leader_changes, 1U) << "however many epochs passed";
    EXPECT_EQ(view.epoch, Epoch{row.to});
    EXPECT_EQ(view.election_duration.count(), 1U);
    EXPECT_EQ(view.election_duration.sum(), 1005ms) << "since the old one last answered";
  }
}

TEST_F(LeadershipTest, ALeaderThatComesBackInItsEpochWasNotElected) {
  begin(4);
  EXPECT_EQ(view.leader_id, ServerId{3});
  fails(2, SourceState::kRefused, 1s);
  derive(1010ms);
  EXPECT_FALSE(view.leader.has_value());
  EXPECT_FALSE(view.leader_id.has_value());
  ASSERT_TRUE(leadership.leaderless_since().has_value());
  EXPECT_EQ(*leadership.leaderless_since() - after(0s), 1s) << "when it was first asked in vain";
  answers(2, Role::kLeader, 4, 2s);
  derive(2010ms);
  EXPECT_EQ(view.elections, 0U);
  EXPECT_EQ(view.leader_changes, 0U);
  EXPECT_FALSE(leadership.leaderless_since().has_value());
  ASSERT_THAT(ear.texts(), ElementsAre("no leader: zk3:2181 does not answer",
                                       "zk3:2181 leads epoch 4 as before, 1.0 s after it was last known to"));
  EXPECT_EQ(ear.events[0].severity, Severity::kCritical);
  EXPECT_EQ(ear.events[0].member, "zk3:2181");
  EXPECT_EQ(ear.events[1].duration, nanoseconds(1010ms));
}

TEST_F(LeadershipTest, AMissingLeaderIsNoConclusionBeforeEveryMemberWasVisited) {
  answers(0, Role::kFollower, 1, 0s);
  derive(10ms, false);
  derive(50s, false);
  EXPECT_FALSE(leadership.leaderless_since().has_value());
  derive(51s);
  EXPECT_EQ(*leadership.leaderless_since() - after(0s), 51s);
  EXPECT_TRUE(ear.events.empty()) << "a leader that was never known is not lost";
}

TEST_F(LeadershipTest, TheFirstLeaderAfterAGapWasElectedButReplacedNobody) {
  for (const std::size_t index : {0U, 1U, 2U}) fails(index, SourceState::kRefused, 0s);
  derive(10ms);
  answers(1, Role::kLeader, 1, 3s);
  derive(3010ms);
  EXPECT_EQ(view.elections, 1U);
  EXPECT_EQ(view.leader_changes, 0U);
  EXPECT_EQ(view.election_duration.sum(), 3s);
  EXPECT_THAT(ear.texts(), ElementsAre("zk2:2181 leads epoch 1, after 3.0 s without a leader"));
}

TEST_F(LeadershipTest, ASilentLeaderHasAGraceThatOneWhichRefusesHasNot) {
  struct Row {
    SourceState how;
    nanoseconds now;
    bool led;
  };
  // Two intervals and a timeout after 5 ms, when it last answered.
  for (const Row row :
       {Row{SourceState::kTimedOut, 3005ms, true}, Row{SourceState::kTimedOut, 3005ms + 1ns, false},
        Row{SourceState::kRefused, 1010ms, false}, Row{SourceState::kClosed, 1010ms, false}}) {
    view = ensemble_of(3);
    leadership = Leadership();
    view.members[0].canary.last_sync_ok = after(20ms);
    begin(1);
    fails(2, row.how, 1s);
    derive(row.now);
    EXPECT_EQ(view.leader_inferred, row.led) << name(row.how) << row.now.count();
    EXPECT_EQ(leadership.leaderless_since().has_value(), !row.led);
  }
}

TEST_F(LeadershipTest, ASyncProvesALeaderOnlyAfterItsSilenceAndWhileItIsFresh) {
  struct Row {
    nanoseconds synced, now;
    bool led;
  };
  for (const Row row : {Row{1s, 1100ms, false}, Row{1s + 1ns, 1100ms, true}, Row{1s + 1ns, 5s + 1ns, true},
                        Row{1s + 1ns, 5s + 2ns, false}}) {
    view = ensemble_of(3);
    leadership = Leadership();
    begin(1);
    fails(2, SourceState::kRefused, 1s);
    view.members[0].canary.last_sync_ok = after(row.synced);
    derive(row.now);
    EXPECT_EQ(view.leader_inferred, row.led) << row.synced.count() << " at " << row.now.count();
    EXPECT_FALSE(view.leader.has_value());
  }
}

TEST_F(LeadershipTest, AStandaloneServersSyncProvesNoLeader) {
  begin(1);
  fails(2, SourceState::kRefused, 1s);
  answers(1, Role::kFollower, 1, 1s);  // No sync has succeeded through it.
  answers(0, Role::kStandalone, 1, 1s);
  view.members[0].canary.last_sync_ok = after(1100ms);
  derive(1200ms);
  EXPECT_FALSE(view.leader_inferred);
  answers(0, Role::kFollower, 1, 1s);
  derive(1200ms);
  EXPECT_TRUE(view.leader_inferred);
}

TEST_F(LeadershipTest, ALeaderOfANewEpochThatStaysHiddenIsToldOfAfterAnIntervalAndATimeout) {
  begin(1);
  fails(2, SourceState::kRefused, 1s);
  derive(1010ms);
  answers(0, Role::kFollower, 3, 2s);
  view.members[0].canary.last_sync_ok = after(2s);
  derive(2010ms);
  EXPECT_TRUE(view.leader_inferred);
  EXPECT_FALSE(leadership.leaderless_since().has_value());
  view.members[0].canary.last_sync_ok = after(4s);
  derive(4010ms);
  EXPECT_EQ(view.elections, 0U) << "its leader may still answer";
  derive(4010ms + 1ns);
  EXPECT_EQ(view.elections, 2U) << "epochs 2 and 3";
  EXPECT_EQ(view.epoch, Epoch{3});
  EXPECT_EQ(view.leader_changes, 1U);
  EXPECT_EQ(view.election_duration.sum(), 1010ms) << "from the first question in vain to the evidence";
  EXPECT_FALSE(view.leader_id.has_value());
  derive(4100ms);
  EXPECT_THAT(ear.texts(), ElementsAre("no leader: zk3:2181 does not answer",
                                       "a leader serves in epoch 3, though it does not answer the exporter "
                                       "itself"));
  answers(1, Role::kLeader, 3, 5s);
  derive(5010ms);
  EXPECT_EQ(view.elections, 2U) << "it was counted already";
  EXPECT_EQ(view.leader, 1U);
  EXPECT_EQ(ear.events.size(), 2U);
}

TEST_F(LeadershipTest, WithoutACanaryEnoughFollowersMustOutlastTheDetector) {
  spec.canary = CanaryMode::kOff;
  struct Row {
    int followers;
    nanoseconds now;
    bool led;
  };
  for (const Row row : {Row{1, 21s, false}, Row{1, 21s + 1ns, true}, Row{0, 50s, false}}) {
    view = ensemble_of(3);
    leadership = Leadership();
    begin(1);
    fails(2, SourceState::kTimedOut, 1s);
    fails(1, SourceState::kTimedOut, 1s);
    if (row.followers == 0) fails(0, SourceState::kTimedOut, 1s);
    derive(row.now);
    EXPECT_EQ(view.leader_inferred, row.led) << row.followers << " at " << row.now.count();
  }
}

TEST_F(LeadershipTest, ASilentServerThatNobodyFollowsProvesNoLeaderHoweverLongItIsSilent) {
  view = ensemble_of(1);
  view.standalone = true;
  spec = EnsembleStory::spec(1, CanaryMode::kOff);
  visits = Visits(1);
  answers(0, Role::kStandalone, 1, 0s);
  derive(10ms);
  ASSERT_EQ(view.leader, 0U);
  fails(0, SourceState::kTimedOut, 1s);
  derive(1010ms);
  derive(100s);
  EXPECT_FALSE(view.leader.has_value());
  EXPECT_FALSE(view.leader_inferred);
}

TEST_F(LeadershipTest, AnObserverThatOutlastedTheDetectorProvesTheOnlyVotersLeader) {
  view = ensemble_of(2);
  view.voters = view.majority = 1;
  view.members[1].voter = false;
  spec = EnsembleStory::spec(2, CanaryMode::kOff);
  visits = Visits(2);
  answers(0, Role::kLeader, 1, 0s);
  answers(1, Role::kObserver, 1, 0s);
  derive(10ms);
  fails(0, SourceState::kTimedOut, 1s);
  derive(100s);
  EXPECT_TRUE(view.leader_inferred);
}

TEST_F(LeadershipTest, ALowerEpochLeadsOnceItsLeaderOutlastedTheDetectorWithAMajority) {
  struct Row {
    nanoseconds claimed_until;  ///< start of the newest visit to a leader that claims since 1 s
    bool majority, led;
  };
  for (const Row row : {Row{21s, true, false}, Row{21s + 1ns, true, true}, Row{50s, false, false}}) {
    view = ensemble_of(3);
    leadership = Leadership();
    begin(50);
    answers(0, Role::kFollower, 0, 1s);
    fails(1, SourceState::kRefused, 1s);
    if (!row.majority) fails(0, SourceState::kRefused, 1s);
    answers(2, Role::kLeader, 1, 1s);
    derive(1010ms);
    answers(2, Role::kLeader, 1, row.claimed_until);
    derive(row.claimed_until + 10ms);
    EXPECT_EQ(view.leader.has_value(), row.led) << row.claimed_until.count() << row.majority;
    EXPECT_EQ(view.elections, row.led ? 1U : 0U);
    EXPECT_EQ(view.epoch, Epoch{row.led ? 1U : 50U});
    EXPECT_FALSE(view.split_brain);
  }
}

TEST_F(LeadershipTest, WhatSpeaksAgainstALowerEpochLetsItWaitAnew) {
  struct Row {
    const char* what;
    std::function<void()> happens;
  };
  for (const Row& row :
       {Row{"a follower shows the newer epoch", [&] { answers(0, Role::kFollower, 50, 10s); }},
        Row{"the leader does not answer", [&] { fails(2, SourceState::kTimedOut, 10s); }},
        Row{"another epoch is led", [&] { answers(2, Role::kLeader, 2, 10s); }},
        Row{"the majority is gone", [&] {
              fails(0, SourceState::kRefused, 10s);
              fails(1, SourceState::kRefused, 10s);
            }}}) {
    view = ensemble_of(3);
    leadership = Leadership();
    begin(50);
    const auto anew = [&](nanoseconds started) {
      answers(0, Role::kFollower, 0, started);
      answers(1, Role::kFollower, 0, started);
      answers(2, Role::kLeader, 1, started);
      derive(started + 10ms);
    };
    anew(1s);
    row.happens();
    derive(10010ms);
    anew(11s);
    anew(31s);
    EXPECT_FALSE(view.leader.has_value()) << row.what;
    anew(32s);
    EXPECT_EQ(view.leader, 2U) << row.what;
  }
}

TEST_F(LeadershipTest, ADeposedLeaderIsASplitBrainOnlyBesideSomebodyWhoShowsTheNewerEpoch) {
  begin(4);
  answers(1, Role::kLeader, 5, 1s);
  derive(1010ms);
  answers(2, Role::kLeader, 4, 2s);
  fails(1, SourceState::kTimedOut, 2s);
  derive(2010ms);
  EXPECT_EQ(view.deposed_leaders, 1);
  EXPECT_FALSE(view.split_brain) << "nobody shows epoch 5";
  answers(0, Role::kFollower, 5, 2s);
  derive(2020ms);
  EXPECT_TRUE(view.split_brain);
}

TEST_F(LeadershipTest, AStandaloneServerThatBeganAnewLeadsAtOnce) {
  view = ensemble_of(1);
  view.standalone = true;
  visits = Visits{1};
  spec = EnsembleStory::spec(1, CanaryMode::kRead);
  answers(0, Role::kStandalone, 50, 0s);
  derive(10ms);
  EXPECT_EQ(view.epoch, Epoch{50});
  answers(0, Role::kStandalone, 0, 1s);
  derive(1010ms);
  EXPECT_EQ(view.leader, 0U);
  EXPECT_EQ(view.epoch, Epoch{0});
  EXPECT_EQ(view.elections, 1U);
  EXPECT_FALSE(view.split_brain);
}

}  // namespace
}  // namespace wk::exporter
