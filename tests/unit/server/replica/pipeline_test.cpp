#include "server/replica/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jute/txn_records.h"
#include "tests/unit/server/replica/member.h"

namespace wk::replica {
namespace {

using jute::CreateMode;
using jute::ErrorCode;
using jute::OpCode;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

TEST(Pipeline, LogsWhatApacheWouldLog) {
  Member member;
  Client client(member);
  client.open(10'000);
  client.create("/a", "hello");
  const jute::Txn session = jute::decode_txn(member.log.at(Zxid{1})).value();
  EXPECT_EQ(session.header,
            (jute::TxnHeader{client.session, 0, Zxid{1}, 1'700'000'000'000, OpCode::kCreateSession}));
  EXPECT_EQ(std::get<jute::CreateSessionTxn>(session.body).timeout_ms, 10'000);
  ASSERT_TRUE(session.digest.has_value());
  EXPECT_EQ(session.digest->tree_digest, 0x51C6D660U);
  const jute::Txn create = jute::decode_txn(member.log.at(Zxid{2})).value();
  EXPECT_EQ(create.header, (jute::TxnHeader{client.session, 1, Zxid{2}, 1'700'000'000'000, OpCode::kCreate}));
  EXPECT_EQ(create.digest->tree_digest, member.replica.tree().digest());
  EXPECT_EQ(member.replica.digests().last(), (tree::ZxidDigest{Zxid{2}, member.replica.tree().digest()}));
}

TEST(Pipeline, IgnoresSyncsThatTellNothingNew) {
  Member member;
  Client client(member);
  client.open();
  client.send_create("/a");
  member.step(LogSynced{Zxid{1}});
  member.step(LogSynced{Zxid{0}});
  EXPECT_FALSE(client.next().has_value());
  member.sync();
  member.sync();
  EXPECT_TRUE(client.next().has_value());
  EXPECT_FALSE(client.next().has_value());
}

TEST(Pipeline, MeasuresTheWayThroughTheLog) {
  Member member;
  Client client(member);
  client.open();
  client.send_create("/a");
  member.now = member.now + milliseconds{5};
  client.send_create("/b");
  member.now = member.now + milliseconds{5};
  member.sync();
  const Stats& stats = member.replica.stats();
  EXPECT_EQ(stats.log_latency.count(), 3U);
  EXPECT_EQ(stats.log_latency.most(), 10'000'000U);
  EXPECT_EQ(stats.log_latency.sum(), 15'000'000U);
  EXPECT_EQ(stats.propagation_latency.sum(), 15'000'000U);
  EXPECT_EQ(stats.log_batch.sum(), 3U);
  EXPECT_EQ(stats.transactions_logged, 3U);
  EXPECT_EQ(stats.transactions_applied, 3U);
  EXPECT_EQ(stats.digest_mismatches, 0U);
}

TEST(Pipeline, AMultiIsOneTransaction) {
  Member member;
  Client client(member);
  client.open();
  jute::MultiRequest multi;
  multi.operations.push_back({OpCode::kCreate, Client::create_request("/m", "x")});
  multi.operations.push_back({OpCode::kSetData, jute::SetDataRequest{"/m", "yy", 0}});
  const Reply reply = client.call(OpCode::kMulti, multi);
  EXPECT_EQ(reply.header.error, ErrorCode::kOk);
  EXPECT_EQ(reply.header.zxid, Zxid{2});
  const auto results = reply.as<jute::MultiResponse>().results;
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].path, "/m");
  EXPECT_EQ(results[1].stat.version, 1);
  EXPECT_EQ(member.replica.stats().namespaces.namespaces().at("m").writes.count, 2U);
  EXPECT_EQ(member.replica.stats().namespaces.namespaces().at("m").writes.sum, 7U);
}

TEST(Pipeline, AFailedMultiCountsAsAnErrorTransaction) {
  Member member;
  Client client(member);
  client.open();
  jute::MultiRequest multi;
  multi.operations.push_back({OpCode::kCreate, Client::create_request("/m", "x")});
  multi.operations.push_back({OpCode::kDelete, jute::DeleteRequest{"/none", -1}});
  const Reply reply = client.call(OpCode::kMulti, multi);
  EXPECT_EQ(reply.header.error, ErrorCode::kOk);
  const auto results = reply.as<jute::MultiResponse>().results;
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].error, ErrorCode::kOk);
  EXPECT_EQ(results[1].error, ErrorCode::kNoNode);
  EXPECT_EQ(member.replica.stats().error_transactions, 1U);
  EXPECT_TRUE(member.replica.stats().namespaces.namespaces().empty());
}

// --------------------------------------------------------------------------------------------------------
// snapshots

TEST(Pipeline, AsksForASnapshotAtTheStartWhenMemoryIsAheadOfTheDisk) {
  Member empty;
  EXPECT_EQ(empty.snapshot_asked.value().zxid, Zxid{0});
  const Settings settings = test_settings();
  Member same(settings, Recovery(settings).take(), Zxid{0});
  EXPECT_FALSE(same.snapshot_asked.has_value());
}

