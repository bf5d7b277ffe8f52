#include "server/replica/write_stages.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "tests/unit/server/replica/member.h"

namespace wk::replica {
namespace {

using std::chrono::microseconds;
using Time = WriteStages::Time;

Time at(std::int64_t us) { return Time{microseconds{us}}; }

std::vector<std::int64_t> sums_us(const WriteStageStats& stats) {
  std::vector<std::int64_t> sums;
  for (const ServiceHistogram& stage : stats.stages)
    sums.push_back(std::chrono::duration_cast<microseconds>(stage.sum()).count());
  return sums;
}

TEST(WriteStages, ABatchHasOneMomentForEachStage) {
  WriteStages stages;
  WriteStageStats stats;
  stages.submitted(Zxid{5}, at(100));
  stages.submitted(Zxid{6}, at(100));
  stages.handed_over(at(101));
  const auto& synced = stages.synced(Zxid{6}, at(103), at(107), at(115));
  ASSERT_EQ(synced.size(), 1U);
  EXPECT_EQ(synced[0].transactions(), 2U);
  stages.committed(Zxid{6}, at(131));
  ASSERT_NE(stages.find_committed(Zxid{6}), nullptr);
  EXPECT_EQ(stages.find_committed(Zxid{7}), nullptr);
  stages.delivered(at(163), at(227), stats);
  EXPECT_EQ(sums_us(stats), (std::vector<std::int64_t>{2, 4, 8, 16, 32, 64, 128}));
  EXPECT_EQ(stats.total.count(), 2U);
  EXPECT_EQ(stats.total.sum(), microseconds{254});
  EXPECT_EQ(stages.find_committed(Zxid{6}), nullptr);
  stages.delivered(at(300), at(400), stats);
  EXPECT_EQ(stats.total.count(), 2U) << "counted twice";
}

TEST(WriteStages, WhatWasReceivedLaterOrAfterAHandOverIsABatchOfItsOwn) {
  WriteStages stages;
  stages.submitted(Zxid{1}, at(10));
  stages.submitted(Zxid{2}, at(11));
  stages.handed_over(at(12));
  stages.submitted(Zxid{3}, at(11));
  stages.handed_over(at(13));
  const auto synced = stages.synced(Zxid{3}, at(20), at(21), at(22));
  ASSERT_EQ(synced.size(), 3U);
  EXPECT_EQ(synced[1].at[1], at(12));
  EXPECT_EQ(synced[2].at[1], at(13));
}

TEST(WriteStages, SyncsAndCommitsSplitABatch) {
  WriteStages stages;
  WriteStageStats stats;
  for (std::uint64_t zxid = 1; zxid <= 10; ++zxid) stages.submitted(Zxid{zxid}, at(0));
  stages.handed_over(at(1));
  ASSERT_EQ(stages.synced(Zxid{4}, at(2), at(3), at(4)).at(0).transactions(), 4U);
  ASSERT_EQ(stages.synced(Zxid{10}, at(5), at(6), at(7)).at(0).transactions(), 6U);
  stages.committed(Zxid{3}, at(8));
  stages.delivered(at(9), at(10), stats);
  EXPECT_EQ(stats.total.count(), 3U);
  EXPECT_EQ(stats.total.sum(), microseconds{30});
  stages.committed(Zxid{10}, at(20));
  stages.delivered(at(20), at(20), stats);
  EXPECT_EQ(stats.total.count(), 10U);
  EXPECT_EQ(stats.total.sum(), microseconds{30 + 7 * 20});
  // The quorum took 4 us for the first three, 16 for the fourth and 13 for the others.
  EXPECT_EQ(stats.stages[4].sum(), microseconds{3 * 4 + 16 + 6 * 13});
}

TEST(WriteStages, MomentsThatAreNotKnownLastNothingAndTheSumStaysExact) {
  WriteStages stages;
  WriteStageStats stats;
  stages.submitted(Zxid{1}, at(100));
  stages.synced(Zxid{1}, Time{}, at(90), at(105));
  stages.committed(Zxid{1}, at(104));
  stages.delivered(Time{}, at(110), stats);
  EXPECT_EQ(sums_us(stats), (std::vector<std::int64_t>{0, 0, 0, 5, 0, 0, 5}));
  EXPECT_EQ(stats.total.sum(), microseconds{10});
}

TEST(WriteStages, WhatWillNeverBeIsForgotten) {
  WriteStages stages;
  WriteStageStats stats;
  for (std::uint64_t zxid = 1; zxid <= 5; ++zxid) stages.submitted(Zxid{zxid}, at(0));
  stages.submitted(Zxid{6}, at(1));
  stages.abandoned(Zxid{3});
  stages.submitted(Zxid{4}, at(2));
  const auto synced = stages.synced(Zxid{4}, at(3), at(3), at(3));
  ASSERT_EQ(synced.size(), 2U);
  EXPECT_EQ(synced[0].last, Zxid{3});
  EXPECT_EQ(synced[1].at[0], at(2));
}

/// The clock moves on between the steps, as in a server.
TEST(WriteStages, OfAMemberAddUpToTheLatencyThatItsClientSaw) {
  Member member;
  Client client(member);
  client.open();
  member.step(OutputDelivered{});
  member.replica.reset_stats(member.now);
  const auto later = [&member](std::int64_t us) {
    member.now = member.now + microseconds{us};
    return member.now.steady;
  };
  client.send_create("/a");
  client.send_create("/b");
  later(3);
  member.step(AppendsHandedOver{});
  LogSynced synced{member.last_logged(), {}, {}, {}};
  synced.taken = later(5);
  synced.written = later(7);
  synced.synced = later(1'000);
  later(11);
  member.step(synced);
  const auto applied = later(13);
  later(17);
  member.step(OutputDelivered{applied});
  const Stats& stats = member.replica.stats();
  EXPECT_EQ(sums_us(stats.write_stages), (std::vector<std::int64_t>{6, 10, 14, 2'000, 0, 48, 34}))
      << "alone, its own sync is the quorum, and the rest is the core's";
  EXPECT_EQ(stats.write_stages.total.count(), 2U);
  EXPECT_EQ(stats.write_stages.total.sum(), microseconds{2 * 1'056});
  EXPECT_EQ(stats.update_latency.sum(), 2U * 1'056'000U);
  EXPECT_EQ(stats.log_latency.sum(), 2U * 1'026'000U);
}

TEST(WriteStages, CountTheServersOwnTransactionsToo) {
  Member member;
  Client client(member);
  client.open(4'000);
  member.step(OutputDelivered{});
  member.replica.reset_stats(member.now);
  member.advance(std::chrono::seconds{7});
  member.sync();
  member.step(OutputDelivered{});
  EXPECT_EQ(member.replica.stats().sessions_expired, 1U);
  EXPECT_EQ(member.replica.stats().write_stages.total.count(), 1U);
}

}  // namespace
}  // namespace wk::replica
