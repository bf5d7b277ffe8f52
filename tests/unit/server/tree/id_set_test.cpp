#include "server/tree/id_set.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace wk::tree {
namespace {

std::map<std::uint32_t, std::uint32_t> members(const IdSet<3>& set) {
  std::map<std::uint32_t, std::uint32_t> found;
  set.for_each([&](std::uint32_t key, std::uint32_t payload) {
    EXPECT_TRUE(found.emplace(key, payload).second) << "visited twice: " << key;
  });
  return found;
}

TEST(IdSet, OneMemberNeedsNoMemory) {
  IdSet<3> set;
  static_assert(sizeof set == 16);
  EXPECT_TRUE(set.empty());
  EXPECT_FALSE(set.contains(5));
  set.put(5, 7);
  EXPECT_EQ(set.size(), 1U);
  EXPECT_EQ(set.payload(5), 7U);
  EXPECT_EQ(set.payload(6), 0U);
  set.put(5, 2);
  EXPECT_EQ(set.payload(5), 2U);
  EXPECT_EQ(set.size(), 1U);
  set.erase(6);
  set.erase(5);
  EXPECT_TRUE(set.empty());
  EXPECT_FALSE(set.contains(5));
}

TEST(IdSet, HoldsTheLargestKey) {
  IdSet<0> set;
  set.put(IdSet<0>::kMaxKey, 0);
  EXPECT_TRUE(set.contains(UINT32_MAX));
  set.clear();
  IdSet<3> other;
  other.put(IdSet<3>::kMaxKey, 7);
  EXPECT_EQ(other.payload((1U << 29) - 1), 7U);
}

// Against std::map, through all sizes up and down, with dense keys and with sparse ones.
TEST(IdSet, BehavesAsAMap) {
  for (const std::uint32_t range : {15U, 400U, 100'000U}) {
    std::mt19937 random(range);
    IdSet<3> set;
    std::map<std::uint32_t, std::uint32_t> model;
    for (int step = 0; step < 40'000; ++step) {
      const std::uint32_t key = 1 + random() % range;
      const bool growing = step / 5'000 % 2 == 0;
      if (random() % 10 < (growing ? 7U : 3U)) {
        const std::uint32_t payload = random() % 8;
        set.put(key, payload);
        model[key] = payload;
      } else if (model.empty() || random() % 2 == 0) {
        set.erase(key);
        model.erase(key);
      } else {
        const std::uint32_t present = model.begin()->first;
        set.erase(present);
        model.erase(present);
      }
      ASSERT_EQ(set.size(), model.size());
      const auto found = model.find(key);
      ASSERT_EQ(set.contains(key), found != model.end());
      ASSERT_EQ(set.payload(key), found == model.end() ? 0 : found->second);
      if (step % 500 == 0) {
        ASSERT_EQ(members(set), model);
      }
    }
    EXPECT_EQ(members(set), model);
    for (const auto& [key, payload] : model) EXPECT_EQ(set.payload(key), payload);
    set.clear();
    EXPECT_TRUE(set.empty());
  }
}

}  // namespace
}  // namespace wk::tree
