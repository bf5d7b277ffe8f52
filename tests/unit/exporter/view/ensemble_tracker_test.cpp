#include "exporter/view/ensemble_tracker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/exporter/view/ensemble_story.h"

namespace wk::exporter {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

double unserved(const EnsembleView& view) { return wk::seconds(view.unserved); }

/// Nobody is visited for so long.
void pass(EnsembleStory& story, int seconds) {
  for (int i = 0; i < seconds; ++i) {
    story.now = story.now + std::chrono::seconds(1);
    story.tracker.tick(story.now, story.events);
  }
}

TEST(EnsembleTracker, BeforeTheFirstVisitEverythingIsUnreachableAndNothingIsCounted) {
  EnsembleStory story;
  story.now = story.now + std::chrono::seconds(30);
  story.tracker.tick(story.now, story.events);
  EXPECT_EQ(story.view().members.size(), 3U);
  for (const MemberView& member : story.view().members) EXPECT_EQ(member.state, ServingState::kUnreachable);
  EXPECT_FALSE(story.view().serving);
  EXPECT_EQ(unserved(story.view()), 0);
  EXPECT_TRUE(story.events.empty());
  EXPECT_EQ(story.view().verdict, "Nothing is known yet: no member has been visited.");
}

TEST(EnsembleTracker, HealthyEnsembleHasALeaderAndMarginOne) {
  EnsembleStory story;
  story.seconds(3);
  EXPECT_TRUE(story.view().serving);
  EXPECT_EQ(story.view().leader, 2U);
  EXPECT_EQ(story.view().epoch, Epoch{1});
  EXPECT_EQ(story.view().voters, 3);
  EXPECT_EQ(story.view().voters_in_sync, 3);
  EXPECT_EQ(story.view().quorum_margin, 1);
  EXPECT_EQ(story.view().leaders, 1);
  EXPECT_EQ(story.view().elections, 0U);
  EXPECT_EQ(story.view().canary_rounds_ok, 3U);
  EXPECT_EQ(story.view().canary_rounds_failed, 0U);
  EXPECT_THAT(story.view().problems, testing::IsEmpty());
  EXPECT_TRUE(story.events.empty());
  EXPECT_EQ(story.view().verdict, "Serving; tolerates 1 more failure (3 of 3 voters in sync, 2 needed).");
}

TEST(EnsembleTracker, KilledFollowerLeavesMarginZeroAndIsAnEvent) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[0].state = SourceState::kRefused;
  story.second();
  EXPECT_EQ(story.member(0).state, ServingState::kUnreachable);
  EXPECT_EQ(story.view().quorum_margin, 0);
  EXPECT_TRUE(story.view().serving);
  EXPECT_EQ(story.count(EventType::kMemberLost), 1);
  EXPECT_THAT(story.last(EventType::kMemberLost).text, HasSubstr("refuses connections on its client port"));
  ASSERT_FALSE(story.view().problems.empty());
  EXPECT_EQ(story.view().problems[0].id, "quorum_margin_zero");
  story.answering[0].state = SourceState::kOk;
  story.second();
  EXPECT_EQ(story.view().quorum_margin, 1);
  EXPECT_EQ(story.count(EventType::kMemberRegained), 1);
  EXPECT_EQ(story.last(EventType::kMemberRegained).duration,
            std::chrono::nanoseconds(std::chrono::seconds(1)));
}

TEST(EnsembleTracker, LeaderKilledAndReplacedBetweenTwoVisitsIsStillCounted) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[2].state = SourceState::kRefused;
  story.answering[1].role = Role::kLeader;
  story.answering[1].epoch = 2;
  story.answering[1].counter = 0;
  story.answering[1].synced_followers = 1;
  story.second();
  EXPECT_EQ(story.view().leader, 1U);
  EXPECT_EQ(story.view().epoch, Epoch{2});
  EXPECT_EQ(story.view().leader_changes, 1U);
  EXPECT_EQ(story.view().elections, 1U);
  EXPECT_EQ(story.count(EventType::kLeaderLost), 1);
  EXPECT_EQ(story.count(EventType::kLeaderElected), 1);
  EXPECT_THAT(story.last(EventType::kLeaderElected).text, HasSubstr("zk2:2181 leads epoch 2"));
  EXPECT_EQ(story.view().quorum_margin, 0);
  EXPECT_FALSE(story.view().split_brain);
}

