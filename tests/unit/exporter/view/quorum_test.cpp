#include "exporter/view/quorum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/exporter/view/view_parts.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kDetection = 20s;  ///< while no member tells its limits

/// All members but those in `out` are in sync; the last one leads.
EnsembleView led(int members, std::initializer_list<std::size_t> out = {}) {
  EnsembleView view = ensemble_of(members);
  for (MemberView& member : view.members) member.in_sync = true;
  for (const std::size_t index : out) {
    view.members[index].in_sync = false;
    view.members[index].state = ServingState::kUnreachable;
  }
  view.leader = view.members.size() - 1;
  return view;
}

void tell_followers(EnsembleView& view, double synced) {
  learn(view.members.back(), [&](MemberFacts& facts) {
    facts.status.value = status_of(Role::kLeader, {{"synced_followers", synced}});
  });
}

int in_sync(const EnsembleView& view, std::chrono::nanoseconds now = kDetection + 1ns) {
  return voters_in_sync(view, Visits(view.members.size()), after(now));
}

TEST(VotersInSync, AVoterOutOfSightIsBelievedToTheLeaderOnceItsDetectorHasPassed) {
  EnsembleView view = led(3, {0});
  tell_followers(view, 2);
  EXPECT_EQ(in_sync(view, kDetection), 2);
  EXPECT_EQ(in_sync(view, kDetection + 1ns), 3);
  learn(view.members[1], [](MemberFacts& facts) {
    ConfigurationAnswer configuration;
    configuration.entries = {{"syncLimit", "10"}, {"tickTime", "2000"}};
    facts.configuration.value = std::move(configuration);
  });
  EXPECT_EQ(in_sync(view, 40s), 2);
  EXPECT_EQ(in_sync(view, 40s + 1ns), 3);
}

TEST(VotersInSync, TheLeadersCountIsBelievedWithinReason) {
  struct Row {
    double told;
    int expected;
  };
  // Five voters, of which two are long out of sight.
  for (const Row row : std::vector<Row>{{0, 3},
                                        {1, 3},
                                        {2, 3},
                                        {3, 4},
                                        {3.9, 4},
                                        {4, 5},
                                        {5, 5},
                                        {999, 5},
                                        {1000, 3},
                                        {1e300, 3},
                                        {-1, 3},
                                        {-1e300, 3}}) {
    EnsembleView view = led(5, {0, 1});
    tell_followers(view, row.told);
    EXPECT_EQ(in_sync(view), row.expected) << row.told;
  }
  EXPECT_EQ(in_sync(led(5, {0, 1})), 3) << "a leader that tells no count";
}

TEST(VotersInSync, OnlyAVoterThatSaysNothingOfItsStateIsOutOfSight) {
  struct Row {
    ServingState state;
    bool says_so;
    int expected;
  };
  for (const Row row : {Row{ServingState::kUnreachable, false, 3}, Row{ServingState::kNotServing, false, 3},
                        Row{ServingState::kNotServing, true, 2}, Row{ServingState::kLooking, false, 2},
                        Row{ServingState::kSyncing, false, 2}, Row{ServingState::kReadOnly, false, 2}}) {
    EnsembleView view = led(3, {0});
    tell_followers(view, 2);
    view.members[0].state = row.state;
    Visits visits(3);
    visits[0].emplace().says_not_serving = row.says_so;
    EXPECT_EQ(voters_in_sync(view, visits, after(1h)), row.expected) << name(row.state) << row.says_so;
  }
}

TEST(VotersInSync, ObserversDoNotCountAndAreNotBelieved) {
  EnsembleView view = led(5, {0});
  view.members[0].voter = view.members[1].voter = false;
  view.voters = 3;
  tell_followers(view, 4);
  EXPECT_EQ(in_sync(view), 3);
  view.members[2].in_sync = false;  // It answers, so that the leader is not believed about it.
  EXPECT_EQ(in_sync(view), 2);
}

TEST(VotersInSync, VotersThatNobodyListedAreBelievedAtOnce) {
  EnsembleView view = led(3);
  view.voters = 5;
  tell_followers(view, 2);
  EXPECT_EQ(in_sync(view, 0s), 3);
  tell_followers(view, 3);
  EXPECT_EQ(in_sync(view, 0s), 4);
  tell_followers(view, 500);
  EXPECT_EQ(in_sync(view, 0s), 5);
}

TEST(VotersInSync, AnInferredLeaderCountsItselfAndHasAMajority) {
  struct Row {
    int members, followers, expected;
  };
  for (const Row row : {Row{3, 2, 3}, Row{3, 1, 2}, Row{5, 1, 3}, Row{5, 3, 4}, Row{5, 5, 5}}) {
    EnsembleView view = ensemble_of(row.members);
    view.leader_inferred = true;
    for (std::size_t index = 0; index < static_cast<std::size_t>(row.followers); ++index) {
      view.members[index].in_sync = true;
      view.members[index].role = Role::kFollower;
    }
    EXPECT_EQ(in_sync(view), row.expected) << row.followers << " of " << row.members;
  }
}

