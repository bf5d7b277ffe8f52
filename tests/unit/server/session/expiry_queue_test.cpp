#include "server/session/expiry_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace wk::session {
namespace {

using std::chrono::milliseconds;
using testing::_;
using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr milliseconds kTick{2'000};

ExpiryQueue::Time at(int ms) { return ExpiryQueue::Time{milliseconds{ms}}; }

std::vector<ExpiryQueue::Slot> due(ExpiryQueue& queue, ExpiryQueue::Time now) {
  std::vector<ExpiryQueue::Slot> slots;
  for (ExpiryQueue::Slot slot = 0; queue.take_due(now, slot);) slots.push_back(slot);
  return slots;
}

TEST(ExpiryQueue, EndsBetweenTimeoutAndTimeoutPlusOneTick) {
  ExpiryQueue queue(kTick);
  queue.touch(0, milliseconds{4'000}, at(1'000));  // would end at 5,000, so in the bucket that ends at 6,000
  queue.touch(1, milliseconds{4'000}, at(2'000));  // 6,000 exactly belongs to the next bucket
  EXPECT_THAT(due(queue, at(5'999)), ElementsAre());
  EXPECT_THAT(due(queue, at(6'000)), ElementsAre(0));
  EXPECT_THAT(due(queue, at(7'999)), ElementsAre());
  EXPECT_THAT(due(queue, at(8'000)), ElementsAre(1));
  EXPECT_EQ(queue.size(), 0U);
}

TEST(ExpiryQueue, TouchMovesOneAndLeavesItsNeighbours) {
  ExpiryQueue queue(kTick);
  for (ExpiryQueue::Slot slot = 0; slot < 5; ++slot) queue.touch(slot, milliseconds{1'000}, at(0));
  queue.touch(4, milliseconds{1'000}, at(4'000));  // the head of the list
  queue.touch(0, milliseconds{1'000}, at(4'000));  // its tail
  queue.touch(2, milliseconds{1'000}, at(4'000));  // its middle
  EXPECT_THAT(due(queue, at(2'000)), UnorderedElementsAre(1, 3));
  EXPECT_THAT(due(queue, at(6'000)), UnorderedElementsAre(0, 2, 4));
}

TEST(ExpiryQueue, AShorterTimeoutMovesAnEntryForward) {
  ExpiryQueue queue(kTick);
  queue.touch(7, milliseconds{40'000}, at(0));
  queue.touch(7, milliseconds{4'000}, at(0));
  EXPECT_THAT(due(queue, at(6'000)), ElementsAre(7));
}

TEST(ExpiryQueue, RemovedEntriesAreNeverDue) {
  ExpiryQueue queue(kTick);
  queue.touch(0, milliseconds{0}, at(0));
  queue.touch(1, milliseconds{0}, at(0));
  queue.remove(0);
  queue.remove(0);
  queue.remove(99);
  EXPECT_FALSE(queue.contains(0));
  EXPECT_TRUE(queue.contains(1));
  EXPECT_THAT(due(queue, at(100'000)), ElementsAre(1));
}

TEST(ExpiryQueue, TellsHowFullItsBucketsAre) {
  ExpiryQueue queue(kTick);
  queue.touch(0, milliseconds{9'000}, at(0));
  queue.touch(1, milliseconds{1'000}, at(0));
  queue.touch(2, milliseconds{9'500}, at(0));
  EXPECT_EQ(queue.occupancy().buckets, 2U);
  EXPECT_EQ(queue.occupancy().most, 2U);
  std::vector<std::pair<ExpiryQueue::Time, ExpiryQueue::Slot>> seen;
  queue.for_each([&](ExpiryQueue::Time ends, ExpiryQueue::Slot slot) { seen.emplace_back(ends, slot); });
  EXPECT_THAT(seen, ElementsAre(Pair(at(2'000), 1), Pair(at(10'000), _), Pair(at(10'000), _)));
  EXPECT_EQ(queue.size(), 3U);
  queue.remove(0);
  queue.remove(2);
  EXPECT_EQ(queue.occupancy().buckets, 1U);
  EXPECT_EQ(queue.occupancy().most, 1U);
}

TEST(ExpiryQueue, LateLooksTakeEarlierBucketsFirst) {
  ExpiryQueue queue(kTick);
  queue.touch(0, milliseconds{9'000}, at(0));
  queue.touch(1, milliseconds{1'000}, at(0));
  queue.touch(2, milliseconds{5'000}, at(0));
  EXPECT_THAT(due(queue, at(60'000)), ElementsAre(1, 2, 0));
}

TEST(ExpiryQueue, PostponedEntriesAreDueOneTickLater) {
  ExpiryQueue queue(kTick);
  queue.touch(0, milliseconds{1'000}, at(0));
  queue.touch(1, milliseconds{3'000}, at(0));
  queue.touch(2, milliseconds{9'000}, at(0));
  queue.postpone_due(at(4'500));
  EXPECT_THAT(due(queue, at(5'999)), ElementsAre());
  EXPECT_THAT(due(queue, at(6'000)), UnorderedElementsAre(0, 1));
  EXPECT_THAT(due(queue, at(10'000)), ElementsAre(2));
}

}  // namespace
}  // namespace wk::session
