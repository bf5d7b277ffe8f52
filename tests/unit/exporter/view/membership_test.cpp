#include "exporter/view/membership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/exporter/view/view_parts.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// server.N=zkN:2888:3888 with client port 2181, for each of these numbers.
std::vector<MembershipEntry> servers(std::initializer_list<std::int64_t> numbers) {
  std::vector<MembershipEntry> membership;
  for (const std::int64_t number : numbers) {
    const std::string host = "zk" + std::to_string(number);
    membership.push_back({ServerId{number}, host, 2888, 3888, true, host + ":2181"});
  }
  return membership;
}

void configure(MemberView& member, std::optional<std::int64_t> id, std::vector<MembershipEntry> membership,
               std::optional<std::uint64_t> version = {}) {
  learn(member, [&](MemberFacts& facts) {
    ConfigurationAnswer answer;
    if (id) answer.server_id = ServerId{*id};
    answer.membership = std::move(membership);
    answer.membership_version = version;
    facts.configuration.value = std::move(answer);
  });
}

/// Of facts that are fresh.
std::vector<std::string> derived(EnsembleView& view) { return derive_membership(view, Moment{}); }

TEST(Membership, TheNewestVersionCountsAndTheFirstOfEqualOnes) {
  EnsembleView view = ensemble_of(3);
  configure(view.members[0], 1, servers({1, 2, 3}));
  configure(view.members[1], 2, servers({1, 2, 3, 4}), 0x100000000);
  configure(view.members[2], 3, servers({1, 2, 3, 4, 5}), 0xFFFFFFFF);
  EXPECT_THAT(derived(view), ElementsAre("server 4 (zk4:2181)"));
  EXPECT_EQ(view.voters, 4);
  EXPECT_EQ(view.majority, 3);
  configure(view.members[2], 3, servers({1, 2, 3, 4, 5}), 0x100000000);
  derived(view);
  EXPECT_EQ(view.voters, 4);
  configure(view.members[2], 3, servers({1, 2, 3, 4, 5}), std::numeric_limits<std::uint64_t>::max());
  EXPECT_THAT(derived(view), ElementsAre("server 4 (zk4:2181)", "server 5 (zk5:2181)"));
  EXPECT_EQ(view.voters, 5);
}

TEST(Membership, IdsComeFromTheConfigurationThenZabstateThenTheClientAddress) {
  EnsembleView view = ensemble_of(3);
  configure(view.members[0], 7, servers({1, 2, 3}));
  for (const std::size_t index : {0U, 1U})
    learn(view.members[index], [](MemberFacts& facts) { facts.zab.value.emplace().my_id = ServerId{9}; });
  derived(view);
  EXPECT_EQ(view.members[0].id, ServerId{7});
  EXPECT_EQ(view.members[1].id, ServerId{9});
  EXPECT_EQ(view.members[2].id, ServerId{3});
}

TEST(Membership, AVoterIsKnownByItsIdWhateverItsAddressIs) {
  EnsembleView view = ensemble_of(2);
  std::vector<MembershipEntry> swapped = servers({1, 2});
  std::swap(swapped[0].client_address, swapped[1].client_address);
  swapped[0].voter = false;
  configure(view.members[0], 1, swapped);
  configure(view.members[1], 2, {});
  EXPECT_THAT(derived(view), IsEmpty());
  EXPECT_FALSE(view.members[0].voter);
  EXPECT_TRUE(view.members[1].voter);
  EXPECT_EQ(view.voters, 1);
  swapped[0].voter = true;
  configure(view.members[0], 1, swapped);
  derived(view);
  EXPECT_TRUE(view.members[0].voter) << "an observer that was made a voter";
}

TEST(Membership, NoServerIsUnlistedWhileTheIdOfAMemberIsUnknown) {
  EnsembleView view = ensemble_of(2);
  std::vector<MembershipEntry> membership = servers({1, 2, 3});
  for (MembershipEntry& entry : membership) entry.client_address.clear();
  membership[2].id = ServerId{-1};
  configure(view.members[0], 1, membership);
  EXPECT_THAT(derived(view), IsEmpty());
  EXPECT_EQ(view.voters, 3);
  EXPECT_FALSE(view.members[1].id.has_value());
  configure(view.members[1], 2, {});
  EXPECT_THAT(derived(view), ElementsAre("server -1 (zk3, quorum port 2888)"));
}

