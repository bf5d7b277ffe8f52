#include "server/replica/fan_outs.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/server/replica/member.h"

namespace wk::replica {
namespace {

using jute::EventType;
using std::chrono::minutes;
using std::chrono::seconds;

Moment at_s(std::int64_t s) { return Moment{} + seconds{10'000 + s}; }

TEST(FanOuts, KeepTheLargestOfEachPathAndType) {
  FanOuts herds;
  herds.record("/a", EventType::kNodeDataChanged, 1, at_s(0));
  EXPECT_TRUE(herds.largest(at_s(0)).empty()) << "one watcher is no herd";
  herds.record("/a", EventType::kNodeDataChanged, 50, at_s(1));
  herds.record("/a", EventType::kNodeDataChanged, 40, at_s(2));
  herds.record("/a", EventType::kNodeDeleted, 60, at_s(3));
  const auto largest = herds.largest(at_s(4));
  ASSERT_EQ(largest.size(), 2U);
  EXPECT_EQ(largest[0].type, EventType::kNodeDeleted);
  EXPECT_EQ(largest[1].watchers, 50U);
  EXPECT_EQ(largest[1].times, 2U);
  EXPECT_EQ(largest[1].at.steady, at_s(1).steady);
}

TEST(FanOuts, AreBoundedAndTheLargestStay) {
  FanOuts herds;
  for (int i = 0; i < 500; ++i)
    herds.record("/" + std::to_string(i), EventType::kNodeCreated, static_cast<std::size_t>(2 + i * 7 % 500),
                 at_s(i));
  const auto largest = herds.largest(at_s(500));
  ASSERT_EQ(largest.size(), FanOuts::kCapacity);
  EXPECT_EQ(largest.front().watchers, 501U);
  EXPECT_EQ(largest.back().watchers, 501U - (FanOuts::kCapacity - 1));
}

TEST(FanOuts, AreForgottenAfterAnHour) {
  FanOuts herds;
  herds.record("/a", EventType::kNodeCreated, 900, at_s(0));
  const Moment later = at_s(0) + FanOuts::kKept;
  EXPECT_EQ(herds.largest(later + seconds{-1}).size(), 1U);
  EXPECT_TRUE(herds.largest(later).empty());
  herds.record("/a", EventType::kNodeCreated, 3, later);
  ASSERT_EQ(herds.largest(later).size(), 1U);
  EXPECT_EQ(herds.largest(later)[0].watchers, 3U);
  EXPECT_EQ(herds.largest(later)[0].times, 1U);
}

TEST(FanOuts, OfAMemberAreItsHerds) {
  Member member;
  member.auto_sync = true;
  Client writer(member);
  writer.open();
  writer.create("/herd");
  std::vector<std::unique_ptr<Client>> watchers;
  for (int i = 0; i < 5; ++i) {
    watchers.push_back(std::make_unique<Client>(member));
    watchers.back()->open();
    watchers.back()->call(jute::OpCode::kGetData, jute::ReadRequest{"/herd", true});
  }
  writer.call(jute::OpCode::kSetData, jute::SetDataRequest{"/herd", "x", -1});
  const auto largest = member.replica.notable().fan_outs.largest(member.now);
  ASSERT_EQ(largest.size(), 1U);
  EXPECT_EQ(largest[0].path, "/herd");
  EXPECT_EQ(largest[0].type, EventType::kNodeDataChanged);
  EXPECT_EQ(largest[0].watchers, 5U);
  const CrowdHistogram& changed = member.replica.stats().fan_out[2];
  EXPECT_EQ(changed.count(), 1U);
  EXPECT_EQ(changed.sum(), 5U);
}

}  // namespace
}  // namespace wk::replica