TEST(Pipeline, AsksForASnapshotWhenEnoughWasLoggedAndNotTwiceAtOnce) {
  Settings settings = test_settings();
  settings.snap_count = 10;
  Member member(settings);
  member.auto_sync = true;
  member.snapshot_asked.reset();
  Client client(member);
  client.open();
  int written = 1;
  while (!member.snapshot_asked) {
    ASSERT_LE(++written, 10);
    ASSERT_EQ(client.create("/n" + std::to_string(written)), ErrorCode::kOk);
  }
  EXPECT_GE(written, 6);
  EXPECT_EQ(member.snapshot_asked->zxid, member.replica.last_applied());
  member.snapshot_asked.reset();
  for (int i = 0; i < 30; ++i) client.create("/m" + std::to_string(i));
  EXPECT_FALSE(member.snapshot_asked.has_value());
  EXPECT_TRUE(member.replica.pipeline().snapshot_running());
  member.step(SnapshotFinished{false});
  EXPECT_EQ(member.snapshot_asked.value().zxid, member.replica.last_applied());
  EXPECT_EQ(member.replica.stats().snapshots_failed, 1U);
  EXPECT_EQ(member.replica.stats().snapshots_started, 3U);
}

// -------------------------------------------------------------------------------------------------------
// disk full

TEST(Pipeline, WithoutRoomWritesAreRefusedAndReadsGoOn) {
  Member member;
  Client client(member);
  client.open();
  EXPECT_EQ(client.create("/a", "1"), ErrorCode::kOk);
  client.send_create("/b");
  client.send(OpCode::kExists, jute::ReadRequest{"/b", false});
  client.send_create("/c");
  member.exhaust(Zxid{2});
  const Reply refused = client.next().value();
  EXPECT_EQ(refused.header, (jute::ReplyHeader{2, Zxid{2}, ErrorCode::kNotReadOnly}));
  EXPECT_EQ(client.next().value().header.error, ErrorCode::kNoNode);
  EXPECT_EQ(client.next().value().header.error, ErrorCode::kNotReadOnly);
  EXPECT_EQ(client.create("/d"), ErrorCode::kNotReadOnly);
  EXPECT_EQ(client.call(OpCode::kGetData, jute::ReadRequest{"/a", false}).as<jute::GetDataResponse>().data,
            "1");
  EXPECT_EQ(member.replica.stats().transactions_abandoned, 2U);
  EXPECT_EQ(member.replica.stats().writes_refused_no_space, 3U);
  EXPECT_EQ(member.replica.outstanding_requests(), 0U);
  EXPECT_FALSE(member.replica.pipeline().accepts_writes());
}

TEST(Pipeline, WhenThereIsRoomAgainWritesGoOnWithTheFreedZxids) {
  Member member;
  Client client(member);
  client.open();
  client.send_create("/b");
  member.exhaust(Zxid{1});
  EXPECT_EQ(client.next().value().header.error, ErrorCode::kNotReadOnly);
  member.step(LogSpaceBack{});
  const Reply reply = client.call(OpCode::kCreate, Client::create_request("/b", "again"));
  EXPECT_EQ(reply.header.error, ErrorCode::kOk);
  EXPECT_EQ(reply.header.zxid, Zxid{2});
  EXPECT_EQ(member.replica.stats().digest_mismatches, 0U);
}

TEST(Pipeline, WhatReachedTheDiskBeforeItWasFullIsAnswered) {
  Member member;
  Client client(member);
  client.open();
  client.send_create("/a");
  client.send_create("/b");
  member.exhaust(Zxid{2});
  EXPECT_EQ(client.next().value().header.error, ErrorCode::kOk);
  EXPECT_EQ(client.next().value().header.error, ErrorCode::kNotReadOnly);
}

TEST(Pipeline, WithoutRoomSessionsAreNeitherOpenedNorClosedNorExpired) {
  Member member;
  Client opening(member);
  Client closing(member);
  closing.open(4'000);
  opening.hello();
  closing.send(OpCode::kCloseSession);
  member.exhaust(Zxid{1});
  EXPECT_EQ(member.closed(opening.connection), CloseReason::kNoLogSpace);
  EXPECT_EQ(closing.next().value().header.error, ErrorCode::kNotReadOnly);
  EXPECT_EQ(member.closed(closing.connection), CloseReason::kNoLogSpace);
  EXPECT_EQ(member.replica.sessions().size(), 1U);
  EXPECT_EQ(member.replica.sessions().state(closing.session), session::SessionState::kOpen);

  Client late(member);
  late.hello();
  EXPECT_EQ(member.closed(late.connection), CloseReason::kNoLogSpace);
  member.advance(seconds{60});
  EXPECT_EQ(member.replica.stats().sessions_expired, 0U);
  Client back(member);
  back.resume(closing.session);
  EXPECT_EQ(back.welcome().value().session_id, closing.session);
  const std::int32_t xid = back.send(OpCode::kCloseSession);
  EXPECT_EQ(back.next().value().header, (jute::ReplyHeader{xid, Zxid{1}, ErrorCode::kNotReadOnly}));
  EXPECT_EQ(member.closed(back.connection), CloseReason::kNoLogSpace);

  member.step(LogSpaceBack{});
  member.advance(seconds{60});
  member.sync();
  EXPECT_EQ(member.replica.sessions().size(), 0U);
}

TEST(Pipeline, WhatAResumedSessionAsksIsAnsweredOnceItsWritesAreGivenUp) {
  Member member;
  Client first(member);
  first.open();
  first.send_create("/a");
  member.step(ClientGone{first.connection});
  Client second(member);
  second.resume(first.session);
  EXPECT_EQ(second.welcome().value().session_id, first.session);
  second.send(OpCode::kExists, jute::ReadRequest{"/a", false});
  EXPECT_FALSE(second.next().has_value());
  member.exhaust(Zxid{1});
  EXPECT_EQ(second.next().value().header.error, ErrorCode::kNoNode);
}

}  // namespace
}  // namespace wk::replica
