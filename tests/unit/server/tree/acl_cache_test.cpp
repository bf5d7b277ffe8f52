#include "server/tree/acl_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "tests/unit/server/tree/acl_lists.h"

namespace wk::tree {
namespace {

using jute::Acl;
using testing::ElementsAre;

const AclBytes kFirst{{1, {"digest", "a:b"}}};
const AclBytes kSecond{{2, {"digest", "a:b"}}};

std::vector<std::int64_t> numbers(const AclCache& cache) {
  std::vector<std::int64_t> all;
  cache.for_each([&](std::int64_t number, const jute::AclListView&) { all.push_back(number); });
  return all;
}

TEST(AclCache, NullListIsTheOpenOneWithNumberMinusOne) {
  AclCache cache;
  const AclId id = cache.acquire(std::nullopt);
  EXPECT_EQ(id, kOpenAcl);
  EXPECT_EQ(cache.number(id), -1);
  EXPECT_THAT(copy(cache.list(id)), ElementsAre(Acl{31, {"world", "anyone"}}));
  cache.release(id);
  cache.release(id);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_THAT(numbers(cache), ElementsAre());
}

TEST(AclCache, EqualListsShareANumber) {
  AclCache cache;
  const AclId first = cache.acquire(kFirst.view());
  const AclId second = cache.acquire(kSecond.view());
  EXPECT_EQ(cache.acquire(kFirst.view()), first);
  EXPECT_EQ(cache.number(first), 1);
  EXPECT_EQ(cache.number(second), 2);
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_THAT(copy(cache.list(second)), ElementsAre(Acl{2, {"digest", "a:b"}}));
}

TEST(AclCache, OrderOfEntriesMatters) {
  AclCache cache;
  const AclBytes ab{{1, {"digest", "a:b"}}, {2, {"ip", "::1"}}};
  const AclBytes ba{{2, {"ip", "::1"}}, {1, {"digest", "a:b"}}};
  EXPECT_NE(cache.acquire(ab.view()), cache.acquire(ba.view()));
}

TEST(AclCache, TheOpenListWrittenOutHasANumberOfItsOwn) {
  AclCache cache;
  EXPECT_EQ(cache.number(cache.acquire(kOpenList.view())), 1);
}

TEST(AclCache, ALostListIsNeverNumberedTheSameAgain) {
  AclCache cache;
  const AclId first = cache.acquire(kFirst.view());
  cache.acquire(first);
  cache.release(first);
  EXPECT_EQ(cache.size(), 1U);
  cache.release(first);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.number(cache.acquire(kFirst.view())), 2);
}

TEST(AclCache, PermitsWhatTheListPermits) {
  AclCache cache;
  const AclId read = cache.acquire(kReadList.view());
  const AclId digest = cache.acquire(kFirst.view());
  const AclId empty = cache.acquire(AclBytes{}.view());
  const std::vector<jute::Id> bob{{"digest", "a:b"}};
  const std::vector<jute::Id> super{{"super", ""}};
  EXPECT_TRUE(cache.permits(kOpenAcl, jute::kPermAdmin, {}, {}));
  EXPECT_TRUE(cache.permits(read, jute::kPermRead, {}, {}));
  EXPECT_FALSE(cache.permits(read, jute::kPermWrite, bob, {}));
  EXPECT_TRUE(cache.permits(read, jute::kPermWrite, super, {}));
  EXPECT_TRUE(cache.permits(digest, jute::kPermRead, bob, {}));
  EXPECT_FALSE(cache.permits(digest, jute::kPermRead, {}, {}));
  EXPECT_TRUE(cache.permits(empty, jute::kPermAdmin, {}, {}));
}

TEST(AclCache, LoadingKeepsNumbersAndGoesOnBehindTheHighest) {
  AclCache cache;
  cache.restore(7, kFirst.view());
  cache.restore(3, kSecond.view());
  cache.restore(5, kReadList.view());
  EXPECT_EQ(cache.number(*cache.acquire_number(7)), 7);
  const AclId three = *cache.acquire_number(3);
  EXPECT_EQ(cache.acquire_number(-1), kOpenAcl);
  EXPECT_FALSE(cache.acquire_number(4));
  EXPECT_THAT(numbers(cache), ElementsAre(3, 5, 7));
  cache.purge_unused();
  EXPECT_THAT(numbers(cache), ElementsAre(3, 7));
  EXPECT_EQ(cache.acquire(kSecond.view()), three);
  EXPECT_EQ(cache.number(cache.acquire(kReadList.view())), 8);
}

TEST(AclCache, ADamagedSnapshotCannotMixUpLists) {
  AclCache cache;
  cache.restore(1, kFirst.view());
  cache.restore(2, kFirst.view());  // one list, two numbers
  cache.restore(3, kSecond.view());
  cache.restore(3, kReadList.view());  // one number, two lists: the last counts
  cache.restore(-1, kReadList.view());
  const AclId one = *cache.acquire_number(1);
  const AclId two = *cache.acquire_number(2);
  const AclId three = *cache.acquire_number(3);
  EXPECT_THAT(copy(cache.list(one)), ElementsAre(Acl{1, {"digest", "a:b"}}));
  EXPECT_THAT(copy(cache.list(two)), ElementsAre(Acl{1, {"digest", "a:b"}}));
  EXPECT_THAT(copy(cache.list(three)), ElementsAre(Acl{1, {"world", "anyone"}}));
  EXPECT_EQ(cache.number(kOpenAcl), -1);
  const AclId shared = cache.acquire(kFirst.view());
  cache.release(one);
  EXPECT_THAT(copy(cache.list(two)), ElementsAre(Acl{1, {"digest", "a:b"}}));
  EXPECT_THAT(copy(cache.list(shared)), ElementsAre(Acl{1, {"digest", "a:b"}}));
}

}  // namespace
}  // namespace wk::tree
