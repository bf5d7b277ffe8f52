#include "server/replica/recovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jute/txn_records.h"
#include "tests/unit/server/replica/member.h"

namespace wk::replica {
namespace {

using jute::CreateMode;
using jute::ErrorCode;
using jute::OpCode;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::Pair;

/// What a snapshot keeps of a member, in memory.
class Snapshot final : public tree::SnapshotSink {
 public:
  struct Node {
    std::string path;
    std::optional<std::string> data;
    std::int64_t acl_number = 0;
    tree::StatPersisted stat;
  };

  struct List {
    std::int64_t number = 0;
    Bytes encoded;
    std::size_t count = 0;
  };

  void on_node(const tree::SnapshotNode& node) override {
    nodes.push_back({std::string(node.path),
                     node.data ? std::optional(std::string(*node.data)) : std::nullopt, node.acl_number,
                     node.stat});
  }

  void take(Member& member) {
    zxid = member.replica.last_applied();
    digest = member.replica.digests().last();
    member.replica.sessions().for_each_committed(
        [&](SessionId id, std::int32_t timeout_ms) { sessions.emplace_back(id, timeout_ms); });
    member.replica.tree().acls().for_each([&](std::int64_t number, const jute::AclListView& acl) {
      acls.push_back({number, Bytes(acl.encoded().begin(), acl.encoded().end()), acl.size()});
    });
    member.replica.begin_snapshot(*this);
  }

  void restore(Recovery& recovery) const {
    recovery.tree().begin_restore();
    for (const List& list : acls)
      recovery.tree().restore_acl(list.number, jute::AclListView(list.encoded, list.count));
    for (const Node& node : nodes) {
      const tree::SnapshotNode restored{
          node.path, node.data ? std::optional<std::string_view>(*node.data) : std::nullopt, node.acl_number,
          node.stat};
      ASSERT_TRUE(recovery.tree().restore_node(restored).has_value()) << node.path;
    }
    ASSERT_TRUE(recovery.tree().finish_restore().has_value());
    for (const auto& [id, timeout_ms] : sessions) recovery.restore_session(id, timeout_ms);
    recovery.snapshot_loaded(zxid, digest);
  }