TEST(EnsembleTracker, OutageGrowsWhileItLastsAndElectionDurationIsRecorded) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[2].state = SourceState::kRefused;
  story.answering[0].state = story.answering[1].state = SourceState::kNotServing;
  story.second();
  EXPECT_FALSE(story.view().serving);
  EXPECT_EQ(story.member(0).state, ServingState::kLooking);
  EXPECT_FALSE(story.view().leader.has_value());
  EXPECT_EQ(story.view().voters_in_sync, 0);
  EXPECT_EQ(story.view().quorum_margin, -2);
  EXPECT_EQ(story.count(EventType::kLeaderLost), 1);
  EXPECT_THAT(story.last(EventType::kQuorumLost).text, HasSubstr("of 3 voters in sync, 2 are needed"));
  const double after_one = unserved(story.view());
  story.seconds(10);
  EXPECT_NEAR(unserved(story.view()) - after_one, 10, 0.01);
  EXPECT_THAT(
      story.view().verdict,
      HasSubstr("zk1:2181 and zk2:2181 are up but LOOKING; zk3:2181 refuses connections on its client port"));
  ASSERT_FALSE(story.view().problems.empty());
  EXPECT_EQ(story.view().problems[0].id, "no_leader");

  for (int i : {0, 1}) story.answering[static_cast<std::size_t>(i)].state = SourceState::kOk;
  story.answering[1].role = Role::kLeader;
  story.answering[1].epoch = 2;
  story.answering[1].synced_followers = 1;
  story.second();
  EXPECT_TRUE(story.view().serving);
  EXPECT_EQ(story.view().elections, 1U);
  EXPECT_EQ(story.view().election_duration.count(), 1U);
  EXPECT_NEAR(wk::seconds(story.view().election_duration.sum()), 11, 0.1);
  const double total = unserved(story.view());
  story.seconds(5);
  EXPECT_EQ(unserved(story.view()), total);
}

TEST(EnsembleTracker, TwoOfThreeKilledIsQuorumLost) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[2].state = story.answering[0].state = SourceState::kRefused;
  story.answering[1].state = SourceState::kNotServing;
  story.second();
  EXPECT_EQ(story.view().problems.at(0).id, "quorum_lost");
  EXPECT_EQ(story.last(EventType::kQuorumLost).severity, Severity::kCritical);
  EXPECT_EQ(story.view().quorum_margin, -2);
  EXPECT_THAT(story.view().problems.at(0).members, testing::ElementsAre("zk1:2181", "zk3:2181"));
}

TEST(EnsembleTracker, LeaderCutOffFromTheExporterOnlyIsInferredFromSyncs) {
  EnsembleStory story;
  story.seconds(3);
  story.answering[2].state = SourceState::kTimedOut;
  story.seconds(30);
  EXPECT_TRUE(story.view().serving);
  EXPECT_TRUE(story.view().leader_inferred);
  EXPECT_FALSE(story.view().leader.has_value());
  EXPECT_EQ(story.count(EventType::kLeaderLost), 0);
  EXPECT_EQ(unserved(story.view()), 0);
  EXPECT_EQ(story.view().elections, 0U);
}

/// An hour behind a leader that only the exporter cannot reach, then an outage of eight seconds.
void expect_an_outage_of_eight_seconds(EnsembleStory& story) {
  story.seconds(3600);
  EXPECT_TRUE(story.view().leader_inferred);
  const double before = unserved(story.view());
  EXPECT_LT(before, 30) << "without a canary the detector has to pass first";
  for (std::size_t i : {0U, 1U}) {
    story.answering[i].state = SourceState::kNotServing;
    story.answering[i].canary = false;
  }
  story.seconds(8);
  EXPECT_FALSE(story.view().serving);
  EXPECT_GT(unserved(story.view()) - before, 7);
  EXPECT_LT(unserved(story.view()) - before, 10);
  for (std::size_t i : {0U, 1U}) {
    story.answering[i].state = SourceState::kOk;
    story.answering[i].canary = true;
    story.answering[i].epoch += 1;
  }
}

TEST(EnsembleTracker, AnHourBehindAHiddenLeaderIsNoOutage) {
  for (const CanaryMode mode : {CanaryMode::kRead, CanaryMode::kOff}) {
    EnsembleStory story(3, mode);
    story.seconds(5);
    story.answering[2].state = SourceState::kTimedOut;
    expect_an_outage_of_eight_seconds(story);
    story.answering[1].role = Role::kLeader;
    story.seconds(2);
    EXPECT_LT(wk::seconds(story.last(EventType::kLeaderElected).duration.value()), 10);
  }
}

TEST(EnsembleTracker, NorIsOneBehindTheNextHiddenLeader) {
  EnsembleStory story;
  story.seconds(5);
  story.answering[2].state = SourceState::kTimedOut;
  expect_an_outage_of_eight_seconds(story);
  expect_an_outage_of_eight_seconds(story);
  EXPECT_LT(unserved(story.view()), 20);
}

TEST(EnsembleTracker, NorIsOneBehindALeaderThatNobodyListed) {
  EnsembleStory story(2);
  const std::vector<MembershipEntry> membership{{ServerId{1}, "zk1", 2888, 3888, true, "zk1:2181"},
                                                {ServerId{2}, "zk2", 2888, 3888, true, "zk2:2181"},
                                                {ServerId{3}, "zk3", 2888, 3888, true, "zk3:2181"}};
  story.answering[1].role = Role::kFollower;
  for (std::size_t i : {0U, 1U})
    story.report_extra(i, EnsembleStory::configuration(static_cast<std::int64_t>(i) + 1, membership));
  story.seconds(5);
  expect_an_outage_of_eight_seconds(story);
}

