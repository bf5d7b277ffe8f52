#include "exporter/view/conclusions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/exporter/view/ensemble_story.h"

namespace wk::exporter {
namespace {

using testing::HasSubstr;

TEST(SafeToStop, AnyMemberOfAHealthyEnsembleMayStopAndTheLeaderLast) {
  EnsembleStory story;
  story.seconds(2);
  EXPECT_TRUE(story.member(0).safe_to_stop.safe);
  EXPECT_EQ(story.member(0).safe_to_stop.reason, "leaves 2 of 3 voters in sync; 2 are needed");
  EXPECT_TRUE(story.member(2).safe_to_stop.safe);
  EXPECT_THAT(story.member(2).safe_to_stop.reason, HasSubstr("it is the leader"));
}

TEST(SafeToStop, WithOneDownNoOtherMayStop) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[0].state = SourceState::kRefused;
  story.second();
  EXPECT_FALSE(story.member(1).safe_to_stop.safe);
  EXPECT_EQ(story.member(1).safe_to_stop.reason, "would leave 1 of 3 voters in sync; 2 are needed");
  EXPECT_TRUE(story.member(0).safe_to_stop.safe);  // it is down already
  EXPECT_THAT(story.member(0).safe_to_stop.reason, HasSubstr("carries no vote now"));
}

TEST(SafeToStop, AMemberOutOfSightMayCarryTheVoteThatIsOnlyBelieved) {
  EnsembleStory hidden_leader;
  hidden_leader.seconds(5);
  hidden_leader.answering[1].state = SourceState::kRefused;
  hidden_leader.answering[2].state = SourceState::kTimedOut;
  hidden_leader.seconds(5);
  ASSERT_TRUE(hidden_leader.view().leader_inferred);
  ASSERT_EQ(hidden_leader.view().quorum_margin, 0);
  for (const MemberView& member : hidden_leader.view().members) {
    EXPECT_FALSE(member.safe_to_stop.safe) << member.name;
    EXPECT_EQ(member.safe_to_stop.reason, "would leave 1 of 3 voters in sync; 2 are needed");
  }

  EnsembleStory hidden_follower;
  hidden_follower.seconds(5);
  hidden_follower.answering[0].state = SourceState::kTimedOut;
  hidden_follower.answering[1].state = SourceState::kRefused;
  hidden_follower.answering[2].synced_followers = 1;
  hidden_follower.seconds(30);
  ASSERT_EQ(hidden_follower.view().leader, 2U);
  ASSERT_EQ(hidden_follower.view().voters_in_sync, 2) << "the leader is believed about one of the two";
  for (const MemberView& member : hidden_follower.view().members)
    EXPECT_FALSE(member.safe_to_stop.safe) << member.name;

  // With one vote more than needed, the reason does not say that it carries none.
  EnsembleStory spare;
  spare.seconds(5);
  spare.answering[0].state = SourceState::kTimedOut;
  spare.seconds(30);
  EXPECT_TRUE(spare.member(0).safe_to_stop.safe);
  EXPECT_EQ(spare.member(0).safe_to_stop.reason, "leaves 2 of 3 voters in sync; 2 are needed");
}

TEST(SafeToStop, AFollowerFarBehindIsNoReplacement) {
  EnsembleStory story;
  story.answering[2].counter = 12'100;
  story.answering[1].counter = 12'100;
  story.seconds(2);
  EXPECT_FALSE(story.member(1).safe_to_stop.safe);
  EXPECT_EQ(story.member(1).safe_to_stop.reason,
            "would leave 1 of 3 voters in sync; 2 are needed (zk1:2181 is 12,000 transactions behind)");
  EXPECT_TRUE(story.member(0).safe_to_stop.safe);
}

TEST(SafeToStop, NotBeforeEveryMemberWasVisited) {
  EnsembleStory story;
  story.visit(0);
  EXPECT_FALSE(story.member(0).safe_to_stop.safe);
  EXPECT_THAT(story.member(0).safe_to_stop.reason, HasSubstr("not every member has been visited yet"));
}

TEST(SafeToStop, NobodyWhileThereIsNoLeader) {
  EnsembleStory story;
  story.seconds(2);
  for (auto& who : story.answering) who.state = SourceState::kNotServing;
  story.second();
  for (const MemberView& member : story.view().members) EXPECT_FALSE(member.safe_to_stop.safe);
}

TEST(SafeToStop, AnObserverAlways) {
  EnsembleStory story(4);
  const std::vector<MembershipEntry> membership{{ServerId{1}, "zk1", 1, 2, false, "zk1:2181"},
                                                {ServerId{2}, "zk2", 1, 2, true, "zk2:2181"},
                                                {ServerId{3}, "zk3", 1, 2, true, "zk3:2181"},
                                                {ServerId{4}, "zk4", 1, 2, true, "zk4:2181"}};
  story.answering[0].role = Role::kObserver;
  for (std::size_t i = 0; i < 4; ++i)
    story.report_extra(i, EnsembleStory::configuration(static_cast<std::int64_t>(i) + 1, membership));
  story.second();
  EXPECT_EQ(story.view().voters_in_sync, 3);
  EXPECT_TRUE(story.member(0).safe_to_stop.safe);
  EXPECT_THAT(story.member(0).safe_to_stop.reason, HasSubstr("observer"));
}

TEST(Conclusions, ConnectionsNearTheLimitNameTheAddressAndTheNumbers) {
  EnsembleStory story;
  story.report_extra(0, EnsembleStory::configuration(1, {}));
  ConnectionsAnswer connections;
  connections.by_address = {{"10.0.0.9", 55}};
  story.report_extra(0, {.probe = Probe::kCons,
                         .state = SourceState::kOk,
                         .detail = {},
                         .duration = {},
                         .answer = connections});
  story.seconds(2);
  ASSERT_EQ(story.view().problems.size(), 1U);
  EXPECT_EQ(story.view().problems[0].summary, "10.0.0.9 holds 55 of at most 60 connections to zk1:2181");
  const auto tells = [&] {
    return std::any_of(story.view().problems.begin(), story.view().problems.end(),
                       [](const Problem& problem) { return problem.id == "connections_near_limit"; });
  };
  story.seconds(30);
  EXPECT_TRUE(tells());
  story.seconds(10);
  EXPECT_FALSE(tells()) << "nobody tells it any more";
  story.report_extra(0, {.probe = Probe::kCons,
                         .state = SourceState::kOk,
                         .detail = {},
                         .duration = {},
                         .answer = connections});
  EXPECT_TRUE(tells());
  story.answering[0].state = SourceState::kRefused;
  story.second();
  EXPECT_FALSE(tells()) << "the member is gone";
}

TEST(Conclusions, AMemberThatServesADatabaseOfItsOwnIsAProblemOfItsOwn) {
  EnsembleStory story;
  story.answering[0].role = Role::kStandalone;
  story.answering[2].synced_followers = 1;
  story.seconds(2);
  EXPECT_EQ(story.view().voters_in_sync, 2);
  EXPECT_FALSE(story.member(1).safe_to_stop.safe);
  ASSERT_FALSE(story.view().problems.empty());
  EXPECT_EQ(story.view().problems[0].id, "member_standalone");
  EXPECT_EQ(story.view().problems[0].members, std::vector<std::string>{"zk1:2181"});

  EnsembleStory alone(1);
  alone.seconds(2);
  EXPECT_TRUE(alone.view().problems.empty());
}

TEST(Conclusions, WorstProblemComesFirst) {
  EnsembleStory story;
  story.seconds(2);
  story.answering[2].state = story.answering[0].state = SourceState::kRefused;
  story.answering[1].state = SourceState::kNotServing;
  story.second();
  const auto& problems = story.view().problems;
  ASSERT_GE(problems.size(), 2U);
  EXPECT_EQ(problems.front().severity, Severity::kCritical);
  for (std::size_t i = 1; i < problems.size(); ++i) EXPECT_LE(problems[i].severity, problems[i - 1].severity);
  for (const Problem& problem : problems) {
    EXPECT_FALSE(problem.cause.empty()) << problem.id;
    EXPECT_FALSE(problem.remedy.empty()) << problem.id;
    EXPECT_FALSE(problem.runbook.empty()) << problem.id;
  }
}

TEST(Conclusions, VotersThatNobodyListedMayStillElectALeader) {
  EnsembleStory story(1);
  story.answering[0].role = Role::kFollower;
  std::vector<MembershipEntry> membership;
  for (const int id : {1, 2, 3})
    membership.push_back({ServerId{id}, "zk" + std::to_string(id), 2888, 3888, true, ""});
  story.report_extra(0, EnsembleStory::configuration(1, membership));
  story.seconds(2);
  EXPECT_TRUE(story.view().serving);
  story.answering[0].state = SourceState::kNotServing;
  story.seconds(10);
  ASSERT_FALSE(story.view().problems.empty());
  EXPECT_EQ(story.view().problems[0].id, "no_leader");
}

TEST(Conclusions, DurationsAndNumbersReadWell) {
  using namespace std::chrono_literals;
  EXPECT_EQ(duration_text(7ms), "7 ms");
  EXPECT_EQ(duration_text(3200ms), "3.2 s");
  EXPECT_EQ(duration_text(12s), "12 s");
  EXPECT_EQ(duration_text(250s), "4 min 10 s");
  EXPECT_EQ(duration_text(7500s), "2 h 5 min");
  EXPECT_EQ(duration_text(-1s), "0 ms");
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(12000), "12,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

}  // namespace
}  // namespace wk::exporter