TEST(Membership, OneThatIsFreshMakesNoVoterOfAKnownIdThatItDoesNotList) {
  EnsembleView view = ensemble_of(4);
  configure(view.members[0], 1, servers({1, 2}));
  learn(view.members[0], [](MemberFacts& facts) { facts.configuration.at = after(0ns); });
  configure(view.members[2], 9, {});
  view.members[3].name = "elsewhere:2181";
  derive_membership(view, after(34s + 1ns));
  EXPECT_TRUE(view.members[2].voter) << "what was told once stays";
  derive_membership(view, after(34s));
  EXPECT_TRUE(view.members[0].voter);
  EXPECT_TRUE(view.members[1].voter);
  EXPECT_FALSE(view.members[2].voter);
  EXPECT_TRUE(view.members[3].voter) << "its id is not known";
  configure(view.members[0], 1, servers({1, 2, 9}));
  learn(view.members[0], [](MemberFacts& facts) { facts.configuration.at = after(40s); });
  derive_membership(view, after(40s));
  EXPECT_TRUE(view.members[2].voter) << "it was added again";
}

TEST(Membership, AMemberOfUnknownIdVotesByItsRoleBesideAMembership) {
  EnsembleView view = ensemble_of(4);
  std::vector<MembershipEntry> membership = servers({1, 2, 3, 4});
  for (MembershipEntry& entry : membership) entry.client_address.clear();
  membership[3].voter = false;
  configure(view.members[0], 1, membership);
  learn(view.members[3], [](MemberFacts& facts) { facts.status.value = status_of(Role::kObserver); });
  derived(view);
  EXPECT_EQ(view.voters, 3);
  EXPECT_TRUE(view.members[0].voter);
  EXPECT_FALSE(view.members[3].voter);
  learn(view.members[3], [](MemberFacts& facts) { facts.status.value = status_of(Role::kFollower); });
  derived(view);
  EXPECT_TRUE(view.members[3].voter);
}

TEST(Membership, WhatTheLivingSayCountsMoreThanADeadMembersLastWord) {
  EnsembleView view = ensemble_of(3);
  configure(view.members[0], 1, servers({1, 2, 3}), 9);
  configure(view.members[1], 2, servers({1, 2, 3, 4, 5}));
  configure(view.members[2], 3, servers({1, 2, 3, 4, 5}));
  const auto told_at = [&](std::size_t member, std::chrono::seconds at) {
    learn(view.members[member], [&](MemberFacts& facts) { facts.configuration.at = after(at); });
  };
  told_at(0, 0s);
  told_at(1, 100s);
  told_at(2, 101s);
  derive_membership(view, after(110s));
  EXPECT_EQ(view.voters, 5);
  derive_membership(view, after(34s));
  EXPECT_EQ(view.voters, 3) << "while all are fresh, the version counts";
  derive_membership(view, after(1h));
  EXPECT_EQ(view.voters, 3) << "nobody tells it now";
  configure(view.members[0], 1, servers({1, 2, 3}));
  told_at(0, 0s);
  derive_membership(view, after(1h));
  EXPECT_EQ(view.voters, 5) << "of equal versions the latest";
}

TEST(Membership, TheLatestStatusTellsTheSizeOfTheQuorum) {
  EnsembleView view = ensemble_of(3);
  const auto told = [&](std::size_t member, double size, std::chrono::seconds at) {
    learn(view.members[member], [&](MemberFacts& facts) {
      facts.status = {status_of(Role::kLeader, {{"quorum_size", size}}), after(at)};
    });
  };
  told(0, 5, 100s);
  told(2, 3, 1s);
  derived(view);
  EXPECT_EQ(view.voters, 5);
  told(2, 3, 101s);
  derived(view);
  EXPECT_EQ(view.voters, 3);
}