/// The leader dies. A follower answers first, with a zxid of `follower_epoch`, and a sync through it succeeds
/// before the new leader, of epoch 2, and the dead one are visited.
void expect_one_election_of_the_whole_gap(std::uint32_t follower_epoch) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[2].state = SourceState::kRefused;
  story.answering[0].state = story.answering[1].state = SourceState::kNotServing;
  story.second();
  ASSERT_EQ(story.count(EventType::kLeaderLost), 1);
  story.answering[0].state = SourceState::kOk;
  story.answering[0].epoch = follower_epoch;
  story.visit(0);
  story.canary(0);
  EXPECT_TRUE(story.view().leader_inferred);
  story.now = story.now + milliseconds(50);
  story.visit(2);
  EXPECT_TRUE(story.view().leader_inferred);
  story.answering[1].state = SourceState::kOk;
  story.answering[1].role = Role::kLeader;
  story.answering[1].epoch = 2;
  story.visit(1);
  EXPECT_EQ(story.count(EventType::kLeaderLost), 1);
  EXPECT_EQ(story.count(EventType::kLeaderElected), 1);
  EXPECT_EQ(story.view().elections, 1U);
  EXPECT_EQ(story.view().leader_changes, 1U);
  EXPECT_NEAR(wk::seconds(story.view().election_duration.sum()), 1.0, 0.1);
}

TEST(EnsembleTracker, ALeaderSeenFirstThroughItsFollowerIsOneElectionOfTheWholeGap) {
  expect_one_election_of_the_whole_gap(1);
}

TEST(EnsembleTracker, ANewEpochSeenFirstThroughAFollowerIsStillOneElection) {
  expect_one_election_of_the_whole_gap(2);
}

TEST(EnsembleTracker, StoppedLeaderIsLostOnceSyncsFailThoughFollowersStillClaimToServe) {
  EnsembleStory story;
  story.seconds(3);
  story.answering[2].state = SourceState::kTimedOut;
  for (auto& who : story.answering) who.canary = false;
  story.seconds(5);
  EXPECT_FALSE(story.view().serving);
  EXPECT_EQ(story.count(EventType::kLeaderLost), 1);
  EXPECT_GT(unserved(story.view()), 0);
}

TEST(EnsembleTracker, AnOutageIsCountedFromTheFirstQuestionInVain) {
  EnsembleStory story;
  story.seconds(3);
  story.answering[2].state = SourceState::kTimedOut;
  for (auto& who : story.answering) who.canary = false;
  story.seconds(6);
  // The first visit in vain began six seconds ago; that the leader is gone was concluded later.
  EXPECT_FALSE(story.view().serving);
  EXPECT_NEAR(unserved(story.view()), 6, 0.01);
}

TEST(EnsembleTracker, WithoutCanaryFollowersThatOutlastTheFailureDetectorProveALeader) {
  EnsembleStory story(3, CanaryMode::kOff);
  story.seconds(3);
  story.answering[2].state = SourceState::kTimedOut;
  story.seconds(15);
  EXPECT_FALSE(story.view().serving);
  story.seconds(10);
  EXPECT_TRUE(story.view().serving);
  EXPECT_TRUE(story.view().leader_inferred);
}

TEST(EnsembleTracker, WithoutCanaryASilentLeaderIsLost) {
  EnsembleStory story(3, CanaryMode::kOff);
  story.seconds(3);
  story.answering[2].state = SourceState::kTimedOut;
  story.seconds(5);
  EXPECT_FALSE(story.view().serving);
  EXPECT_EQ(story.view().canary_rounds_ok + story.view().canary_rounds_failed, 0U);
}

TEST(EnsembleTracker, WithoutCanaryAStandaloneServerThatDiedStaysUnserved) {
  EnsembleStory story(1, CanaryMode::kOff);
  story.seconds(3);
  EXPECT_TRUE(story.view().serving);
  story.answering[0].state = SourceState::kRefused;
  story.seconds(60);  // longer than any failure detector: nobody follows it
  EXPECT_FALSE(story.view().serving);
  EXPECT_EQ(story.view().quorum_margin, -1);
  EXPECT_NEAR(unserved(story.view()), 60, 0.01);
}

TEST(EnsembleTracker, StoppedFollowerDoesNotCountThoughTheLeaderStillCountsIt) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[0].state = SourceState::kTimedOut;  // the leader still says synced_followers 2
  story.seconds(3);
  EXPECT_EQ(story.view().voters_in_sync, 2);
  EXPECT_EQ(story.view().quorum_margin, 0);
}

TEST(EnsembleTracker, FollowerUnseenForLongIsBelievedToTheLeader) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[0].state = SourceState::kTimedOut;
  story.seconds(30);  // longer than any failure detector: the leader would have dropped a dead one
  EXPECT_EQ(story.view().voters_in_sync, 3);
  EXPECT_EQ(story.view().quorum_margin, 1);
  EXPECT_EQ(story.member(0).state, ServingState::kUnreachable);
}

