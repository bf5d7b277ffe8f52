#include "server/replica/hot_paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/server/replica/member.h"

namespace wk::replica {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::DoubleNear;
using Time = HotPaths::Time;

Time at_ms(std::int64_t ms) { return Time{seconds{1'000} + milliseconds{ms}}; }

// ----------------------------------------------------------------------------------------------------------
// the sketch

TEST(FrequentPaths, CountsExactlyWhileThereIsRoom) {
  FrequentPaths paths;
  for (int i = 0; i < 3; ++i) paths.record("/b", 1);
  paths.record("/a", 5);
  const auto heaviest = paths.heaviest(10);
  ASSERT_EQ(heaviest.size(), 2U);
  EXPECT_EQ(heaviest[0]->path, "/a");
  EXPECT_EQ(heaviest[0]->weight, 5);
  EXPECT_EQ(heaviest[1]->path, "/b");
  EXPECT_EQ(heaviest[1]->weight, 3);
  EXPECT_EQ(heaviest[1]->error, 0);
  EXPECT_EQ(paths.total(), 8);
  EXPECT_EQ(paths.heaviest(1).size(), 1U);
}

TEST(FrequentPaths, FindsTheFrequentAmongFarMoreThanItFollows) {
  FrequentPaths paths;
  for (int i = 0; i < 20'000; ++i) {
    paths.record("/once/" + std::to_string(i), 1);
    if (i % 10 == 0) paths.record("/often", 1);
    if (i % 20 == 0) paths.record("/half/as/often", 1);
  }
  const auto heaviest = paths.heaviest(2);
  ASSERT_EQ(heaviest.size(), 2U);
  EXPECT_EQ(heaviest[0]->path, "/often");
  EXPECT_EQ(heaviest[1]->path, "/half/as/often");
  // At most too high by its error, and never too low.
  EXPECT_GE(heaviest[0]->weight, 2'000);
  EXPECT_LE(heaviest[0]->weight - heaviest[0]->error, 2'000);
  EXPECT_GE(heaviest[0]->weight - heaviest[0]->error, 1'800);
}

TEST(FrequentPaths, LongPathsCountUnderTheirBeginning) {
  FrequentPaths paths;
  const std::string beginning = "/" + std::string(FrequentPaths::kMaxPathBytes - 1, 'x');
  paths.record(beginning + "a", 1);
  paths.record(beginning + "b", 1);
  ASSERT_EQ(paths.heaviest(9).size(), 1U);
  EXPECT_EQ(paths.heaviest(9)[0]->path, beginning);
}

TEST(FrequentPaths, DecayLetsTheNewPassTheOld) {
  FrequentPaths paths;
  paths.record("/old", 100);
  paths.decay(0.1);
  paths.record("/new", 11);
  EXPECT_EQ(paths.heaviest(1)[0]->path, "/new");
  EXPECT_THAT(paths.total(), DoubleNear(21, 1e-9));
}

TEST(FrequentPaths, WhatHasFadedAwayIsForgotten) {
  FrequentPaths paths;
  paths.record("/a", 1);
  paths.record("/b", 100);
  paths.record("/c", 2);
  paths.decay(0.005);
  ASSERT_EQ(paths.heaviest(9).size(), 2U);
  EXPECT_EQ(paths.heaviest(9)[0]->path, "/b");
  EXPECT_EQ(paths.heaviest(9)[1]->path, "/c");
  paths.record("/a", 7);
  EXPECT_EQ(paths.heaviest(9)[0]->weight, 7);
  EXPECT_EQ(paths.heaviest(9)[0]->error, 0);
  paths.decay(0);
  EXPECT_TRUE(paths.heaviest(9).empty());
  EXPECT_EQ(paths.total(), 0);
}

// ----------------------------------------------------------------------------------------------------------
// rates

TEST(HotPaths, WhileThereIsLittleToDoEveryOperationCounts) {
  HotPaths hot(42);
  for (int ms = 0; ms <= 10'000; ms += 50) {
    hot.tick(at_ms(ms));
    for (int i = 0; i < 3; ++i) hot.record("/a");
    hot.record("/b");
  }
  EXPECT_EQ(hot.interval(), 1U);
  const auto hottest = hot.hottest(5, at_ms(10'000));
  ASSERT_EQ(hottest.size(), 2U);
  EXPECT_EQ(hottest[0].path, "/a");
  EXPECT_THAT(hottest[0].a_second, DoubleNear(60, 3));
  EXPECT_THAT(hottest[0].share, DoubleNear(0.75, 1e-6));
  EXPECT_THAT(hot.a_second(at_ms(10'000)), DoubleNear(80, 4));
}

// Two clients in lock step: whatever divides the interval between samples must not hide one of them.
TEST(HotPaths, UnderLoadSamplesAreFewAndNoPatternHidesFromThem) {
  HotPaths hot(7);
  const int each_tick = 20'000;  // 400 000 a second
  for (int tick = 0; tick < 200; ++tick) {
    hot.tick(at_ms(tick * 50));
    for (int i = 0; i < each_tick; ++i) hot.record(i % 100 == 0 ? "/rare" : i % 2 == 0 ? "/even" : "/odd");
  }
  EXPECT_THAT(static_cast<double>(hot.interval()), DoubleNear(100, 1));
  const auto hottest = hot.hottest(5, at_ms(10'000));
  ASSERT_EQ(hottest.size(), 3U);
  EXPECT_THAT(hottest[0].share, DoubleNear(0.495, 0.02));
  EXPECT_THAT(hottest[1].share, DoubleNear(0.495, 0.02));
  EXPECT_EQ(hottest[2].path, "/rare");
  EXPECT_THAT(hottest[2].share, DoubleNear(0.01, 0.004));
  EXPECT_THAT(hot.a_second(at_ms(10'000)), DoubleNear(400'000, 20'000));
}

TEST(HotPaths, WhatIsOverFades) {
  HotPaths hot(1);
  for (int i = 0; i < 1'000; ++i) hot.record("/a");
  int ms = 0;
  for (; ms <= 150'000; ms += 1'000) hot.tick(at_ms(ms));
  EXPECT_LT(hot.a_second(at_ms(ms)), 1);
  // The load is back to little, so that nothing is missed.
  EXPECT_EQ(hot.interval(), 1U);
}

TEST(HotPaths, NothingIsKnownBeforeTimeHasPassed) {
  HotPaths hot(1);
  hot.record("/a");
  hot.tick(at_ms(0));
  EXPECT_TRUE(hot.hottest(5, at_ms(0)).empty());
  EXPECT_EQ(hot.a_second(at_ms(0)), 0);
}

TEST(HotPaths, OfAMemberAreReadsAndAppliedChanges) {
  Member member;
  member.auto_sync = true;
  Client client(member);
  client.open();
  client.create("/a");
  for (int i = 0; i < 30; ++i) client.call(jute::OpCode::kExists, jute::ReadRequest{"/a", false});
  for (int i = 0; i < 20; ++i) client.call(jute::OpCode::kSetData, jute::SetDataRequest{"/a", "x", -1});
  client.call(jute::OpCode::kSetData, jute::SetDataRequest{"/none", "x", -1});
  client.call(jute::OpCode::kExists, jute::ReadRequest{"/none", false});
  member.advance(milliseconds{1'000});
  const Notable& notable = member.replica.notable();
  const auto reads = notable.hot_reads.hottest(9, member.now.steady);
  const auto writes = notable.hot_writes.hottest(9, member.now.steady);
  ASSERT_EQ(reads.size(), 1U);
  EXPECT_EQ(reads[0].path, "/a");
  EXPECT_EQ(reads[0].share, 1);
  ASSERT_EQ(writes.size(), 1U);
  EXPECT_EQ(writes[0].path, "/a");
  EXPECT_THAT(writes[0].a_second, DoubleNear(21, 3));
}

}  // namespace
}  // namespace wk::replica