TEST(Membership, OneServerUnderTwoNamesIsOneVoter) {
  for (const bool told : {false, true}) {
    EnsembleView view = ensemble_of(4);
    const std::vector<std::string> addresses{"10.0.0.1:2181", "10.0.0.2:2181", "10.0.0.3:2181",
                                             "10.0.0.1:2181"};
    for (const std::size_t index : {0U, 1U, 2U, 3U}) {
      configure(view.members[index], static_cast<int>(index % 3) + 1,
                told ? servers({1, 2, 3}) : std::vector<MembershipEntry>{});
      view.members[index].address = addresses[index];
    }
    derived(view);
    EXPECT_EQ(view.voters, 3) << told;
    EXPECT_EQ(view.members[3].same_as, 0U);
    EXPECT_FALSE(view.members[3].voter);
    EXPECT_FALSE(view.members[0].same_as.has_value());
    EXPECT_TRUE(view.members[0].voter);

    view.members[0].state = ServingState::kUnreachable;
    learn(view.members[3], [](MemberFacts& facts) { facts.status.value = status_of(Role::kFollower); });
    derived(view);
    EXPECT_EQ(view.members[0].same_as, 3U) << "it is reached by its other name only";
    EXPECT_FALSE(view.members[0].voter);
    EXPECT_TRUE(view.members[3].voter);
    EXPECT_EQ(view.voters, 3) << told;

    view.members[3].address = "10.0.0.4:2181";
    derived(view);
    EXPECT_FALSE(view.members[3].same_as.has_value()) << "two servers share an id";
  }
}

TEST(Membership, WithoutOneObserversTellThemselvesAndTheLeaderTellsTheSizeOfItsQuorum) {
  struct Row {
    std::optional<double> told;
    int voters, majority;
  };
  for (const Row row : std::vector<Row>{{std::nullopt, 4, 3},
                                        {1, 1, 1},
                                        {2, 2, 2},
                                        {3.9, 3, 2},
                                        {7, 7, 4},
                                        {999, 999, 500},
                                        {1000, 4, 3},
                                        {1e300, 4, 3},
                                        {0.9, 4, 3},
                                        {0, 4, 3},
                                        {-5, 4, 3},
                                        {-1e300, 4, 3}}) {
    EnsembleView view = ensemble_of(5);
    learn(view.members[1], [](MemberFacts& facts) { facts.status.value = status_of(Role::kObserver); });
    learn(view.members[2], [&](MemberFacts& facts) {
      facts.status.value =
          row.told ? status_of(Role::kLeader, {{"quorum_size", *row.told}}) : status_of(Role::kLeader);
    });
    EXPECT_THAT(derived(view), IsEmpty());
    EXPECT_EQ(view.voters, row.voters) << row.told.value_or(-0.5);
    EXPECT_EQ(view.majority, row.majority) << row.told.value_or(-0.5);
    EXPECT_FALSE(view.members[1].voter);
    EXPECT_TRUE(view.members[2].voter);
  }
}

TEST(Membership, WithoutOneAnObserverThatBecomesAVoterSaysSoByItsRole) {
  for (const Role role : {Role::kFollower, Role::kLeader}) {
    EnsembleView view = ensemble_of(3);
    const auto answers = [&](Role is) {
      learn(view.members[0], [&](MemberFacts& facts) { facts.status.value = status_of(is); });
      derived(view);
    };
    answers(Role::kObserver);
    EXPECT_EQ(view.voters, 2);
    answers(Role::kUnknown);
    EXPECT_FALSE(view.members[0].voter) << "an unknown role contradicts nothing";
    answers(role);
    EXPECT_TRUE(view.members[0].voter) << name(role);
    EXPECT_EQ(view.voters, 3);
    EXPECT_EQ(view.majority, 2);
  }
}

TEST(Membership, OnlyALoneServerIsStandaloneAndThenItsMembershipDoesNotCount) {
  EnsembleView view = ensemble_of(1);
  configure(view.members[0], 1, servers({1, 2, 3}));
  learn(view.members[0], [](MemberFacts& facts) { facts.status.value = status_of(Role::kStandalone); });
  derived(view);
  EXPECT_TRUE(view.standalone);
  EXPECT_EQ(view.voters, 1);
  EXPECT_EQ(view.majority, 1);
  learn(view.members[0], [](MemberFacts& facts) { facts.status.value = status_of(Role::kFollower); });
  derived(view);
  EXPECT_FALSE(view.standalone);
  EXPECT_EQ(view.voters, 3);

  view = ensemble_of(2);
  for (MemberView& member : view.members)
    learn(member, [](MemberFacts& facts) { facts.status.value = status_of(Role::kStandalone); });
  derived(view);
  EXPECT_FALSE(view.standalone);
  EXPECT_EQ(view.voters, 2);
}

}  // namespace
}  // namespace wk::exporter