TEST(EnsembleTracker, FollowerClosedToTheExporterIsBelievedToTheLeaderButOneThatSaysItDoesNotServeIsNot) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[0].state = SourceState::kClosed;
  story.seconds(30);
  EXPECT_EQ(story.view().voters_in_sync, 3);
  story.answering[0].state = SourceState::kNotServing;
  story.seconds(60);
  EXPECT_EQ(story.view().voters_in_sync, 2);
}

TEST(EnsembleTracker, TwoLeadersOfOneEpochAreASplitBrain) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[0].role = Role::kLeader;
  story.second();
  EXPECT_EQ(story.view().leaders, 2);
  EXPECT_TRUE(story.view().split_brain);
  EXPECT_EQ(story.count(EventType::kSplitBrain), 1);
  story.seconds(3);
  EXPECT_EQ(story.count(EventType::kSplitBrain), 1);
}

TEST(EnsembleTracker, OneServerUnderTwoNamesIsNoSplitBrainButTwoThatShareAnIdAre) {
  EnsembleStory story(4);
  story.answering[0].role = Role::kLeader;
  story.answering[0].address = story.answering[3].address = "10.0.0.1:2181";
  for (std::size_t i = 0; i < 4; ++i)
    story.report_extra(i, EnsembleStory::configuration(static_cast<int>(i % 3) + 1, {}));
  story.seconds(3);
  EXPECT_EQ(story.view().voters_in_sync, 3);
  EXPECT_EQ(story.view().leaders, 1);
  EXPECT_EQ(story.view().leader, 0U);
  EXPECT_EQ(story.count(EventType::kSplitBrain), 0);
  EXPECT_TRUE(story.member(3).in_sync);
  EXPECT_EQ(story.member(3).safe_to_stop.reason, story.member(0).safe_to_stop.reason);
  ASSERT_EQ(story.view().problems.size(), 1U);
  EXPECT_EQ(story.view().problems[0].id, "listed_twice");
  EXPECT_THAT(story.view().problems[0].members, testing::ElementsAre("zk4:2181", "zk1:2181"));
  story.answering[3].address = "10.0.0.4:2181";
  story.second();
  EXPECT_TRUE(story.view().split_brain);
}

TEST(EnsembleTracker, DeposedLeaderSeenOnceAtTheChangeIsNoSplitBrainButOneThatKeepsAnsweringIs) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[0].role =
      Role::kLeader;  // visited first: the new leader, while zk3's answer is of the old epoch
  story.answering[0].epoch = 2;
  story.visit(0);
  EXPECT_FALSE(story.view().split_brain);
  EXPECT_EQ(story.view().leader, 0U);
  story.seconds(1);
  EXPECT_EQ(story.view().deposed_leaders, 1);
  story.seconds(2);
  EXPECT_TRUE(story.view().split_brain);
  EXPECT_EQ(story.view().leaders, 1);
  EXPECT_FALSE(story.member(2).in_sync);
  story.answering[2].role = Role::kFollower;
  story.answering[2].epoch = 2;
  story.second();
  EXPECT_FALSE(story.view().split_brain);
}

TEST(EnsembleTracker, AnEnsembleThatBeganAnewIsLedOnceItOutlastedTheFailureDetectorAndIsNoSplitBrain) {
  for (const CanaryMode mode : {CanaryMode::kRead, CanaryMode::kOff}) {
    for (const std::size_t leader : {2U, 0U}) {
      EnsembleStory story(3, mode);
      for (auto& who : story.answering) who.epoch = 50;
      story.seconds(3);
      for (auto& who : story.answering) who.state = SourceState::kRefused;
      story.seconds(20);
      for (auto& who : story.answering) {
        who.state = SourceState::kOk;
        who.role = Role::kFollower;
        who.epoch = 1;
      }
      story.answering[leader].role = Role::kLeader;
      story.seconds(21);
      EXPECT_FALSE(story.view().leader.has_value()) << "epoch 50 may still be led";
      story.second();
      EXPECT_EQ(story.view().leader, leader);
      EXPECT_EQ(story.view().epoch, Epoch{1});
      story.seconds(100);
      EXPECT_EQ(story.view().leader, leader);
      EXPECT_EQ(story.view().leaders, 1);
      EXPECT_EQ(story.view().deposed_leaders, 0);
      EXPECT_TRUE(story.view().serving);
      EXPECT_EQ(story.view().elections, 1U);
      EXPECT_EQ(story.view().leader_changes, 1U);
      EXPECT_EQ(story.count(EventType::kSplitBrain), 0);
      EXPECT_EQ(story.count(EventType::kLeaderElected), 1);
      story.answering[leader].state = SourceState::kRefused;
      story.answering[1].role = Role::kLeader;
      story.answering[1].epoch = 2;
      story.seconds(2);
      EXPECT_EQ(story.view().leader, 1U) << "epochs are compared as before";
      EXPECT_EQ(story.view().elections, 2U);
      EXPECT_EQ(story.count(EventType::kSplitBrain), 0);
    }
  }
}

