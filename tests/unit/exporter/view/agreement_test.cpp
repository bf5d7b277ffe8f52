#include "exporter/view/agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/exporter/view/view_parts.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(Lags, AreCountedWithinAnEpochAndAtLeastThoseOfANewerOne) {
  EnsembleView view = ensemble_of(4);
  view.members[0].zxid = zxid_of(2, 30);
  view.members[1].zxid = zxid_of(2, 4);
  view.members[2].zxid = zxid_of(1, 0xFFFFFFFF);
  EXPECT_THAT(lags(view), ElementsAre(0U, 26U, 30U, std::nullopt));
  view.members[0].zxid = zxid_of(0xFFFFFFFF, 0xFFFFFFFF);
  view.members[1].zxid = zxid_of(0xFFFFFFFF, 0);
  EXPECT_THAT(lags(view), ElementsAre(0U, 0xFFFFFFFFU, 0xFFFFFFFFU, std::nullopt));
}

TEST(Lags, OnlyServingMembersLagAndAreLaggedBehind) {
  EnsembleView view = ensemble_of(3);
  for (std::size_t index = 0; index < 3; ++index)
    view.members[index].zxid = zxid_of(1, 10 * static_cast<std::uint32_t>(index));
  view.members[2].state = ServingState::kSyncing;
  EXPECT_THAT(lags(view), ElementsAre(10U, 0U, std::nullopt));
  view.standalone = true;
  EXPECT_THAT(lags(view), ElementsAre(std::nullopt, std::nullopt, std::nullopt));
}

TEST(Lags, AreBehindWhatOthersHadShownBefore) {
  // 3000 transactions a second, members visited 400 ms apart: nobody lags.
  EnsembleView view = ensemble_of(3);
  const auto shows = [&](std::size_t member, std::uint32_t counter, std::chrono::milliseconds at) {
    view.members[member].zxid = zxid_of(1, counter);
    learn(view.members[member], [&](MemberFacts& facts) {
      facts.zxid = {view.members[member].zxid, after(at)};
    });
  };
  shows(0, 3000, 1000ms);
  shows(1, 4200, 1400ms);
  shows(2, 5400, 1800ms);
  EXPECT_THAT(lags(view), ElementsAre(0U, 0U, 0U));
  shows(0, 6000, 2000ms);
  shows(1, 4200, 2400ms);
  EXPECT_THAT(lags(view), ElementsAre(0U, 1800U, 0U)) << "it stands still";
  view.members[0].role = Role::kStandalone;
  EXPECT_THAT(lags(view), ElementsAre(std::nullopt, 1200U, 0U)) << "its zxid is of another database";
}

// Whoever is visited first in each round: the others had shown more a round ago.
TEST(Lags, TheOneThatAnswersFirstLagsBehindTheRoundBefore) {
  EnsembleView view = ensemble_of(3);
  const auto shows = [&](std::size_t member, std::uint32_t before, std::uint32_t counter,
                         std::chrono::milliseconds at) {
    view.members[member].zxid = zxid_of(1, counter);
    learn(view.members[member], [&](MemberFacts& facts) {
      facts.zxid_before = {zxid_of(1, before), after(at - 1s)};
      facts.zxid = {zxid_of(1, counter), after(at)};
    });
  };
  shows(0, 1000, 1000, 5000ms);
  shows(1, 6000, 9000, 5010ms);
  shows(2, 6010, 9010, 5020ms);
  EXPECT_THAT(lags(view), ElementsAre(5010U, 0U, 0U));
  shows(2, 9010, 2000, 5020ms);
  EXPECT_THAT(lags(view), ElementsAre(5000U, 0U, 7000U)) << "what it showed was of other data";
}

class DigestVerdicts : public testing::Test {
 protected:
  void tell(std::size_t member, std::vector<Digest> digests) {
    learn(view.members[member], [&](MemberFacts& facts) {
      facts.digests = {DigestsAnswer{std::move(digests)}, after(0s)};
    });
  }
  /// Each member tells one digest, all at the same zxid.
  void tell_each(const std::vector<std::uint64_t>& values) {
    view = ensemble_of(static_cast<int>(values.size()));
    spec = EnsembleStory::spec(values.size(), CanaryMode::kOff);
    for (std::size_t index = 0; index < values.size(); ++index)
      tell(index, {{zxid_of(1, 128), values[index]}});
  }
  [[nodiscard]] std::vector<std::optional<bool>> verdicts(std::chrono::nanoseconds now = 0s) const {
    std::vector<std::optional<bool>> differs;
    for (const auto& verdict : digest_verdicts(view, spec, after(now)))
      differs.push_back(verdict ? std::optional(verdict->differs) : std::nullopt);
    return differs;
  }

  EnsembleView view;
  EnsembleSpec spec;
};

