#include "exporter/view/leader_claims.h"

#include <gtest/gtest.h>

#include "tests/unit/exporter/view/view_parts.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

struct Ensemble {
  explicit Ensemble(int members) : view(ensemble_of(members)), visits(view.members.size()) {}

  /// The newest visit to a member brought this role, in an answer with this epoch or in one without.
  void answers(std::size_t member, Role role, std::optional<std::uint32_t> epoch,
               std::chrono::milliseconds finished = 5ms) {
    Visit visit;
    visit.started = after(finished - 5ms);
    visit.finished = after(finished);
    visit.status_ok = true;
    if (epoch) visit.role_at_zxid = Visit::RoleAtZxid{role, zxid_of(*epoch, 7)};
    visits[member] = visit;
    learn(view.members[member], [&](MemberFacts& facts) {
      facts.status = {status_of(role), visit.finished};
    });
  }
  [[nodiscard]] LeaderClaims claims(std::optional<Epoch> known = {}) const {
    return leader_claims(view, visits, known);
  }

  EnsembleView view;
  Visits visits;
};

TEST(LeaderClaims, NobodyClaimsWithoutAServingLeadersAnswer) {
  Ensemble ensemble(5);
  ensemble.answers(1, Role::kFollower, 3);
  ensemble.answers(2, Role::kLeader, 3);
  ensemble.visits[2]->status_ok = false;
  ensemble.answers(3, Role::kLeader, 3);
  ensemble.view.members[3].state = ServingState::kSyncing;
  ensemble.answers(4, Role::kObserver, 3);
  const LeaderClaims claims = ensemble.claims();
  EXPECT_FALSE(claims.leader.has_value());
  EXPECT_EQ(claims.leaders, 0);
  EXPECT_TRUE(claims.deposed.empty());
  EXPECT_FALSE(claims.newest.has_value());
  EXPECT_EQ(ensemble.claims(Epoch{9}).newest, Epoch{9});
}

TEST(LeaderClaims, TheNewestEpochLeadsAndOlderOnesAreDeposedInWhateverOrder) {
  for (const std::size_t old : {0U, 1U}) {
    Ensemble ensemble(2);
    ensemble.answers(old, Role::kLeader, 0x7FFFFFFF, 900ms);
    ensemble.answers(1 - old, Role::kLeader, 0x80000000, 100ms);
    const LeaderClaims claims = ensemble.claims();
    EXPECT_EQ(claims.newest, Epoch{0x80000000});
    EXPECT_EQ(claims.leaders, 1);
    ASSERT_TRUE(claims.leader.has_value());
    EXPECT_EQ(claims.leader->member, 1 - old);
    EXPECT_EQ(claims.leader->epoch, Epoch{0x80000000});
    EXPECT_EQ(claims.leader->at - after(0ms), 100ms);
    EXPECT_EQ(claims.leader->visit_started - after(0ms), 95ms);
    ASSERT_EQ(claims.deposed.size(), 1U);
    EXPECT_EQ(claims.deposed[0].member, old);
    EXPECT_EQ(claims.deposed[0].visit_started - after(0ms), 895ms);
  }
}

TEST(LeaderClaims, OfOneEpochAllCountAndTheLatestLeads) {
  for (const std::size_t later : {0U, 1U}) {
    Ensemble ensemble(2);
    ensemble.answers(later, Role::kLeader, 4, 101ms);
    ensemble.answers(1 - later, Role::kLeader, 4, 100ms);
    const LeaderClaims claims = ensemble.claims(Epoch{4});
    EXPECT_EQ(claims.leaders, 2);
    EXPECT_EQ(claims.leader->member, later);
    EXPECT_TRUE(claims.deposed.empty());
  }
}

TEST(LeaderClaims, AServerThatIsListedTwiceClaimsOnce) {
  Ensemble ensemble(2);
  ensemble.answers(0, Role::kLeader, 4);
  ensemble.answers(1, Role::kLeader, 4);
  ensemble.view.members[1].same_as = 0;
  const LeaderClaims claims = ensemble.claims();
  EXPECT_EQ(claims.leaders, 1);
  EXPECT_EQ(claims.leader->member, 0U);
}

TEST(LeaderClaims, AServingFollowerOfANewerEpochDeposesALeaderAndOneThatDoesNotServeDoesNot) {
  Ensemble ensemble(2);
  ensemble.answers(0, Role::kLeader, 4);
  ensemble.view.members[1].zxid = zxid_of(5, 0);
  LeaderClaims claims = ensemble.claims();
  EXPECT_EQ(claims.newest, Epoch{5});
  EXPECT_FALSE(claims.leader.has_value());
  EXPECT_EQ(claims.leaders, 0);
  EXPECT_EQ(claims.deposed.size(), 1U);

  ensemble.view.members[1].state = ServingState::kLooking;
  claims = ensemble.claims();
  EXPECT_EQ(claims.newest, Epoch{4});
  EXPECT_EQ(claims.leader->member, 0U);
}