TEST(EnsembleTracker, OneWrongEpochOfALeaderHidesTheRightOneNoLongerThanTheFailureDetector) {
  EnsembleStory story;
  story.seconds(3);
  story.answering[2].epoch = 4'000'000'000;
  story.second();
  EXPECT_EQ(story.view().epoch, Epoch{4'000'000'000});
  story.answering[2].epoch = 1;
  story.seconds(40);
  EXPECT_EQ(story.view().leader, 2U);
  EXPECT_EQ(story.view().epoch, Epoch{1});
  EXPECT_TRUE(story.view().serving);
  EXPECT_EQ(story.count(EventType::kSplitBrain), 0);
}

TEST(EnsembleTracker, ALeaderThatDiesBetweenTwoWordsIsNoSecondLeaderOfTheNextEpoch) {
  EnsembleStory story;
  story.seconds(3);
  PollReport last;
  last.member = 2;
  last.started = story.now;
  last.finished = story.now + std::chrono::milliseconds(5);
  StatusAnswer leads;
  leads.role = Role::kLeader;
  last.probes = {
      {.probe = Probe::kMntr, .state = SourceState::kOk, .detail = {}, .duration = {}, .answer = leads},
      {.probe = Probe::kSrvr, .state = SourceState::kRefused, .detail = {}, .duration = {}, .answer = {}}};
  story.tracker.observe(last, story.events);
  EXPECT_EQ(story.view().leader, 2U) << "alone it is believed";
  story.answering[1].role = Role::kLeader;
  story.answering[1].epoch = 2;
  story.now = story.now + std::chrono::milliseconds(900);
  story.visit(1);
  EXPECT_EQ(story.view().leader, 1U);
  EXPECT_EQ(story.view().leaders, 1);
  EXPECT_FALSE(story.view().split_brain);
  EXPECT_EQ(story.count(EventType::kSplitBrain), 0);
}

TEST(EnsembleTracker, NotServingMemberBesideALeaderIsNotCalledLooking) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[0].state = SourceState::kNotServing;
  story.second();
  EXPECT_EQ(story.member(0).state, ServingState::kNotServing);
  EXPECT_EQ(story.count(EventType::kMemberStateChanged), 1);
}

TEST(EnsembleTracker, ZabstateTellsThePhaseOfAMemberThatDoesNotServe) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[0].state = SourceState::kNotServing;
  ZabAnswer zab;
  zab.phase = ZabPhase::kSynchronization;
  story.report_extra(0, {.probe = Probe::kAdminZabstate,
                         .state = SourceState::kOk,
                         .detail = {},
                         .duration = {},
                         .answer = zab});
  EXPECT_EQ(story.member(0).state, ServingState::kSyncing);
}

TEST(EnsembleTracker, MembersThatClaimToServeWhileEveryCanaryFailsAreAnOutage) {
  EnsembleStory story;
  story.seconds(3);
  for (auto& who : story.answering) who.canary = false;
  story.seconds(6);
  EXPECT_FALSE(story.view().serving);
  EXPECT_EQ(story.view().problems.at(0).id, "clients_not_served");
  EXPECT_EQ(story.view().limited_by, "no service");
  EXPECT_EQ(story.count(EventType::kCanaryFailed), 3);
  EXPECT_EQ(story.view().canary_rounds_failed, 6U);
  for (auto& who : story.answering) who.canary = true;
  story.seconds(2);
  EXPECT_TRUE(story.view().serving);
  EXPECT_EQ(story.count(EventType::kCanaryRecovered), 3);
}

TEST(EnsembleTracker, ACanaryThatNeverWorkedDoesNotContradictTheMembers) {
  EnsembleStory story;
  for (auto& who : story.answering) who.canary = false;
  story.seconds(10);
  EXPECT_TRUE(story.view().serving);
  EXPECT_EQ(unserved(story.view()), 0);
}

TEST(EnsembleTracker, MemberWithClosedWordsServesByTheCanarysEvidence) {
  EnsembleStory story;
  story.seconds(2);
  PollReport report;
  report.member = 0;
  report.started = story.now;
  report.finished = story.now + milliseconds(3);
  report.probes = {
      {.probe = Probe::kMntr, .state = SourceState::kClosed, .detail = {}, .duration = {}, .answer = {}}};
  story.tracker.observe(report, story.events);
  EXPECT_EQ(story.member(0).state, ServingState::kNotServing);
  story.canaries[0].last_sync_ok = story.canaries[0].last_ok = story.now + milliseconds(10);
  story.tracker.observe(CanaryReport{0, 99, story.now + milliseconds(10), true, true, story.canaries[0]},
                        story.events);
  EXPECT_EQ(story.member(0).state, ServingState::kServing);
  EXPECT_THAT(story.member(0).state_reason, HasSubstr("closes connections"));
}