TEST_F(DigestVerdicts, TheLeaderIsTheReferenceOfAnEvenSplitAndOutvotedByAMajority) {
  tell_each({7, 7, 9, 9});
  view.leader = 3;
  EXPECT_THAT(verdicts(), ElementsAre(true, true, false, false));
  view.leader.reset();
  EXPECT_THAT(verdicts(), ElementsAre(true, true, true, true));
  tell_each({7, 9});
  view.leader = 2;
  EXPECT_THAT(verdicts(), ElementsAre(true, true)) << "a leader without a digest is no reference";
  tell_each({7, 7, 9});
  view.leader = 2;
  EXPECT_THAT(verdicts(), ElementsAre(false, false, true));
  tell_each({7, 8, 9});
  view.leader = 2;
  EXPECT_THAT(verdicts(), ElementsAre(true, true, true)) << "each differs from most";
}

TEST_F(DigestVerdicts, AreOfTheWholeNumber) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  tell_each({kMost, kMost, kMost - 1});
  EXPECT_THAT(verdicts(), ElementsAre(false, false, true));
  tell_each({0, 0, 0});
  EXPECT_THAT(verdicts(), ElementsAre(false, false, false));
}

TEST_F(DigestVerdicts, AreAtTheNewestZxidThatTwoMembersShare) {
  tell_each({0, 0, 0});
  tell(0, {{zxid_of(1, 128), 1}, {zxid_of(1, 256), 2}, {zxid_of(1, 384), 3}});
  tell(1, {{zxid_of(1, 128), 9}, {zxid_of(1, 256), 2}});
  tell(2, {{zxid_of(1, 128), 9}});
  // The third one shares only the oldest, of which it and the second have the majority.
  EXPECT_THAT(verdicts(), ElementsAre(false, false, false));
  tell(2, {{zxid_of(2, 128), 9}});
  EXPECT_THAT(verdicts(), ElementsAre(false, false, std::nullopt));
  tell(2, {});
  EXPECT_THAT(verdicts(), ElementsAre(false, false, std::nullopt));
}

TEST_F(DigestVerdicts, NobodyIsJudgedAloneOrByDigestsThatAreNoLongerTold) {
  tell_each({7, 8, 8});
  EXPECT_THAT(verdicts(34s), ElementsAre(true, false, false));
  EXPECT_THAT(verdicts(34s + 1ns), ElementsAre(std::nullopt, std::nullopt, std::nullopt));
  tell_each({7});
  EXPECT_THAT(verdicts(), ElementsAre(std::nullopt));
}

void connect(MemberView& member, double connections) {
  learn(member, [&](MemberFacts& facts) {
    facts.status.value = status_of(Role::kFollower, {{"num_alive_connections", connections}});
  });
}

TEST(Imbalance, IsMostOverMeanOfTheServingMembersThatTell) {
  EnsembleView view = ensemble_of(4);
  connect(view.members[0], 10);
  EXPECT_FALSE(connection_imbalance(view).has_value()) << "one member has no balance";
  connect(view.members[1], 30);
  EXPECT_DOUBLE_EQ(connection_imbalance(view).value(), 1.5);
  connect(view.members[2], 1e9);
  view.members[2].state = ServingState::kReadOnly;
  EXPECT_DOUBLE_EQ(connection_imbalance(view).value(), 1.5);
  connect(view.members[0], 0);
  connect(view.members[1], 0);
  EXPECT_FALSE(connection_imbalance(view).has_value()) << "nobody is connected";
}

TEST(Imbalance, OfSessionsIsOfConnectionsWithASession) {
  EnsembleView view = ensemble_of(2);
  for (MemberView& member : view.members) connect(member, 5);
  EXPECT_FALSE(session_imbalance(view, Moment{}).has_value());
  for (const std::size_t index : {0U, 1U})
    learn(view.members[index], [&](MemberFacts& facts) {
      change(facts.connections.value, [&](ConnectionsAnswer& answer) {
        answer.total = 100;
        answer.with_session = index == 0 ? 3 : 1;
      });
    });
  EXPECT_DOUBLE_EQ(session_imbalance(view, Moment{}).value(), 1.5);
  learn(view.members[1], [](MemberFacts& facts) {
    change(facts.connections.value, [](ConnectionsAnswer& answer) {
      answer.with_session = std::numeric_limits<std::uint64_t>::max();
    });
  });
  EXPECT_DOUBLE_EQ(session_imbalance(view, Moment{}).value(), 2.0);
  EXPECT_TRUE(session_imbalance(view, Moment{} + 34s).has_value());
  EXPECT_FALSE(session_imbalance(view, Moment{} + (34s + 1ns)).has_value()) << "nobody tells it any more";
}

}  // namespace
}  // namespace wk::exporter