TEST(LeaderClaims, AStandaloneServerOfANewerEpochDeposesNobody) {
  Ensemble ensemble(2);
  ensemble.answers(0, Role::kLeader, 4);
  ensemble.answers(1, Role::kStandalone, 5);
  ensemble.view.members[1].zxid = zxid_of(5, 7);
  ensemble.view.members[1].role = Role::kStandalone;
  const LeaderClaims claims = ensemble.claims();
  EXPECT_EQ(claims.newest, Epoch{4});
  ASSERT_TRUE(claims.leader.has_value());
  EXPECT_EQ(claims.leader->member, 0U);
}

TEST(LeaderClaims, AnEpochKnownBeforeDeposesOlderOnes) {
  Ensemble ensemble(1);
  ensemble.answers(0, Role::kLeader, 4);
  EXPECT_EQ(ensemble.claims(Epoch{3}).newest, Epoch{4});
  EXPECT_EQ(ensemble.claims(Epoch{4}).leaders, 1);
  const LeaderClaims claims = ensemble.claims(Epoch{5});
  EXPECT_EQ(claims.newest, Epoch{5});
  EXPECT_FALSE(claims.leader.has_value());
  EXPECT_EQ(claims.deposed.size(), 1U);
}

TEST(LeaderClaims, WithoutEpochsTheLatestOfTwoLeadsAndIsTheOnlyOne) {
  Ensemble ensemble(2);
  ensemble.answers(0, Role::kLeader, std::nullopt, 200ms);
  ensemble.answers(1, Role::kLeader, std::nullopt, 100ms);
  const LeaderClaims claims = ensemble.claims();
  EXPECT_EQ(claims.leaders, 1);
  EXPECT_EQ(claims.leader->member, 0U);
  EXPECT_FALSE(claims.leader->epoch.has_value());
  EXPECT_FALSE(claims.newest.has_value());
  EXPECT_TRUE(claims.deposed.empty());
}

TEST(LeaderClaims, AClaimWithoutAnEpochIsNotAddedToOneOfAKnownEpoch) {
  for (const std::chrono::milliseconds at : {100ms, 300ms}) {
    Ensemble ensemble(2);
    ensemble.answers(0, Role::kLeader, std::nullopt, at);
    ensemble.answers(1, Role::kLeader, 2, 200ms);
    LeaderClaims claims = ensemble.claims(Epoch{1});
    EXPECT_EQ(claims.leaders, 1);
    EXPECT_EQ(claims.leader->member, 1U);
    EXPECT_TRUE(claims.deposed.empty());

    claims = ensemble.claims(Epoch{3});
    EXPECT_EQ(claims.leaders, 1) << "beside a deposed leader it is the only claim";
    EXPECT_EQ(claims.leader->member, 0U);
    EXPECT_EQ(claims.deposed.size(), 1U);
  }
}

TEST(LeaderClaims, TwoWithoutEpochsAreNoPairThoughOthersShowTheEpoch) {
  Ensemble ensemble(3);
  ensemble.answers(0, Role::kLeader, std::nullopt, 100ms);
  ensemble.answers(1, Role::kLeader, std::nullopt, 200ms);
  ensemble.view.members[2].zxid = zxid_of(2, 7);
  const LeaderClaims claims = ensemble.claims();
  EXPECT_EQ(claims.newest, Epoch{2});
  EXPECT_EQ(claims.leaders, 1);
  EXPECT_EQ(claims.leader->member, 1U);
}

TEST(LeaderClaims, TheRoleThatCameWithTheEpochWins) {
  Ensemble ensemble(1);
  ensemble.answers(0, Role::kFollower, 4);
  learn(ensemble.view.members[0], [](MemberFacts& facts) {
    change(facts.status.value, [](StatusAnswer& status) { status.role = Role::kLeader; });
  });
  EXPECT_EQ(ensemble.claims().leaders, 0);
}

TEST(LeaderClaims, AStandaloneServerClaimsOnlyOutsideAnyQuorum) {
  Ensemble ensemble(1);
  ensemble.answers(0, Role::kStandalone, 0);
  EXPECT_FALSE(ensemble.claims().leader.has_value());
  ensemble.view.standalone = true;
  EXPECT_EQ(ensemble.claims().leader->member, 0U);
  EXPECT_EQ(ensemble.claims().newest, Epoch{0});
}

}  // namespace
}  // namespace wk::exporter