TEST(EnsembleTracker, SilenceOfThePollerMakesMembersUnreachable) {
  EnsembleStory story;
  story.seconds(2);
  pass(story, 10);
  EXPECT_EQ(story.member(0).state, ServingState::kUnreachable);
  EXPECT_THAT(story.member(0).state_reason, HasSubstr("no visit has finished for"));
}

TEST(EnsembleTracker, APauseOfTheExporterIsNobodysOutage) {
  for (const CanaryMode mode : {CanaryMode::kRead, CanaryMode::kOff}) {
    for (const bool hidden : {false, true}) {
      EnsembleStory story(3, mode);
      story.seconds(5);
      if (hidden) story.answering[2].state = SourceState::kTimedOut;
      if (hidden) story.seconds(60);
      const double before = unserved(story.view());
      story.events.clear();
      story.now = story.now + std::chrono::seconds(30);
      story.tracker.tick(story.now, story.events);
      EXPECT_TRUE(story.view().serving);
      pass(story, 1);
      story.seconds(10);
      EXPECT_TRUE(story.view().serving);
      EXPECT_EQ(unserved(story.view()), before);
      EXPECT_TRUE(story.events.empty()) << story.events.front().text;
    }
  }
}

TEST(EnsembleTracker, AfterAPauseMembersThatNobodyVisitsAreUnreachableAsEver) {
  EnsembleStory story;
  story.seconds(5);
  story.now = story.now + std::chrono::seconds(30);
  story.tracker.tick(story.now, story.events);
  pass(story, 3);
  EXPECT_EQ(story.member(0).state, ServingState::kServing);
  pass(story, 2);
  EXPECT_EQ(story.member(0).state, ServingState::kUnreachable);
}

TEST(EnsembleTracker, APauseDoesNotMakeARunningOutageLongerNorAVoterLongUnseen) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[0].state = SourceState::kTimedOut;
  story.seconds(3);
  story.now = story.now + std::chrono::seconds(30);
  story.tracker.tick(story.now, story.events);
  EXPECT_EQ(story.view().voters_in_sync, 2);
  for (auto& who : story.answering) who.state = SourceState::kRefused;
  story.seconds(5);
  const double before = unserved(story.view());
  story.now = story.now + std::chrono::seconds(30);
  story.tracker.tick(story.now, story.events);
  EXPECT_FALSE(story.view().serving);
  EXPECT_EQ(unserved(story.view()), before);
}

TEST(EnsembleTracker, CanariesThatFailedAMomentBeforeAPauseAreNoOutage) {
  EnsembleStory story;
  story.seconds(5);
  for (auto& who : story.answering) who.canary = false;
  story.seconds(2);
  story.now = story.now + std::chrono::seconds(30);
  story.tracker.tick(story.now, story.events);
  for (auto& who : story.answering) who.canary = true;
  story.seconds(2);
  EXPECT_EQ(unserved(story.view()), 0);
}

TEST(EnsembleTracker, AReportThatWaitedBehindATickDoesNotSetTimeBack) {
  EnsembleStory story;
  story.seconds(5);
  for (auto& who : story.answering) who.state = SourceState::kRefused;
  story.seconds(2);
  const double before = unserved(story.view());
  for (int i = 0; i < 100; ++i) {
    const Moment begun = story.now;
    story.now = begun + std::chrono::seconds(1);
    story.tracker.tick(story.now, story.events);
    story.now = begun + milliseconds(970);
    for (std::size_t member = 0; member < 3; ++member) story.visit(member);
    story.now = begun + std::chrono::seconds(1);
  }
  EXPECT_NEAR(unserved(story.view()) - before, 100, 0.01);
}

TEST(EnsembleTracker, StandaloneServerServesWithMarginZeroAndNoProblem) {
  EnsembleStory story(1);
  story.seconds(3);
  EXPECT_TRUE(story.view().standalone);
  EXPECT_TRUE(story.view().serving);
  EXPECT_EQ(story.view().leader, 0U);
  EXPECT_EQ(story.view().quorum_margin, 0);
  EXPECT_THAT(story.view().problems, testing::IsEmpty());
  EXPECT_FALSE(story.member(0).safe_to_stop.safe);
  story.answering[0].state = SourceState::kRefused;
  story.seconds(3);
  EXPECT_FALSE(story.view().serving);
  EXPECT_EQ(story.view().quorum_margin, -1);
  EXPECT_GE(unserved(story.view()), 2);
}