  Zxid zxid{};
  std::optional<tree::ZxidDigest> digest{};
  std::vector<std::pair<SessionId, std::int32_t>> sessions;
  std::vector<List> acls;
  std::vector<Node> nodes;
};

void replay(Recovery& recovery, const std::map<Zxid, Bytes>& log) {
  for (const auto& [zxid, payload] : log) {
    const auto replayed = recovery.replay(payload);
    ASSERT_TRUE(replayed.has_value()) << zxid.to_string() << ": " << replayed.error().message;
  }
}

struct RecoveryTest : testing::Test {
  void fill() {
    client.emplace(member).open(20'000);
    client->create("/a", "1");
    client->create("/a/e", "", CreateMode::kEphemeral);
    client->outcome(OpCode::kSetData, jute::SetDataRequest{"/a", "2", 0});
    client->outcome(OpCode::kDelete, jute::DeleteRequest{"/none", -1});
    Client closed(member);
    closed.open(5'000);
    closed.create("/gone", "", CreateMode::kEphemeral);
    closed.outcome(OpCode::kCloseSession);
  }

  Settings settings = test_settings();
  Member member{settings};
  std::optional<Client> client;
};

TEST_F(RecoveryTest, TheLogAloneBringsEverythingBack) {
  fill();
  Recovery recovery(settings);
  replay(recovery, member.log);
  EXPECT_EQ(recovery.report().transactions_replayed, member.log.size());
  EXPECT_EQ(recovery.report().snapshot, std::nullopt);
  EXPECT_EQ(recovery.report().digest_mismatches, 0U);
  EXPECT_EQ(recovery.report().out_of_order, 0U);
  const std::optional<Zxid> snapshot = recovery.report().snapshot;

  Member again(settings, recovery.take(), snapshot);
  EXPECT_EQ(again.snapshot_asked.value().zxid, member.replica.last_applied());
  EXPECT_EQ(again.replica.last_applied(), member.replica.last_applied());
  EXPECT_EQ(again.replica.tree().digest(), member.replica.tree().digest());
  EXPECT_EQ(again.orphans, 0U);
  Client back(again);
  back.resume(client->session);
  EXPECT_EQ(back.welcome().value().session_id, client->session);
  const auto data = back.call(OpCode::kGetData, jute::ReadRequest{"/a", false}).as<jute::GetDataResponse>();
  EXPECT_EQ(data.data, "2");
  EXPECT_EQ(data.stat, member.replica.tree().find("/a").stat());
  EXPECT_EQ(back.outcome(OpCode::kExists, jute::ReadRequest{"/a/e", false}), ErrorCode::kOk);
  const Reply next = back.call(OpCode::kCreate, Client::create_request("/b", ""));
  EXPECT_EQ(next.header.zxid, Zxid{member.replica.last_applied().value + 1});
}

TEST_F(RecoveryTest, EverySessionStartsWithItsFullTimeout) {
  fill();
  Recovery recovery(settings);
  replay(recovery, member.log);
  Member again(settings, recovery.take(), std::nullopt);
  again.now = again.now + seconds{0};
  again.advance(seconds{19});
  EXPECT_EQ(again.replica.sessions().state(client->session), session::SessionState::kOpen);
  again.advance(seconds{4});
  again.sync();
  EXPECT_EQ(again.replica.sessions().state(client->session), session::SessionState::kUnknown);
  EXPECT_FALSE(again.replica.tree().find("/a/e"));
}

TEST_F(RecoveryTest, ASnapshotAndTheLogBehindItBringEverythingBack) {
  fill();
  Snapshot snapshot;
  snapshot.take(member);
  client->create("/later", "x");
  while (!member.replica.step_snapshot(1)) client->create("/s", "", CreateMode::kPersistentSequential);
  client->create("/last");

  Recovery recovery(settings);
  snapshot.restore(recovery);
  EXPECT_EQ(recovery.report().snapshot, snapshot.zxid);
  replay(recovery, member.log);
  EXPECT_EQ(recovery.report().transactions_replayed, member.log.size() - snapshot.zxid.value);
  EXPECT_EQ(recovery.report().digest_mismatches, 0U);
  EXPECT_EQ(recovery.report().last, member.last_logged());
  const auto database = recovery.take();
  EXPECT_FALSE(recovery.report().snapshot_digest_unreached);
  EXPECT_EQ(database->tree.digest(), member.replica.tree().digest());
  EXPECT_EQ(database->tree.node_count(), member.replica.tree().node_count());
  EXPECT_EQ(database->sessions.committed_timeout_ms(client->session), 20'000);
}

TEST_F(RecoveryTest, ABrokenSnapshotLeavesNothingBehind) {
  fill();
  Recovery recovery(settings);
  recovery.restore_session(SessionId{0xbad}, 1'000);
  recovery.restart();
  recovery.tree().begin_restore();
  ASSERT_TRUE(recovery.tree().finish_restore().has_value());
  replay(recovery, member.log);
  const auto database = recovery.take();
  EXPECT_FALSE(database->sessions.contains(SessionId{0xbad}));
  EXPECT_EQ(database->sessions.committed_count(), 1U);
}

TEST_F(RecoveryTest, AWrongDigestOfTheSnapshotIsReported) {
  fill();
  Snapshot snapshot;
  snapshot.take(member);
  while (!member.replica.step_snapshot(1'000'000)) {
  }
  snapshot.digest->digest ^= 1;
  Recovery recovery(settings);
  snapshot.restore(recovery);
  EXPECT_EQ(recovery.report().digest_mismatches, 1U);
  EXPECT_EQ(recovery.report().first_digest_mismatch, snapshot.zxid);
}

TEST_F(RecoveryTest, DigestsAreNotComparedBeforeTheSnapshotsOwn) {
  fill();
  Snapshot snapshot;
  snapshot.take(member);
  while (!member.replica.step_snapshot(1'000'000)) {
  }
  client->create("/x");
  client->create("/y");
  // As a fuzzy snapshot of Apache's has it: written over time, so the tree differs until replay has caught
  // up.
  snapshot.nodes.back().stat.mtime_ms += 1;
  snapshot.digest = tree::ZxidDigest{Zxid{snapshot.zxid.value + 100}, 1};
  Recovery recovery(settings);
  snapshot.restore(recovery);
  replay(recovery, member.log);
  EXPECT_EQ(recovery.report().digest_mismatches, 0U);
  const auto database = recovery.take();
  EXPECT_TRUE(recovery.report().snapshot_digest_unreached);
}

TEST_F(RecoveryTest, ADifferenceInTheLogIsReportedWithItsPlace) {
  fill();
  std::map<Zxid, Bytes> log = member.log;
  log.at(Zxid{3}).back() ^= std::byte{1};
  Recovery recovery(settings);
  replay(recovery, log);
  EXPECT_EQ(recovery.report().digest_mismatches, 1U);
  EXPECT_EQ(recovery.report().first_digest_mismatch, Zxid{3});
}

TEST_F(RecoveryTest, EphemeralsWithoutASessionAreRemovedAtTheStart) {
  fill();
  std::map<Zxid, Bytes> log = member.log;
  log.erase(Zxid{1});  // the createSession of the client that owns /a/e
  Recovery recovery(settings);
  replay(recovery, log);
  Member again(settings, recovery.take(), std::nullopt);
  EXPECT_EQ(again.orphans, 1U);
  EXPECT_FALSE(again.replica.tree().find("/a/e"));
  EXPECT_TRUE(again.replica.tree().find("/a"));
}

// Replayed on the old snapshot, a create in an orphan's place would find the orphan, and be removed with it.
TEST_F(RecoveryTest, OrphansAskForASnapshotThoughNothingFollowsTheNewest) {
  fill();
  for (const bool orphans : {false, true}) {
    std::map<Zxid, Bytes> log = member.log;
    if (orphans) log.erase(Zxid{1});
    Recovery recovery(settings);
    replay(recovery, log);
    const Member again(settings, recovery.take(), member.last_logged());
    EXPECT_EQ(again.orphans, orphans ? 1U : 0U);
    EXPECT_EQ(again.snapshot_asked.has_value(), orphans);
  }
}

TEST_F(RecoveryTest, WhatCannotBeDecodedIsAnError) {
  fill();
  for (const auto& [zxid, payload] : member.log) {
    Recovery recovery(settings);
    for (const std::size_t size : {std::size_t{0}, std::size_t{31}, std::size_t{33}}) {
      const Bytes cut(payload.begin(),
                      payload.begin() + static_cast<std::ptrdiff_t>(std::min(size, payload.size())));
      EXPECT_FALSE(recovery.replay(cut).has_value()) << zxid.to_string() << " cut to " << size;
    }
  }
}

TEST_F(RecoveryTest, ZxidsThatGoBackAreCountedAndTheHighestWins) {
  fill();
  Recovery recovery(settings);
  ASSERT_TRUE(recovery.replay(member.log.at(Zxid{1})).has_value());
  ASSERT_TRUE(recovery.replay(member.log.at(Zxid{2})).has_value());
  ASSERT_TRUE(recovery.replay(member.log.at(Zxid{1})).has_value());
  EXPECT_EQ(recovery.report().out_of_order, 1U);
  EXPECT_EQ(recovery.report().last, Zxid{2});
}

}  // namespace
}  // namespace wk::replica