TEST(VotersInSync, AnInferredLeaderThatServesTheCanaryIsCountedOnce) {
  EnsembleView view = ensemble_of(3);
  view.leader_inferred = true;
  view.members[0].in_sync = view.members[2].in_sync = true;
  view.members[0].role = Role::kFollower;
  EXPECT_EQ(in_sync(view), 2) << "the one that tells no role may be the leader";
  view.members[2].role = Role::kFollower;
  EXPECT_EQ(in_sync(view), 3);
  view.members[2].role = Role::kUnknown;
  view.members[2].voter = false;
  EXPECT_EQ(in_sync(view), 2) << "an observer is no leader";
}

TEST(VotersInSync, NeverExceedTheVoters) {
  EnsembleView view = led(3);
  view.voters = 2;
  EXPECT_EQ(in_sync(view), 2);
  view.voters = 0;
  EXPECT_EQ(in_sync(view), 0);
}

std::vector<bool> derived_in_sync(EnsembleView view) {
  Ear ear;
  EventSink events = ear.at(after(0s));
  Quorum().derive(view, Visits(view.members.size()), true, events);
  std::vector<bool> result;
  for (const MemberView& member : view.members) result.push_back(member.in_sync);
  return result;
}

TEST(Quorum, MembersServeInItUnlessDeposedOrLeaderless) {
  EnsembleView view = ensemble_of(4);
  view.members[0].state = ServingState::kReadOnly;
  view.members[1].role = view.members[2].role = Role::kLeader;
  view.members[3].voter = false;
  EXPECT_THAT(derived_in_sync(view), testing::ElementsAre(false, false, false, false));
  view.leader = 2;
  EXPECT_THAT(derived_in_sync(view), testing::ElementsAre(false, false, true, true));
  view.leader.reset();
  view.leader_inferred = true;
  EXPECT_THAT(derived_in_sync(view), testing::ElementsAre(false, false, false, true));
}

TEST(Quorum, AStandaloneServerBesideALeaderIsNotInIt) {
  EnsembleView view = ensemble_of(3);
  view.members[0].role = Role::kLeader;
  view.members[1].role = Role::kFollower;
  view.members[2].role = Role::kStandalone;
  view.leader = 0;
  EXPECT_THAT(derived_in_sync(view), testing::ElementsAre(true, true, false));
  view = ensemble_of(1);
  view.members[0].role = Role::kStandalone;
  view.leader = 0;
  view.standalone = true;
  EXPECT_THAT(derived_in_sync(view), testing::ElementsAre(true));
}

class QuorumOverTime : public testing::Test {
 protected:
  /// So many of three voters answer as serving members, zk3:2181 as their leader; the others look for one.
  void serve(int count, std::chrono::seconds now, bool judged = true) {
    view = ensemble_of(3);
    for (std::size_t index = static_cast<std::size_t>(count); index < 3; ++index)
      view.members[2 - index].state = ServingState::kLooking;
    if (count > 0) view.leader = 2;
    EventSink events = ear.at(after(now));
    quorum.derive(view, Visits(3), judged, events);
  }

  EnsembleView view;
  Quorum quorum;
  Ear ear;
};

TEST_F(QuorumOverTime, ALossIsToldOnceAndItsEndWithItsDuration) {
  serve(2, 0s);
  EXPECT_EQ(view.quorum_margin, 0);
  EXPECT_TRUE(ear.events.empty());
  serve(1, 1s);
  EXPECT_EQ(view.voters_in_sync, 1);
  EXPECT_EQ(view.quorum_margin, -1);
  serve(0, 5s);
  serve(3, 8s);
  EXPECT_EQ(view.quorum_margin, 1);
  serve(3, 9s);
  ASSERT_THAT(ear.texts(), testing::ElementsAre("1 of 3 voters in sync, 2 are needed; 3 answer the exporter",
                                                "3 of 3 voters in sync again"));
  EXPECT_EQ(ear.events[0].type, EventType::kQuorumLost);
  EXPECT_EQ(ear.events[0].severity, Severity::kCritical);
  EXPECT_FALSE(ear.events[0].duration.has_value());
  EXPECT_EQ(ear.events[1].type, EventType::kQuorumRegained);
  EXPECT_EQ(ear.events[1].duration, std::chrono::nanoseconds(7s));
  serve(0, 10s);
  serve(2, 12s);
  ASSERT_EQ(ear.events.size(), 4U);
  EXPECT_EQ(ear.events[3].duration, std::chrono::nanoseconds(2s));
}

TEST_F(QuorumOverTime, AQuorumThatWasNeverHeldIsNeitherLostNorRegained) {
  serve(0, 0s);
  serve(3, 1s);
  EXPECT_TRUE(ear.events.empty());
}

TEST_F(QuorumOverTime, NothingIsToldBeforeEveryMemberWasVisited) {
  serve(3, 0s, false);
  serve(0, 1s, false);
  EXPECT_EQ(view.quorum_margin, -2);
  serve(0, 2s);
  EXPECT_TRUE(ear.events.empty());
}

TEST_F(QuorumOverTime, VotersThatNobodyListedCountAsAbleAndUnreachableOnesDoNot) {
  serve(3, 0s);
  view = ensemble_of(3);
  view.voters = 5;
  view.majority = 3;
  view.members[0].state = view.members[1].state = ServingState::kUnreachable;
  view.leader = 2;
  EventSink events = ear.at(after(1s));
  quorum.derive(view, Visits(3), true, events);
  EXPECT_THAT(ear.texts(),
              testing::ElementsAre("1 of 5 voters in sync, 3 are needed; 3 answer the exporter"));
}

}  // namespace
}  // namespace wk::exporter