TEST(EnsembleTracker, MembershipGivesVotersObserversAndUnlistedServers) {
  EnsembleStory story;
  const std::vector<MembershipEntry> membership{{ServerId{1}, "zk1", 2888, 3888, true, "zk1:2181"},
                                                {ServerId{2}, "zk2", 2888, 3888, true, "zk2:2181"},
                                                {ServerId{3}, "zk3", 2888, 3888, true, "zk3:2181"},
                                                {ServerId{4}, "zk4", 2888, 3888, true, "zk4:2181"},
                                                {ServerId{5}, "zk5", 2888, 3888, false, "zk5:2181"}};
  for (std::size_t i = 0; i < 3; ++i)
    story.report_extra(i, EnsembleStory::configuration(static_cast<std::int64_t>(i) + 1, membership));
  EXPECT_EQ(story.view().voters, 4);
  EXPECT_EQ(story.view().majority, 3);
  EXPECT_THAT(story.view().unlisted_members,
              testing::ElementsAre("server 4 (zk4:2181)", "server 5 (zk5:2181)"));
  EXPECT_EQ(story.count(EventType::kUnlistedMember), 2);
  story.answering[2].synced_followers = 3;  // the leader counts the unlisted voter
  story.seconds(2);
  EXPECT_EQ(story.view().voters_in_sync, 4);
  EXPECT_EQ(story.view().leader_id, ServerId{3});
  EXPECT_EQ(story.count(EventType::kUnlistedMember), 2);
}

TEST(EnsembleTracker, AMemberThatTheMembershipNoLongerListsIsNoVoter) {
  EnsembleStory story(5);
  std::vector<MembershipEntry> three;
  for (const int id : {1, 2, 5})
    three.push_back({ServerId{id}, "zk" + std::to_string(id), 2888, 3888, true, ""});
  story.answering[4].synced_followers = 1;
  for (std::size_t i = 0; i < 5; ++i)
    story.report_extra(i, EnsembleStory::configuration(static_cast<int>(i) + 1, three));
  story.answering[0].state = SourceState::kRefused;
  story.seconds(3);
  EXPECT_FALSE(story.member(2).voter);
  EXPECT_FALSE(story.member(3).voter);
  EXPECT_TRUE(story.member(4).voter);
  EXPECT_EQ(story.view().voters, 3);
  EXPECT_EQ(story.view().voters_in_sync, 2);
  EXPECT_EQ(story.view().quorum_margin, 0);
}

TEST(EnsembleTracker, DifferentTickTimeIsDriftAndToldOnce) {
  EnsembleStory story;
  story.report_extra(0, EnsembleStory::configuration(1, {}));
  story.report_extra(1, EnsembleStory::configuration(2, {}, "3000"));
  story.seconds(3);
  ASSERT_EQ(story.view().drift.size(), 1U);
  EXPECT_EQ(story.view().drift[0].key, "tickTime");
  EXPECT_EQ(story.count(EventType::kConfigurationDrift), 1);
  story.report_extra(1, EnsembleStory::configuration(2, {}));
  EXPECT_TRUE(story.view().drift.empty());
  EXPECT_EQ(story.count(EventType::kConfigurationChanged), 1);
}

TEST(EnsembleTracker, ConfigurationThatIsNoLongerToldIsNoDrift) {
  EnsembleStory story;
  story.report_extra(0, EnsembleStory::configuration(1, {}));
  story.report_extra(1, EnsembleStory::configuration(2, {}, "3000"));
  story.seconds(20);
  EXPECT_EQ(story.view().drift.size(), 1U);
  story.seconds(20);
  EXPECT_TRUE(story.view().drift.empty());
}

TEST(EnsembleTracker, DigestThatDiffersFromTheMajorityIsAMismatch) {
  EnsembleStory story;
  story.seconds(1);
  for (std::size_t i = 0; i < 3; ++i) {
    DigestsAnswer digests;
    digests.digests = {{Zxid{0x100000080}, 7}, {Zxid{0x100000100}, i == 1 ? 8U : 9U}};
    story.report_extra(
        i,
        {.probe = Probe::kHash, .state = SourceState::kOk, .detail = {}, .duration = {}, .answer = digests});
  }
  EXPECT_EQ(story.view().digest_mismatches, 1);
  EXPECT_EQ(story.member(1).digest_mismatch, true);
  EXPECT_EQ(story.member(0).digest_mismatch, false);
  EXPECT_EQ(story.count(EventType::kDigestMismatch), 1);
}

TEST(EnsembleTracker, DigestsThatDifferBesideALeaderWithoutOneAreToldOnceNoneDecides) {
  EnsembleStory story;
  story.seconds(1);
  for (std::size_t i = 0; i < 2; ++i) {
    DigestsAnswer digests;
    digests.digests = {{Zxid{0x100000080}, i}};
    story.report_extra(
        i,
        {.probe = Probe::kHash, .state = SourceState::kOk, .detail = {}, .duration = {}, .answer = digests});
  }
  EXPECT_EQ(story.view().digest_mismatches, 2);
  story.seconds(10);
  EXPECT_EQ(story.count(EventType::kDigestMismatch), 0) << "the leader's may be on its way";
  story.seconds(5);
  EXPECT_EQ(story.count(EventType::kDigestMismatch), 2);
}

