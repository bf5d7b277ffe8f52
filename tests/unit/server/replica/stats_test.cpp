#include "server/replica/stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/txn/operation.h"
#include "tests/unit/server/replica/member.h"

namespace wk::replica {
namespace {

using jute::ErrorCode;
using jute::OpCode;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

const OperationStats& of(const Member& member, OpCode op) {
  return member.replica.stats().operations[txn::index_of(*txn::find_operation(op))];
}

TEST(Stats, LatencyEndsWhenTheOutputIsDelivered) {
  Member member;
  Client client(member);
  client.open();
  member.step(OutputDelivered{});
  member.replica.reset_stats(member.now);
  client.send(OpCode::kExists, jute::ReadRequest{"/zookeeper", false});
  client.send(OpCode::kExists, jute::ReadRequest{"/none", false});
  member.now = member.now + microseconds{40};
  EXPECT_EQ(member.replica.stats().latency.count(), 0U);
  member.step(OutputDelivered{});
  const Stats& stats = member.replica.stats();
  EXPECT_EQ(stats.read_latency.count(), 2U);
  EXPECT_EQ(stats.read_latency.sum(), 80'000U);
  EXPECT_EQ(stats.update_latency.count(), 0U);
  EXPECT_EQ(stats.latency.count(), 2U);
  EXPECT_EQ(of(member, OpCode::kExists).requests, 2U);
  EXPECT_EQ(of(member, OpCode::kExists).errors, 1U);
  EXPECT_EQ(of(member, OpCode::kExists).latency.count(), 2U);
  EXPECT_EQ(of(member, OpCode::kExists).latency.sum(), microseconds{80});
  member.step(OutputDelivered{});
  EXPECT_EQ(member.replica.stats().latency.count(), 2U);
}

TEST(Stats, AWriteLastsFromItsArrivalToItsReply) {
  Member member;
  Client client(member);
  client.open();
  member.step(OutputDelivered{});
  member.replica.reset_stats(member.now);
  client.send_create("/a");
  member.step(OutputDelivered{});
  member.now = member.now + milliseconds{3};
  member.sync();
  member.now = member.now + milliseconds{1};
  member.step(OutputDelivered{});
  EXPECT_EQ(member.replica.stats().update_latency.count(), 1U);
  EXPECT_EQ(member.replica.stats().update_latency.sum(), 4'000'000U);
  EXPECT_EQ(of(member, OpCode::kCreate).latency.sum(), milliseconds{4});
}

TEST(Stats, CountPacketsAndBytes) {
  Member member;
  Client client(member);
  client.open();
  const Stats& stats = member.replica.stats();
  EXPECT_EQ(stats.packets_received, 1U);
  EXPECT_EQ(stats.packets_sent, 1U);
  EXPECT_EQ(stats.bytes_received, 45U + 4);
  EXPECT_EQ(stats.response_bytes, 37U);
  EXPECT_EQ(stats.last_response_size, 37U);
  client.call(OpCode::kExists, jute::ReadRequest{"/a", true});
  EXPECT_EQ(stats.last_response_size, 16U);
  EXPECT_EQ(stats.least_response_size, 16U);
  EXPECT_EQ(stats.most_response_size, 37U);
  client.send_create("/a", "xyz");
  member.sync();
  EXPECT_EQ(stats.watch_bytes, 16U + 4 + 4 + 4 + 2);
  EXPECT_EQ(stats.packets_sent, 4U);
  EXPECT_EQ(stats.packets_received, 3U);
  EXPECT_EQ(stats.node_created_watches.count(), 1U);
  EXPECT_EQ(stats.namespaces.namespaces().at("a").writes.sum, 5U);
}

TEST(Stats, OfAConnection) {
  Member member;
  Client client(member);
  client.open();
  client.send_as(9, OpCode::kExists, jute::ReadRequest{"/none", false});
  client.send_as(-2, OpCode::kPing);
  member.now = member.now + milliseconds{7};
  member.step(OutputDelivered{});
  const ConnectionStats& stats = member.replica.connections().find(client.connection)->stats;
  EXPECT_EQ(stats.received, 3U);
  EXPECT_EQ(stats.sent, 3U);
  EXPECT_EQ(stats.last_cxid, 9);
  EXPECT_EQ(stats.last_op, OpCode::kPing);
  EXPECT_EQ(stats.last_zxid, Zxid{1});
  EXPECT_EQ(stats.last_latency, milliseconds{7});
  EXPECT_EQ(stats.most_latency, milliseconds{7});
  EXPECT_EQ(stats.latencies, 3U);
  EXPECT_EQ(stats.last_response.steady, member.now.steady);
  member.replica.reset_connection_stats();
  EXPECT_EQ(member.replica.connections().find(client.connection)->stats.received, 0U);
  EXPECT_EQ(member.replica.connections().find(client.connection)->stats.last_op, OpCode::kNotification);
}

// As Apache's `cons` shows it: NA for an error transaction, but the operation for a read that failed.
TEST(Stats, TheLastOperationOfAConnectionIsNoWriteThatFailed) {
  Member member;
  Client client(member);
  client.open();
  ASSERT_EQ(client.create("/a"), ErrorCode::kOk);
  const ConnectionStats& stats = member.replica.connections().find(client.connection)->stats;
  EXPECT_EQ(stats.last_op, OpCode::kCreate);
  ASSERT_EQ(client.create("/a"), ErrorCode::kNodeExists);
  EXPECT_EQ(stats.last_op, OpCode::kNotification);
  client.send_as(9, OpCode::kExists, jute::ReadRequest{"/none", false});
  EXPECT_EQ(stats.last_op, OpCode::kExists);
}

TEST(Stats, CountConnectionsAndTheirEnds) {
  Member member;
  Client a(member);
  Client b(member);
  Client c(member);
  a.open();
  member.step(ClientGone{a.connection});
  member.frame(b.connection, Bytes(3));
  member.step(ClientGone{b.connection});
  const Stats& stats = member.replica.stats();
  EXPECT_EQ(stats.connections_opened, 3U);
  EXPECT_EQ(stats.connections_gone, 1U);
  EXPECT_EQ(stats.closes[static_cast<std::size_t>(CloseReason::kMalformed)], 1U);
  EXPECT_EQ(stats.connect_requests, 1U);
  EXPECT_EQ(stats.sessions_opened, 1U);
  EXPECT_EQ(member.replica.connections().size(), 1U);
}

TEST(Stats, AResetKeepsGauges) {
  Member member;
  Client client(member);
  client.open();
  client.create("/a");
  member.now = member.now + milliseconds{1};
  member.replica.reset_stats(member.now);
  EXPECT_EQ(member.replica.stats().packets_received, 0U);
  EXPECT_EQ(member.replica.stats().since.steady, member.now.steady);
  EXPECT_EQ(member.replica.sessions().size(), 1U);
  EXPECT_EQ(member.replica.last_applied(), Zxid{2});
}

}  // namespace
}  // namespace wk::replica
