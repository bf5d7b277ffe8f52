#include "server/replica/slow_requests.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/server/replica/member.h"

namespace wk::replica {
namespace {

using jute::OpCode;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Moment at_ms(std::int64_t ms) { return Moment{} + milliseconds{1'000'000 + ms}; }

SlowRequest request(std::uint64_t connection, const Moment& received) {
  SlowRequest slow;
  slow.connection = ConnectionId{connection};
  slow.op = OpCode::kGetData;
  slow.received = received.steady;
  return slow;
}

const WriteStages kNoWrites;

TEST(SlowRequests, WhatIsSlowFollowsTheLoad) {
  SlowRequests slow(milliseconds{0});
  EXPECT_EQ(slow.threshold(), SlowRequests::kLeast);
  Distribution latency;
  latency.record(milliseconds{4}, 100);
  slow.tick(at_ms(0).steady, latency);
  EXPECT_GE(slow.threshold(), milliseconds{40});
  EXPECT_LE(slow.threshold(), milliseconds{43});
  EXPECT_FALSE(slow.is_slow(at_ms(0).steady, at_ms(39).steady));
  EXPECT_TRUE(slow.is_slow(at_ms(0).steady, at_ms(43).steady));
}

TEST(SlowRequests, TheSlowestOfTheLastMinutesAreKept) {
  SlowRequests slow(milliseconds{0});
  for (int i = 0; i < 100; ++i) {
    slow.note(request(static_cast<std::uint64_t>(i), at_ms(0)));
    slow.delivered({}, at_ms(100 + i * 37 % 100), kNoWrites);
  }
  ASSERT_EQ(slow.slowest().size(), SlowRequests::kCapacity);
  EXPECT_EQ(slow.slowest().front().latency, milliseconds{199});
  EXPECT_EQ(slow.slowest().back().latency, milliseconds{180});
  EXPECT_EQ(slow.threshold(), milliseconds{180}) << "what is faster need not be looked at";
  slow.tick((at_ms(199) + minutes{10}).steady, Distribution{});
  EXPECT_TRUE(slow.slowest().empty());
  EXPECT_EQ(slow.threshold(), SlowRequests::kLeast);
}

TEST(SlowRequests, WhatIsToBeLoggedIsHandedOutOnceAndBounded) {
  SlowRequests slow(milliseconds{1'000});
  for (std::uint64_t i = 0; i < SlowRequests::kMaxToLog + 3; ++i) slow.note(request(i, at_ms(0)));
  slow.note(request(99, at_ms(800)));
  slow.delivered({}, at_ms(1'000), kNoWrites);
  const SlowRequests::ToLog to_log = slow.take_to_log();
  EXPECT_EQ(to_log.requests.size(), SlowRequests::kMaxToLog);
  EXPECT_EQ(to_log.left_out, 3U);
  EXPECT_TRUE(slow.take_to_log().requests.empty());
  EXPECT_EQ(slow.take_to_log().left_out, 0U);
}

TEST(SlowRequests, AllThatWereAsSlowAreCountedThoughFewAreKept) {
  SlowRequests slow(milliseconds{1'000});
  for (std::uint64_t i = 0; i < 200; ++i) slow.note(request(i, at_ms(0)));
  for (std::uint64_t i = 0; i < 200; ++i)
    slow.note_late(request(i, at_ms(0)), 5, milliseconds{2'000});  // five replies of each connection
  slow.note_late(request(200, at_ms(1'500)), 7, milliseconds{500});
  slow.delivered({}, at_ms(2'000), kNoWrites);
  const SlowRequests::ToLog to_log = slow.take_to_log();
  EXPECT_EQ(to_log.requests.size(), SlowRequests::kMaxToLog);
  EXPECT_EQ(to_log.left_out, 200U * 5 - SlowRequests::kMaxToLog);
}

TEST(SlowRequests, TheLogsThresholdHoldsAlsoWhenManyAreSlower) {
  SlowRequests slow(milliseconds{1'000});
  for (std::uint64_t i = 0; i < SlowRequests::kCapacity; ++i) slow.note(request(i, at_ms(-5'000)));
  slow.delivered({}, at_ms(0), kNoWrites);
  EXPECT_TRUE(slow.is_slow(milliseconds{1'000}));
}

TEST(SlowRequests, AWriteTellsWhereItsTimeWent) {
  Member member;
  Client client(member);
  client.open();
  member.step(OutputDelivered{});
  client.send_create("/first");
  client.send_create("/slow/one");
  member.step(AppendsHandedOver{});
  member.step(PurgeUnderWay{true});
  const auto handed = member.now.steady;
  member.advance(milliseconds{300});
  member.step(LogSynced{member.last_logged(), handed, handed, member.now.steady});
  member.now = member.now + milliseconds{5};
  member.step(OutputDelivered{member.now.steady});
  const auto& slowest = member.replica.notable().slow.slowest();
  ASSERT_EQ(slowest.size(), 2U);
  const SlowRequest& first = slowest[0].zxid == Zxid{2} ? slowest[0] : slowest[1];
  EXPECT_EQ(first.path, "/first");
  EXPECT_EQ(first.op, OpCode::kCreate);
  EXPECT_EQ(first.session, client.session);
  EXPECT_EQ(first.queued_before, 0U);
  EXPECT_EQ(first.latency, milliseconds{305});
  EXPECT_TRUE(first.during_purge);
  EXPECT_FALSE(first.during_snapshot);
  ASSERT_TRUE(first.moments);
  EXPECT_EQ((*first.moments)[4] - (*first.moments)[3], milliseconds{300});
  EXPECT_EQ(first.moments->back() - first.moments->front(), first.latency);
  const SlowRequest& second = slowest[0].zxid == Zxid{2} ? slowest[1] : slowest[0];
  EXPECT_EQ(second.queued_before, 1U);
}

TEST(SlowRequests, AReadBehindASlowWriteIsKnownWithItsPath) {
  Member member;
  Client client(member);
  client.open();
  member.step(OutputDelivered{});
  client.send_create("/a");
  client.send(OpCode::kGetData, jute::ReadRequest{"/a", false});
  member.advance(milliseconds{50});
  member.sync();
  member.step(OutputDelivered{});
  const auto& slowest = member.replica.notable().slow.slowest();
  ASSERT_EQ(slowest.size(), 2U);
  const SlowRequest& read = slowest[0].op == OpCode::kGetData ? slowest[0] : slowest[1];
  EXPECT_EQ(read.op, OpCode::kGetData);
  EXPECT_EQ(read.path, "/a");
  EXPECT_EQ(read.zxid, Zxid{});
  EXPECT_FALSE(read.moments);
}

TEST(SlowRequests, OneThatBecameSlowOnTheWayOutIsKnownWithoutItsPath) {
  Member member;
  Client client(member);
  client.open();
  member.step(OutputDelivered{});
  client.send(OpCode::kExists, jute::ReadRequest{"/a", false});
  client.send(OpCode::kExists, jute::ReadRequest{"/b", false});
  member.now = member.now + milliseconds{80};
  member.step(OutputDelivered{});
  const auto& slowest = member.replica.notable().slow.slowest();
  ASSERT_EQ(slowest.size(), 1U) << "one for all that were received and answered together";
  EXPECT_EQ(slowest[0].op, OpCode::kExists);
  EXPECT_EQ(slowest[0].session, client.session);
  EXPECT_EQ(slowest[0].path, "");
  EXPECT_EQ(slowest[0].latency, milliseconds{80});
}

TEST(SlowRequests, FastOnesLeaveNoTrace) {
  Member member;
  member.auto_sync = true;
  Client client(member);
  client.open();
  member.step(OutputDelivered{});
  client.create("/a");
  client.call(OpCode::kGetData, jute::ReadRequest{"/a", false});
  member.now = member.now + milliseconds{9};
  member.step(OutputDelivered{});
  EXPECT_TRUE(member.replica.notable().slow.slowest().empty());
}

}  // namespace
}  // namespace wk::replica