TEST(EnsembleTracker, DigestsAtDifferentZxidsAreNotCompared) {
  EnsembleStory story;
  story.seconds(1);
  for (std::size_t i = 0; i < 2; ++i) {
    DigestsAnswer digests;
    digests.digests = {{Zxid{0x100000080 + i}, i}};
    story.report_extra(
        i,
        {.probe = Probe::kHash, .state = SourceState::kOk, .detail = {}, .duration = {}, .answer = digests});
  }
  EXPECT_FALSE(story.member(0).digest_mismatch.has_value());
  EXPECT_EQ(story.view().digest_mismatches, 0);
}

TEST(EnsembleTracker, LagIsCountedWithinTheEpoch) {
  EnsembleStory story;
  story.answering[2].counter = 12'100;
  story.seconds(2);
  EXPECT_EQ(story.member(0).lag_transactions, 12'000U);
  EXPECT_EQ(story.member(2).lag_transactions, 0U);
  EXPECT_EQ(story.view().limited_by, "replication to zk1:2181");
}

TEST(EnsembleTracker, AFollowerThatStandsStillLagsWhicheverIsVisitedFirst) {
  for (const std::size_t still : {0U, 1U, 2U}) {
    EnsembleStory story;
    for (int second = 0; second < 5; ++second) {
      for (std::size_t member = 0; member < 3; ++member)
        if (member != still) story.answering[member].counter += 3'000;
      story.second();
      for (std::size_t member = 0; member < 3; ++member) {
        if (member == still) continue;
        EXPECT_LE(story.member(member).lag_transactions, 1U) << member << " beside " << still;
      }
    }
    EXPECT_GE(story.member(still).lag_transactions, 12'000U) << still;
    EXPECT_LE(story.member(still).lag_transactions, 15'000U) << still;
  }
}

TEST(EnsembleTracker, RestartIsSeenByCountersThatBeginAnew) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[0].looking_count = 0;
  story.answering[0].packets = 1;
  story.second();
  EXPECT_EQ(story.member(0).restarts, 1U);
  EXPECT_EQ(story.count(EventType::kMemberRestarted), 1);
}

TEST(EnsembleTracker, StatisticsThatWereResetAreNoRestartAndNothingIsConcludedOfTheirGrowth) {
  EnsembleStory story;
  const auto second = [&] {
    story.answering[0].uptime_ms = story.answering[0].uptime_ms.value_or(600'000) + 1000;
    story.second();
  };
  second();
  second();
  story.answering[0].packets = 1;  // `srst`
  story.answering[0].connections += 500;
  second();
  EXPECT_EQ(story.member(0).restarts, 0U);
  EXPECT_EQ(story.count(EventType::kMemberRestarted), 0);
  EXPECT_EQ(story.count(EventType::kConnectionStorm), 0);
  story.answering[0].packets = 0;
  story.answering[0].uptime_ms = 0;
  second();
  EXPECT_EQ(story.member(0).restarts, 1U);
}

TEST(EnsembleTracker, ConnectionStormIsToldOnceAMinute) {
  EnsembleStory story;
  story.seconds(2);
  for (int i = 0; i < 5; ++i) {
    story.answering[0].connections += 500;
    story.second();
  }
  EXPECT_EQ(story.count(EventType::kConnectionStorm), 1);
  EXPECT_DOUBLE_EQ(story.view().connection_imbalance.value(), 2510.0 * 3 / 2530.0);
}

TEST(EnsembleTracker, AWordThatStopsAnsweringIsAnEventAndAProblemWithRemedy) {
  EnsembleStory story;
  story.seconds(2);
  PollReport report;
  report.member = 0;
  report.started = story.now;
  report.finished = story.now + milliseconds(3);
  StatusAnswer brief;
  brief.role = Role::kFollower;
  brief.zxid = Zxid{0x100000064};
  report.probes = {
      {.probe = Probe::kMntr,
       .state = SourceState::kNotWhitelisted,
       .detail = "mntr is not executed because it is not in the whitelist.",
       .duration = {},
       .answer = {}},
      {.probe = Probe::kSrvr, .state = SourceState::kOk, .detail = {}, .duration = {}, .answer = brief}};
  story.tracker.observe(report, story.events);
  EXPECT_EQ(story.member(0).state, ServingState::kServing);
  EXPECT_EQ(story.count(EventType::kSourceFailed), 1);
  ASSERT_EQ(story.view().problems.size(), 1U);
  EXPECT_EQ(story.view().problems[0].id, "source_not_whitelisted");
  EXPECT_THAT(story.view().problems[0].remedy, HasSubstr("4lw.commands.whitelist"));
}

TEST(EnsembleTracker, EveryEventIsCountedByType) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[0].state = SourceState::kRefused;
  story.seconds(2);
  EXPECT_EQ(story.view().events[static_cast<std::size_t>(EventType::kMemberLost)], 1U);
  std::uint64_t total = 0;
  for (const std::uint64_t count : story.view().events) total += count;
  EXPECT_EQ(total, story.events.size());
}

}  // namespace
}  // namespace wk::exporter
