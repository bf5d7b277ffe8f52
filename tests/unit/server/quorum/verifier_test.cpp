#include "server/quorum/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

namespace wk::quorum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<ServerId> servers(std::initializer_list<std::int64_t> ids) {
  std::vector<ServerId> all;
  for (const std::int64_t id : ids) all.push_back(ServerId{id});
  return all;
}

TEST(Verifier, MajorityIsMoreThanHalf) {
  const Verifier three = Verifier::majority(servers({1, 2, 3}));
  EXPECT_FALSE(three.contains_quorum(servers({2})));
  EXPECT_TRUE(three.contains_quorum(servers({2, 3})));
  const Verifier four = Verifier::majority(servers({1, 2, 3, 4}));
  EXPECT_FALSE(four.contains_quorum(servers({1, 2})));
  EXPECT_TRUE(four.contains_quorum(servers({1, 2, 4})));
}

TEST(Verifier, AStandaloneServerIsAQuorumOfOne) {
  const Verifier one = Verifier::majority(servers({1}));
  EXPECT_TRUE(one.contains_quorum(servers({1})));
  EXPECT_FALSE(one.contains_quorum({}));
  EXPECT_FALSE(one.contains_quorum(servers({2})));
}

TEST(Verifier, NeitherObserversNorRepetitionsCount) {
  const Verifier three = Verifier::majority(servers({1, 2, 3}));
  EXPECT_FALSE(three.contains_quorum(servers({1, 1, 1})));
  EXPECT_FALSE(three.contains_quorum(servers({1, 7, 8, 9})));
}

TEST(Verifier, NoVotersHaveNoQuorum) { EXPECT_FALSE(Verifier::majority({}).contains_quorum(servers({1}))); }

TEST(Verifier, ListsVotersInOrder) {
  const Verifier verifier = Verifier::majority(servers({9, 1, 5}));
  EXPECT_THAT(verifier.voters(), ElementsAre(ServerId{1}, ServerId{5}, ServerId{9}));
  EXPECT_TRUE(verifier.is_voter(ServerId{5}));
  EXPECT_FALSE(verifier.is_voter(ServerId{2}));
  EXPECT_EQ(verifier.weight(ServerId{5}), 1);
  EXPECT_EQ(verifier.weight(ServerId{2}), 0);
  EXPECT_FALSE(verifier.is_hierarchical());
}

// Three groups of three: two members in each of two groups are enough, five members in another shape are not.
TEST(Verifier, HierarchyNeedsAMajorityOfGroupsEachWithAMajorityOfWeight) {
  const std::vector<Group> groups{{1, servers({1, 2, 3})}, {2, servers({4, 5, 6})}, {3, servers({7, 8, 9})}};
  const auto verifier = Verifier::hierarchical(servers({1, 2, 3, 4, 5, 6, 7, 8, 9}), groups, {});
  ASSERT_TRUE(verifier.has_value());
  EXPECT_TRUE(verifier->is_hierarchical());
  EXPECT_TRUE(verifier->contains_quorum(servers({1, 2, 4, 5})));
  EXPECT_FALSE(verifier->contains_quorum(servers({1, 2, 3, 4, 7})));
  EXPECT_FALSE(verifier->contains_quorum(servers({1, 2, 3})));
}

TEST(Verifier, WeightsDecideInsideAGroup) {
  const std::vector<Group> groups{{1, servers({1, 2, 3})}};
  const auto verifier = Verifier::hierarchical(servers({1, 2, 3}), groups,
                                               {{ServerId{1}, 3}, {ServerId{2}, 1}, {ServerId{3}, 0}});
  ASSERT_TRUE(verifier.has_value());
  EXPECT_TRUE(verifier->contains_quorum(servers({1})));
  EXPECT_FALSE(verifier->contains_quorum(servers({2, 3})));
  EXPECT_EQ(verifier->weight(ServerId{1}), 3);
  EXPECT_EQ(verifier->weight(ServerId{3}), 0);
}

TEST(Verifier, GroupsWithoutWeightDoNotCount) {
  const std::vector<Group> groups{{1, servers({1, 2, 3})}, {2, servers({4})}};
  const auto verifier = Verifier::hierarchical(servers({1, 2, 3, 4}), groups, {{ServerId{4}, 0}});
  ASSERT_TRUE(verifier.has_value());
  EXPECT_TRUE(verifier->contains_quorum(servers({1, 2})));
  EXPECT_FALSE(verifier->contains_quorum(servers({1, 4})));
}

TEST(Verifier, RefusesWhatIsNoPartition) {
  const auto two_groups = Verifier::hierarchical(
      servers({1, 2}), std::vector<Group>{{1, servers({1, 2})}, {2, servers({2})}}, {});
  ASSERT_FALSE(two_groups.has_value());
  EXPECT_EQ(two_groups.error().code, Errc::kInvalidInput);
  EXPECT_THAT(two_groups.error().message, HasSubstr("server 2 stands in two groups (1 and 2)"));

  const auto no_group = Verifier::hierarchical(servers({1, 2}), std::vector<Group>{{1, servers({1})}}, {});
  ASSERT_FALSE(no_group.has_value());
  EXPECT_THAT(no_group.error().message, HasSubstr("server 2 stands in no group"));

  const auto stranger = Verifier::hierarchical(servers({1}), std::vector<Group>{{1, servers({1, 5})}}, {});
  ASSERT_FALSE(stranger.has_value());
  EXPECT_THAT(stranger.error().message, HasSubstr("group.1 names server 5, which is not a participant"));

  const auto twice =
      Verifier::hierarchical(servers({1, 2}), std::vector<Group>{{1, servers({1})}, {1, servers({2})}}, {});
  ASSERT_FALSE(twice.has_value());
  EXPECT_THAT(twice.error().message, HasSubstr("group.1 is given twice"));

  const auto negative =
      Verifier::hierarchical(servers({1}), std::vector<Group>{{1, servers({1})}}, {{ServerId{1}, -1}});
  ASSERT_FALSE(negative.has_value());
  EXPECT_THAT(negative.error().message, HasSubstr("weight.1=-1"));
}

}  // namespace
}  // namespace wk::quorum
