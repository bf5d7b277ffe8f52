// The small parts of a replica, each alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "server/replica/acknowledgements.h"
#include "server/replica/connection.h"
#include "server/replica/connections.h"
#include "server/replica/distribution.h"
#include "server/replica/in_flight.h"
#include "server/replica/io.h"
#include "server/replica/namespace_traffic.h"
#include "server/replica/snapshot_trigger.h"

namespace wk::replica {
namespace {

using testing::ElementsAre;

std::vector<std::byte> bytes_of(std::size_t size, int fill) {
  return std::vector<std::byte>(size, static_cast<std::byte>(fill));
}

// ----------------------------------------------------------------------------------------------------
// Distribution

TEST(Distribution, CountsExactly) {
  Distribution distribution;
  EXPECT_EQ(distribution.least(), 0U);
  EXPECT_EQ(distribution.quantile(0.99), 0U);
  EXPECT_EQ(distribution.mean(), 0.0);
  distribution.record(7);
  distribution.record(1'000'003, 2);
  distribution.record(5, 0);
  EXPECT_EQ(distribution.count(), 3U);
  EXPECT_EQ(distribution.sum(), 2'000'013U);
  EXPECT_EQ(distribution.least(), 7U);
  EXPECT_EQ(distribution.most(), 1'000'003U);
  EXPECT_DOUBLE_EQ(distribution.mean(), 2'000'013.0 / 3);
}

TEST(Distribution, QuantilesAreOffByASixteenthAtMost) {
  Distribution distribution;
  for (std::uint64_t value = 1; value <= 100'000; ++value) distribution.record(value);
  for (const double q : {0.5, 0.95, 0.99, 0.999}) {
    const auto exact = q * 100'000;
    EXPECT_GE(static_cast<double>(distribution.quantile(q)), exact) << q;
    EXPECT_LE(static_cast<double>(distribution.quantile(q)), exact * 17 / 16) << q;
  }
  EXPECT_EQ(distribution.quantile(1.0), 100'000U);
  EXPECT_EQ(distribution.quantile(0.0), 1U);
}

TEST(Distribution, SmallValuesAreExact) {
  Distribution distribution;
  for (std::uint64_t value = 0; value < 16; ++value) distribution.record(value);
  EXPECT_EQ(distribution.quantile(0.5), 7U);
  EXPECT_EQ(distribution.quantile(0.0), 0U);
}

TEST(Distribution, HugeAndNegativeValuesFit) {
  Distribution distribution;
  distribution.record(std::chrono::nanoseconds{-5});
  distribution.record(std::chrono::hours{100'000});
  EXPECT_EQ(distribution.least(), 0U);
  EXPECT_EQ(distribution.most(), 360'000'000'000'000'000U);
  EXPECT_EQ(distribution.quantile(0.1), 0U);
  EXPECT_LE(distribution.quantile(1.0), distribution.most());
}

// -----------------------------------------------------------------------------------------------
// NamespaceTraffic

TEST(NamespaceTraffic, IsTheFirstComponent) {
  EXPECT_EQ(NamespaceTraffic::namespace_of("/a/b/c"), "a");
  EXPECT_EQ(NamespaceTraffic::namespace_of("/a"), "a");
  EXPECT_EQ(NamespaceTraffic::namespace_of("/"), "");
  EXPECT_EQ(NamespaceTraffic::namespace_of(""), "");
  EXPECT_EQ(NamespaceTraffic::namespace_of("a/b"), "");
}

TEST(NamespaceTraffic, SumsReadsAndWritesApart) {
  NamespaceTraffic traffic;
  traffic.record_read("/a/x", 10);
  traffic.record_read("/a/y", 30);
  traffic.record_write("/a", 5);
  traffic.record_read("/", 99);
  ASSERT_EQ(traffic.namespaces().size(), 1U);
  const NamespaceTraffic::Traffic& a = traffic.namespaces().at("a");
  EXPECT_EQ(a.reads.count, 2U);
  EXPECT_EQ(a.reads.sum, 40U);
  EXPECT_EQ(a.reads.least, 10U);
  EXPECT_EQ(a.reads.most, 30U);
  EXPECT_EQ(a.writes.sum, 5U);
}

TEST(NamespaceTraffic, IsBoundedInNumberAndLength) {
  NamespaceTraffic traffic;
  traffic.record_write("/" + std::string(NamespaceTraffic::kMaxNameBytes + 1, 'x'), 1);
  EXPECT_TRUE(traffic.namespaces().empty());
  for (int i = 0; i < 1'000; ++i) traffic.record_write("/n" + std::to_string(i), 1);
  EXPECT_EQ(traffic.namespaces().size(), NamespaceTraffic::kMaxNamespaces);
  EXPECT_EQ(traffic.remainder().writes.count, 1'000U - NamespaceTraffic::kMaxNamespaces + 1);
  traffic.record_write("/n0", 1);
  EXPECT_EQ(traffic.namespaces().at("n0").writes.count, 2U);
}

// -------------------------------------------------------------------------------------------------
// PendingQueue

TEST(PendingQueue, IsFirstInFirstOut) {
  PendingQueue queue;
  std::int32_t in = 0;
  std::int32_t out = 0;
  // Grows, shrinks and drains over and over.
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < round; ++i) {
      Pending pending;
      pending.xid = in++;
      queue.push(std::move(pending));
    }
    for (int i = 0; i < round - 1; ++i) {
      ASSERT_EQ(queue.front().xid, out);
      ASSERT_EQ(queue.pop().xid, out++);
    }
    ASSERT_EQ(queue.size(), static_cast<std::size_t>(in - out));
  }
  while (!queue.empty()) ASSERT_EQ(queue.pop().xid, out++);
  EXPECT_EQ(in, out);
}

TEST(PendingQueue, AddsTheExpectedRepliesUp) {
  PendingQueue queue;
  for (const std::size_t bytes : {100U, 0U, 20U}) {
    Pending pending;
    pending.reply_bytes = bytes;
    queue.push(std::move(pending));
  }
  EXPECT_EQ(queue.reply_bytes(), 120U);
  queue.pop();
  EXPECT_EQ(queue.reply_bytes(), 20U);
  queue.pop();
  queue.pop();
  EXPECT_EQ(queue.reply_bytes(), 0U);
}

// -------------------------------------------------------------------------------------------------
// InFlightQueue

TEST(Connections, CountThemselvesByStage) {
  using Stage = Connection::Stage;
  Connections connections;
  Connection& one = connections.add(ConnectionId{1}, "10.0.0.1", Moment{});
  Connection& two = connections.add(ConnectionId{2}, "10.0.0.2", Moment{});
  connections.set_stage(one, Stage::kOpening);
  connections.set_stage(two, Stage::kOpening);
  connections.set_stage(two, Stage::kOpen);
  EXPECT_EQ(connections.count(Stage::kFresh), 0U);
  EXPECT_EQ(connections.count(Stage::kOpening), 1U);
  EXPECT_EQ(connections.count(Stage::kOpen), 1U);
  connections.set_paused(two, true);
  connections.set_paused(two, true);
  EXPECT_EQ(connections.paused_count(), 1U);
  connections.remove(ConnectionId{2});
  EXPECT_EQ(connections.count(Stage::kOpen), 0U);
  EXPECT_EQ(connections.paused_count(), 0U);
  ASSERT_EQ(connections.size(), 1U);
  EXPECT_EQ(connections.at(0).id, ConnectionId{1});
  for (const Stage stage : {Stage::kFresh, Stage::kOpening, Stage::kOpen, Stage::kFinishing})
    EXPECT_NE(name(stage), std::string_view("unknown"));
}

TEST(InFlightQueue, KeepsPayloadsUntilTheyArePopped) {
  InFlightQueue queue;
  std::uint64_t next = 1;
  std::uint64_t first = 1;
  const auto size_of = [](std::uint64_t zxid) { return static_cast<std::size_t>(zxid * 7919 % 40'000); };
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 9; ++i, ++next)
      queue.push({Zxid{next}, {}, {}, {}, {}}, bytes_of(size_of(next), static_cast<int>(next % 251)));
    for (int i = 0; i < 8; ++i, ++first) {
      ASSERT_EQ(queue.front().zxid, Zxid{first});
      ASSERT_EQ(std::vector<std::byte>(queue.front().payload.begin(), queue.front().payload.end()),
                bytes_of(size_of(first), static_cast<int>(first % 251)));
      queue.pop_front();
    }
  }
  EXPECT_EQ(queue.size(), 30U);
  while (!queue.empty()) queue.pop_front();
  EXPECT_EQ(queue.bytes(), 0U);
}

TEST(InFlightQueue, TakesPayloadsLargerThanAChunk) {
  InFlightQueue queue;
  queue.push({Zxid{1}, {}, {}, {}, {}}, bytes_of(1'000'000, 1));
  queue.push({Zxid{2}, {}, {}, {}, {}}, bytes_of(10, 2));
  EXPECT_EQ(queue.bytes(), 1'000'010U);
  queue.pop_front();
  EXPECT_EQ(queue.front().payload[9], std::byte{2});
  queue.pop_front();
  queue.push({Zxid{3}, {}, {}, {}, {}}, bytes_of(10, 3));
  EXPECT_EQ(queue.front().payload[0], std::byte{3});
}

TEST(InFlightQueue, MemoryStaysBoundedBehindAPayloadLargerThanAChunk) {
  InFlightQueue queue;
  std::uint64_t zxid = 0;
  const auto pass = [&](std::size_t bytes) {
    queue.push({Zxid{++zxid}, {}, {}, {}, {}}, bytes_of(bytes, 1));
    queue.pop_front();
  };
  pass(10);
  pass(100'000);
  for (int i = 0; i < 10'000; ++i) pass(1'000);
  EXPECT_LE(queue.allocated_bytes(), 17U * (64U << 10));
}

TEST(InFlightQueue, KnowsItsLongestPayload) {
  InFlightQueue queue;
  EXPECT_EQ(queue.longest(), 0U);
  std::uint64_t zxid = 0;
  std::vector<std::size_t> sizes;
  for (const std::size_t size : {5U, 9U, 9U, 2U, 7U, 7U, 1U, 0U}) {
    queue.push({Zxid{++zxid}, {}, {}, {}, {}}, bytes_of(size, 1));
    sizes.push_back(size);
  }
  while (!queue.empty()) {
    EXPECT_EQ(queue.longest(), *std::ranges::max_element(sizes)) << queue.front().zxid.value;
    queue.pop_front();
    sizes.erase(sizes.begin());
  }
  EXPECT_EQ(queue.longest(), 0U);
  queue.push({Zxid{++zxid}, {}, {}, {}, {}}, bytes_of(3, 1));
  queue.clear();
  EXPECT_EQ(queue.longest(), 0U);
  queue.push({Zxid{++zxid}, {}, {}, {}, {}}, bytes_of(2, 1));
  EXPECT_EQ(queue.longest(), 2U);
}

TEST(InFlightQueue, FindsTheLastOfASession) {
  InFlightQueue queue;
  queue.push({Zxid{1}, ConnectionId{1}, SessionId{7}, {}, {}}, {});
  queue.push({Zxid{2}, ConnectionId{1}, SessionId{8}, {}, {}}, {});
  queue.push({Zxid{3}, ConnectionId{1}, SessionId{7}, {}, {}}, {});
  EXPECT_EQ(queue.last_of(SessionId{7})->zxid, Zxid{3});
  EXPECT_EQ(queue.last_of(SessionId{8})->zxid, Zxid{2});
  EXPECT_EQ(queue.last_of(SessionId{9}), nullptr);
}

// -----------------------------------------------------------------------------------------------
// Acknowledgements

TEST(Acknowledgements, AloneOneDecides) {
  const std::vector<ServerId> voters{ServerId{1}};
  Acknowledgements acknowledgements(quorum::Verifier::majority(voters), Zxid{10});
  EXPECT_EQ(acknowledgements.committed(), Zxid{10});
  acknowledgements.record(ServerId{1}, Zxid{9});
  EXPECT_EQ(acknowledgements.committed(), Zxid{10});
  acknowledgements.record(ServerId{1}, Zxid{12});
  EXPECT_EQ(acknowledgements.committed(), Zxid{12});
}

TEST(Acknowledgements, AMajorityDecidesHoweverFarEachHasCome) {
  const std::vector<ServerId> voters{ServerId{1}, ServerId{2}, ServerId{3}};
  Acknowledgements acknowledgements(quorum::Verifier::majority(voters), Zxid{0});
  acknowledgements.record(ServerId{1}, Zxid{9});
  EXPECT_EQ(acknowledgements.committed(), Zxid{0});
  acknowledgements.record(ServerId{2}, Zxid{5});
  EXPECT_EQ(acknowledgements.committed(), Zxid{5});
  acknowledgements.record(ServerId{3}, Zxid{7});
  EXPECT_EQ(acknowledgements.committed(), Zxid{7});
  acknowledgements.record(ServerId{2}, Zxid{3});
  EXPECT_EQ(acknowledgements.committed(), Zxid{7});
  EXPECT_EQ(acknowledgements.acknowledged(ServerId{2}), Zxid{5});
  acknowledgements.record(ServerId{9}, Zxid{100});
  EXPECT_EQ(acknowledgements.committed(), Zxid{7});
  EXPECT_EQ(acknowledgements.acknowledged(ServerId{9}), Zxid{});
}

// ------------------------------------------------------------------------------------------------
// SnapshotTrigger

TEST(SnapshotTrigger, IsDueInTheUpperHalfOfTheCount) {
  std::vector<std::uint64_t> due_at;
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    SnapshotTrigger trigger(100, std::nullopt, seed);
    while (!trigger.due()) trigger.appended(1);
    due_at.push_back(trigger.transactions());
  }
  EXPECT_EQ(*std::min_element(due_at.begin(), due_at.end()), 51U);
  EXPECT_EQ(*std::max_element(due_at.begin(), due_at.end()), 100U);
}

TEST(SnapshotTrigger, IsDueByBytes) {
  SnapshotTrigger trigger(1'000'000, 1'000, 3);
  trigger.appended(500);
  EXPECT_FALSE(trigger.due());
  trigger.appended(500);
  EXPECT_TRUE(trigger.due());
  trigger.started();
  EXPECT_FALSE(trigger.due());
  EXPECT_EQ(trigger.bytes(), 0U);
}

TEST(SnapshotTrigger, AtTheLeastCountEverySecondTransactionIsEnough) {
  SnapshotTrigger trigger(2, std::nullopt, 1);
  trigger.appended(1);
  EXPECT_FALSE(trigger.due());
  trigger.appended(1);
  EXPECT_TRUE(trigger.due());
}

// ----------------------------------------------------------------------------------------------------------
// Output

TEST(Output, ClearKeepsMemoryButNotThatOfAHugeReply) {
  Output output;
  output.bytes.resize(1'000);
  output.log_bytes.resize(Output::kArenaKeep + 1);
  output.more_work = true;
  output.start_snapshot = SnapshotStart{Zxid{1}};
  output.clear();
  EXPECT_TRUE(output.bytes.empty());
  EXPECT_GE(output.bytes.capacity(), 1'000U);
  EXPECT_EQ(output.log_bytes.capacity(), 0U);
  EXPECT_FALSE(output.more_work);
  EXPECT_FALSE(output.start_snapshot.has_value());
}

TEST(CloseReason, EveryOneHasAName) {
  for (std::size_t reason = 0; reason < kCloseReasons; ++reason)
    EXPECT_STRNE(name(static_cast<CloseReason>(reason)), "unknown") << reason;
  EXPECT_STREQ(name(static_cast<CloseReason>(kCloseReasons)), "unknown");
}

}  // namespace
}  // namespace wk::replica
