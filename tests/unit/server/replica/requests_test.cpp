#include "server/replica/requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/replica/member.h"

namespace wk::replica {
namespace {

using jute::CreateMode;
using jute::ErrorCode;
using jute::EventType;
using jute::OpCode;
using std::chrono::seconds;
using testing::ElementsAre;

constexpr Zxid kMinusOne{~std::uint64_t{0}};

jute::WatcherEvent event(EventType type, const std::string& path) {
  return {type, jute::KeeperState::kSyncConnected, path};
}

TEST(Requests, AWriteIsAnsweredWhenItIsOnStableStorage) {
  Member member;
  Client client(member);
  client.open();
  const std::int32_t xid = client.send_create("/a", "x");
  EXPECT_FALSE(client.next().has_value());
  member.advance(seconds{1});
  EXPECT_FALSE(client.next().has_value());
  member.sync();
  const Reply reply = client.next().value();
  EXPECT_EQ(reply.header, (jute::ReplyHeader{xid, Zxid{2}, ErrorCode::kOk}));
  EXPECT_EQ(reply.as<jute::CreateResponse>().path, "/a");
}

TEST(Requests, OthersDoNotSeeAWriteBeforeItIsOnStableStorage) {
  Member member;
  Client writer(member);
  writer.open();
  Client reader(member);
  reader.open();
  writer.send_create("/a");
  reader.send(OpCode::kExists, jute::ReadRequest{"/a", false});
  const Reply before = reader.next().value();
  EXPECT_EQ(before.header.error, ErrorCode::kNoNode);
  EXPECT_EQ(before.header.zxid, Zxid{2});
  member.sync();
  EXPECT_EQ(reader.outcome(OpCode::kExists, jute::ReadRequest{"/a", false}), ErrorCode::kOk);
}

TEST(Requests, AReadWaitsForEarlierWritesOfItsOwnConnectionOnly) {
  Member member;
  Client writer(member);
  writer.open();
  Client other(member);
  other.open();
  writer.send_create("/a", "1");
  writer.send(OpCode::kGetData, jute::ReadRequest{"/a", false});
  other.send(OpCode::kGetData, jute::ReadRequest{"/zookeeper", false});
  EXPECT_EQ(other.next().value().header.error, ErrorCode::kOk);
  EXPECT_FALSE(writer.next().has_value());
  member.sync();
  EXPECT_EQ(writer.next().value().as<jute::CreateResponse>().path, "/a");
  EXPECT_EQ(writer.next().value().as<jute::GetDataResponse>().data, "1");
  EXPECT_EQ(member.replica.stats().reads_behind_writes, 1U);
}

TEST(Requests, PipelinedReadsAndWritesOfOneSessionKeepTheirOrder) {
  Member member;
  Client client(member);
  client.open();
  EXPECT_EQ(client.create("/a", "0"), ErrorCode::kOk);
  const auto get = [&] { return client.send(OpCode::kGetData, jute::ReadRequest{"/a", false}); };
  const auto set = [&](const std::string& data) {
    return client.send(OpCode::kSetData, jute::SetDataRequest{"/a", data, -1});
  };
  const std::vector<std::int32_t> xids{get(), set("1"), get(), set("2"), set("3"), get()};
  member.sync();
  std::vector<std::int32_t> answered;
  std::vector<std::string> seen;
  Zxid last{};
  while (const std::optional<Reply> reply = client.next()) {
    answered.push_back(reply->header.xid);
    EXPECT_GE(reply->header.zxid, last);
    last = reply->header.zxid;
    if (answered.size() == 1 || answered.size() == 3 || answered.size() == 6)
      seen.push_back(reply->as<jute::GetDataResponse>().data.value());
  }
  EXPECT_EQ(answered, xids);
  EXPECT_THAT(seen, ElementsAre("0", "1", "3"));
}

TEST(Requests, WritesOfManyConnectionsShareASync) {
  Member member;
  std::deque<Client> clients;
  for (int i = 0; i < 5; ++i) clients.emplace_back(member).open();
  for (std::size_t i = 0; i < clients.size(); ++i) clients[i].send_create("/n" + std::to_string(i));
  member.step(LogSynced{Zxid{8}});  // sessions took 1 … 5
  for (std::size_t i = 0; i < clients.size(); ++i) EXPECT_EQ(clients[i].next().has_value(), i < 3) << i;
  member.sync();
  EXPECT_TRUE(clients[3].next().has_value());
  EXPECT_TRUE(clients[4].next().has_value());
  EXPECT_EQ(member.replica.stats().log_batch.most(), 3U);
}

TEST(Requests, AFailedWriteTakesAZxidAndTellsIt) {
  Member member;
  Client client(member);
  client.open();
  const Reply reply = client.call(OpCode::kDelete, jute::DeleteRequest{"/none", -1});
  EXPECT_EQ(reply.header.error, ErrorCode::kNoNode);
  EXPECT_EQ(reply.header.zxid, Zxid{2});
  EXPECT_TRUE(reply.body.empty());
  EXPECT_EQ(member.replica.last_applied(), Zxid{2});
}

TEST(Requests, WritesArePreparedAgainstThoseUnderWay) {
  Member member;
  Client client(member);
  client.open();
  client.send_create("/a");
  client.send_create("/a/b");
  client.send_create("/a");
  client.send(OpCode::kDelete, jute::DeleteRequest{"/a", -1});
  member.sync();
  std::vector<ErrorCode> errors;
  while (const std::optional<Reply> reply = client.next()) errors.push_back(reply->header.error);
  EXPECT_THAT(errors,
              ElementsAre(ErrorCode::kOk, ErrorCode::kOk, ErrorCode::kNodeExists, ErrorCode::kNotEmpty));
}

TEST(Requests, PingsOvertakeWhatWaitsAndAreAlwaysAnsweredWithTheirOwnXid) {
  Member member;
  Client client(member);
  client.open();
  client.send_create("/a");
  client.send_as(77, OpCode::kPing);
  const Reply ping = client.next().value();
  EXPECT_EQ(ping.header, (jute::ReplyHeader{-2, Zxid{1}, ErrorCode::kOk}));
  EXPECT_TRUE(ping.body.empty());
  member.sync();
  EXPECT_EQ(client.next().value().header.error, ErrorCode::kOk);
}

TEST(Requests, SyncEchoesThePathBehindTheOwnWrites) {
  Member member;
  Client client(member);
  client.open();
  client.send_create("/a");
  client.send(OpCode::kSync, jute::SyncRecord{"/any/thing"});
  client.send(OpCode::kSync, jute::SyncRecord{std::nullopt});
  EXPECT_FALSE(client.next().has_value());
  member.sync();
  EXPECT_EQ(client.next().value().header.error, ErrorCode::kOk);
  EXPECT_EQ(client.next().value().as<jute::SyncRecord>().path, "/any/thing");
  EXPECT_EQ(client.next().value().as<jute::SyncRecord>().path, std::nullopt);
}

TEST(Requests, SyncWaitsForTheWritesOfOthersThatAreUnderWay) {
  Member member;
  Client writer(member), reader(member);
  writer.open();
  reader.open();
  writer.send_create("/a");  // 3
  writer.send_create("/b");  // 4
  reader.send(OpCode::kExists, jute::ReadRequest{"/a", false});
  EXPECT_EQ(reader.next().value().header.error, ErrorCode::kNoNode) << "a read alone waits for nobody";
  reader.send(OpCode::kSync, jute::SyncRecord{"/"});
  reader.send(OpCode::kExists, jute::ReadRequest{"/b", false});
  writer.send_create("/c");  // 5, behind the sync
  EXPECT_EQ(member.replica.outstanding_requests(), 5U);
  member.step(LogSynced{Zxid{3}});
  EXPECT_FALSE(reader.next().has_value());
  member.step(LogSynced{Zxid{4}});
  const Reply synced = reader.next().value();
  EXPECT_EQ(synced.as<jute::SyncRecord>().path, "/");
  EXPECT_EQ(synced.header.zxid, Zxid{4});
  EXPECT_EQ(reader.next().value().header.error, ErrorCode::kOk);
  member.sync();
  reader.send(OpCode::kSync, jute::SyncRecord{"/"});
  EXPECT_EQ(reader.next().value().header.zxid, Zxid{5}) << "nothing is under way";
}

// The second session's sync came first and waits for less, but gets to the head of its queue later.
TEST(Requests, SyncsBetweenWritesOfManyConnectionsAreServedEachInItsTurn) {
  Member member;
  Client first(member), second(member), third(member);
  first.open();
  second.open();
  third.open();
  second.send_create("/second");                          // 4
  first.send_create("/first");                            // 5
  second.send(OpCode::kSync, jute::SyncRecord{"/two"});   // behind 4 of its own and 5
  second.send_create("/second/child");                    // 6
  third.send(OpCode::kSync, jute::SyncRecord{"/three"});  // behind 6
  third.send_create("/third");                            // 7
  second.send(OpCode::kSync, jute::SyncRecord{"/last"});  // behind 7
  member.step(LogSynced{Zxid{4}});
  EXPECT_EQ(second.next().value().header.zxid, Zxid{4});
  EXPECT_FALSE(second.next().has_value());
  member.sync();
  const Reply two = second.next().value();
  EXPECT_EQ(two.as<jute::SyncRecord>().path, "/two");
  EXPECT_EQ(two.header.zxid, Zxid{5});
  EXPECT_EQ(second.next().value().header.zxid, Zxid{6});
  const Reply three = third.next().value();
  EXPECT_EQ(three.as<jute::SyncRecord>().path, "/three");
  EXPECT_EQ(three.header.zxid, Zxid{6});
  EXPECT_EQ(third.next().value().header.zxid, Zxid{7});
  EXPECT_EQ(second.next().value().as<jute::SyncRecord>().path, "/last");
  EXPECT_EQ(member.replica.outstanding_requests(), 0U);
}

TEST(Requests, SyncIsAnsweredOnceWhatItWaitsForIsGivenUp) {
  Member member;
  Client writer(member), reader(member);
  writer.open();
  reader.open();
  const Zxid durable = member.last_logged();
  writer.send_create("/a");
  reader.send(OpCode::kSync, jute::SyncRecord{"/"});
  reader.send_create("/b");
  reader.send(OpCode::kSync, jute::SyncRecord{"/again"});
  member.exhaust(durable);
  const Reply synced = reader.next().value();
  EXPECT_EQ(synced.as<jute::SyncRecord>().path, "/");
  EXPECT_EQ(synced.header.zxid, durable);
  EXPECT_EQ(reader.next().value().header.error, ErrorCode::kNotReadOnly);
  EXPECT_EQ(reader.next().value().as<jute::SyncRecord>().path, "/again");
  member.step(LogSpaceBack{});
  EXPECT_EQ(reader.create("/b"), ErrorCode::kOk);
}

TEST(Requests, AConnectionThatLeavesDuringItsSyncIsMissedByNobody) {
  Member member;
  Client writer(member), reader(member);
  writer.open();
  reader.open();
  writer.send_create("/a");
  reader.send(OpCode::kSync, jute::SyncRecord{"/"});
  member.step(ClientGone{reader.connection});
  EXPECT_EQ(member.replica.outstanding_requests(), 1U);
  member.sync();
  EXPECT_EQ(writer.next().value().header.error, ErrorCode::kOk);
}

TEST(Requests, UnknownOperationsAreRefusedInOrderAndEndTheConnection) {
  for (const std::int32_t code : {0, -1, 10, 13, 20, 23, 888, -10, 2'147'483'647}) {
    Member member;
    Client client(member);
    client.open();
    client.send_create("/a");
    client.send_as(5, static_cast<OpCode>(code));
    client.send_create("/never");
    EXPECT_FALSE(client.next().has_value()) << code;
    member.sync();
    EXPECT_EQ(client.next().value().header.error, ErrorCode::kOk) << code;
    const Reply refusal = client.next().value();
    EXPECT_EQ(refusal.header, (jute::ReplyHeader{5, kMinusOne, ErrorCode::kUnimplemented})) << code;
    EXPECT_EQ(member.closed(client.connection), CloseReason::kUnknownOperation) << code;
    EXPECT_EQ(member.log.size(), 2U) << code;
    EXPECT_EQ(member.replica.stats().unknown_operations, 1U);
  }
}

TEST(Requests, FramesShorterThanTheirHeaderEndTheConnectionSilently) {
  for (const std::size_t size : {0U, 1U, 4U, 7U}) {
    Member member;
    Client client(member);
    client.open();
    member.frame(client.connection, Bytes(size));
    EXPECT_EQ(member.closed(client.connection), CloseReason::kMalformed);
    EXPECT_EQ(member.waiting(client.connection), 0U);
  }
}

TEST(Requests, UndecodableRecordsAreAnsweredAndTheConnectionStays) {
  Member member;
  Client client(member);
  client.open();
  EXPECT_EQ(client.outcome(OpCode::kGetData), ErrorCode::kMarshallingError);
  const Reply write = client.call(OpCode::kCreate, std::int32_t{-1});
  EXPECT_EQ(write.header.error, ErrorCode::kMarshallingError);
  EXPECT_EQ(write.header.zxid, Zxid{1}) << "what cannot be read is no transaction";
  EXPECT_EQ(client.create("/a"), ErrorCode::kOk);
}

TEST(Requests, BytesBehindARecordAreIgnored) {
  Member member;
  Client client(member);
  client.open();
  EXPECT_EQ(client.outcome(OpCode::kExists, jute::ReadRequest{"/zookeeper", false}, std::string("trailing")),
            ErrorCode::kOk);
}

// ------------------------------------------------------------------------------------------------
// authentication

TEST(Requests, AuthTakesEffectAtOnceAndIsAnsweredInOrder) {
  Member member;
  Client client(member);
  client.open();
  client.send_create("/slow");
  client.send_as(-4, OpCode::kAuth, jute::AuthPacket{0, "digest", "u:p"});
  client.send(OpCode::kCreate, jute::CreateRequest{"/mine", "", std::vector<jute::Acl>{{31, {"auth", ""}}},
                                                   CreateMode::kPersistent});
  EXPECT_FALSE(client.next().has_value());
  member.sync();
  EXPECT_EQ(client.next().value().as<jute::CreateResponse>().path, "/slow");
  const Reply auth = client.next().value();
  EXPECT_EQ(auth.header, (jute::ReplyHeader{-4, Zxid{0}, ErrorCode::kOk}));
  EXPECT_TRUE(auth.body.empty());
  EXPECT_EQ(client.next().value().as<jute::CreateResponse>().path, "/mine");
  const auto acl = client.call(OpCode::kGetAcl, jute::GetAclRequest{"/mine"}).as<jute::GetAclResponse>().acl;
  EXPECT_THAT(acl, ElementsAre(jute::Acl{31, {"digest", "u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ="}}));
}

TEST(Requests, ARequestIsJudgedWithTheIdentitiesOfItsArrival) {
  Member member;
  Client owner(member);
  owner.open();
  owner.send_as(-4, OpCode::kAuth, jute::AuthPacket{0, "digest", "u:p"});
  EXPECT_TRUE(owner.next().has_value());
  EXPECT_EQ(owner.outcome(OpCode::kCreate,
                          jute::CreateRequest{"/mine", "", std::vector<jute::Acl>{{31, {"auth", ""}}},
                                              CreateMode::kPersistent}),
            ErrorCode::kOk);
  Client late(member);
  late.open();
  late.send_create("/slow");
  late.send(OpCode::kGetData, jute::ReadRequest{"/mine", false});
  late.send_as(-4, OpCode::kAuth, jute::AuthPacket{0, "digest", "u:p"});
  late.send(OpCode::kGetData, jute::ReadRequest{"/mine", false});
  member.sync();
  std::vector<ErrorCode> errors;
  while (const std::optional<Reply> reply = late.next()) errors.push_back(reply->header.error);
  EXPECT_THAT(errors, ElementsAre(ErrorCode::kOk, ErrorCode::kNoAuth, ErrorCode::kOk, ErrorCode::kOk));
}

TEST(Requests, AFailedAuthenticationIsToldInOrderAndEndsTheConnection) {
  Member member;
  Client client(member);
  client.open();
  client.send_create("/a");
  client.send_as(-4, OpCode::kAuth, jute::AuthPacket{0, "nonsense", "u:p"});
  client.send_create("/never");
  member.sync();
  EXPECT_EQ(client.next().value().header.error, ErrorCode::kOk);
  EXPECT_EQ(client.next().value().header, (jute::ReplyHeader{-4, Zxid{0}, ErrorCode::kAuthFailed}));
  EXPECT_EQ(member.closed(client.connection), CloseReason::kAuthFailed);
  EXPECT_EQ(member.replica.stats().auth_failures, 1U);
  EXPECT_EQ(member.log.size(), 2U);
}

// The answer is owed, and behind it nothing is served, whether or not the session was open by then.
TEST(Requests, AFailedAuthenticationEndsAConnectionWhoseSessionIsBeingOpened) {
  Member member;
  Client client(member);
  client.hello();
  client.send_create("/a");
  client.send_as(-4, OpCode::kAuth, jute::AuthPacket{0, "nonsense", "u:p"});
  member.step(LogSynced{Zxid{1}});
  ASSERT_TRUE(client.welcome().has_value());
  client.send_create("/never");
  member.sync();
  EXPECT_EQ(client.next().value().header.error, ErrorCode::kOk);
  EXPECT_EQ(client.next().value().header, (jute::ReplyHeader{-4, Zxid{0}, ErrorCode::kAuthFailed}));
  EXPECT_EQ(member.closed(client.connection), CloseReason::kAuthFailed);
  EXPECT_EQ(member.log.size(), 2U);
}

TEST(Requests, AnAccessListThatNoStringCanHoldIsRefused) {
  Member member;
  Client client(member);
  client.open();
  jute::CreateRequest request = Client::create_request("/x", "");
  request.acl->insert(request.acl->begin(), jute::Acl{31, {"digest", std::string(700'000, '\xff') + ":x"}});
  EXPECT_EQ(client.outcome(OpCode::kCreate, request), ErrorCode::kInvalidAcl);
  EXPECT_EQ(client.outcome(OpCode::kSetAcl, jute::SetAclRequest{"/", request.acl, -1}),
            ErrorCode::kInvalidAcl);
  EXPECT_EQ(client.create("/y"), ErrorCode::kOk);
}

TEST(Requests, AnEventHoldsThePathAsJavaReadsItHoweverLong) {
  Member member;
  Client client(member);
  client.open();
  client.send(OpCode::kSetWatches, jute::SetWatches{Zxid{}, {"/" + std::string(700'000, '\xff')}, {}, {}});
  const Reply event = client.next().value();
  EXPECT_EQ(event.header.xid, jute::kXidNotification);
  EXPECT_EQ(event.body.size(), 3 * 4U + 1 + 3 * 700'000U);
}

TEST(Requests, AuthEchoesAnyXid) {
  Member member;
  Client client(member);
  client.open();
  client.send_as(12, OpCode::kAuth, jute::AuthPacket{0, "ip", ""});
  EXPECT_EQ(client.next().value().header, (jute::ReplyHeader{12, Zxid{0}, ErrorCode::kOk}));
  ASSERT_EQ(member.replica.connections().find(client.connection)->identities.size(), 1U);
  EXPECT_EQ(member.replica.connections().find(client.connection)->identities[0],
            (jute::Id{"ip", "127.0.0.1"}));
}

TEST(Requests, IdentitiesOfAConnectionAreLimited) {
  Member member;
  Client client(member);
  client.open();
  for (std::size_t i = 1; i < kMaxIdentities; ++i) {
    client.send_as(-4, OpCode::kAuth, jute::AuthPacket{0, "digest", "u" + std::to_string(i) + ":p"});
    ASSERT_EQ(client.next().value().header.error, ErrorCode::kOk) << i;
  }
  client.send_as(-4, OpCode::kAuth, jute::AuthPacket{0, "digest", "u1:p"});
  EXPECT_EQ(client.next().value().header.error, ErrorCode::kOk) << "a known identity needs no room";
  client.send_as(-4, OpCode::kAuth, jute::AuthPacket{0, "digest", "one-more:p"});
  EXPECT_EQ(client.next().value().header.error, ErrorCode::kAuthFailed);
  EXPECT_EQ(member.closed(client.connection), CloseReason::kAuthFailed);

  Client huge(member);
  huge.open();
  huge.send_as(-4, OpCode::kAuth, jute::AuthPacket{0, "digest", std::string(kMaxIdentityBytes, 'u') + ":p"});
  EXPECT_EQ(huge.next().value().header.error, ErrorCode::kAuthFailed);
}

TEST(Requests, ATruncatedAuthPacketEndsTheConnectionSilently) {
  Member member;
  Client client(member);
  client.open();
  client.send_as(-4, OpCode::kAuth, std::int32_t{0});
  EXPECT_FALSE(client.next().has_value());
  EXPECT_EQ(member.closed(client.connection), CloseReason::kMalformed);
}

TEST(Requests, ASaslTokenIsAnsweredWithANullToken) {
  Member member;
  Client client(member);
  client.open();
  client.send_as(3, OpCode::kSasl, std::string("token"));
  const Reply reply = client.next().value();
  EXPECT_EQ(reply.header, (jute::ReplyHeader{3, Zxid{0}, ErrorCode::kOk}));
  EXPECT_EQ(reply.as<std::optional<std::string>>(), std::nullopt);
  client.send_as(4, OpCode::kSasl, std::optional<std::string>{});
  EXPECT_EQ(member.closed(client.connection), CloseReason::kMalformed);
}

// -----------------------------------------------------------------------------------------------------
// sessions

TEST(Requests, ClosingASessionIsAnsweredThenTheConnectionEnds) {
  Member member;
  Client watcher(member);
  watcher.open();
  Client client(member);
  client.open();
  EXPECT_EQ(client.create("/e", "", CreateMode::kEphemeral), ErrorCode::kOk);
  watcher.call(OpCode::kExists, jute::ReadRequest{"/e", true});
  const std::int32_t xid = client.send(OpCode::kCloseSession);
  client.send_create("/never");
  client.send_as(-2, OpCode::kPing);
  EXPECT_FALSE(client.next().has_value());
  member.sync();
  const Reply reply = client.next().value();
  EXPECT_EQ(reply.header, (jute::ReplyHeader{xid, Zxid{4}, ErrorCode::kOk}));
  EXPECT_TRUE(reply.body.empty());
  EXPECT_FALSE(client.next().has_value());
  EXPECT_EQ(member.closed(client.connection), CloseReason::kClientAsked);
  const Reply fired = watcher.next().value();
  EXPECT_EQ(fired.header, (jute::ReplyHeader{-1, Zxid{4}, ErrorCode::kOk}));
  EXPECT_EQ(fired.as<jute::WatcherEvent>(), event(EventType::kNodeDeleted, "/e"));
  EXPECT_EQ(member.replica.stats().sessions_closed, 1U);
  EXPECT_EQ(member.replica.sessions().size(), 1U);
}

TEST(Requests, AnyXidClosesASession) {
  Member member;
  Client client(member);
  client.open();
  client.send_as(-77, OpCode::kCloseSession);
  member.sync();
  EXPECT_EQ(client.next().value().header.xid, -77);
  EXPECT_EQ(member.closed(client.connection), CloseReason::kClientAsked);
}

TEST(Requests, RequestsOfAnExpiringSessionAreDropped) {
  Member member;
  Client client(member);
  client.open(4'000);
  member.advance(seconds{7});
  ASSERT_EQ(member.replica.sessions().state(client.session), session::SessionState::kClosing);
  client.send(OpCode::kExists, jute::ReadRequest{"/zookeeper", false});
  client.send_create("/never");
  client.send_as(-2, OpCode::kPing);
  EXPECT_FALSE(client.next().has_value());
  EXPECT_EQ(member.replica.stats().dropped_requests, 3U);
  member.sync();
  EXPECT_FALSE(client.next().has_value());
  EXPECT_EQ(member.closed(client.connection), CloseReason::kSessionExpired);
}

// -------------------------------------------------------------------------------------------------------
// watches

TEST(Requests, TheEventOfAnOwnWritePrecedesItsReply) {
  Member member;
  Client client(member);
  client.open();
  client.call(OpCode::kExists, jute::ReadRequest{"/a", true});
  client.send_create("/a");
  client.send(OpCode::kGetData, jute::ReadRequest{"/a", false});
  member.sync();
  const Reply fired = client.next().value();
  EXPECT_EQ(fired.header, (jute::ReplyHeader{-1, Zxid{2}, ErrorCode::kOk}));
  EXPECT_EQ(fired.as<jute::WatcherEvent>(), event(EventType::kNodeCreated, "/a"));
  EXPECT_EQ(client.next().value().as<jute::CreateResponse>().path, "/a");
  EXPECT_EQ(client.next().value().header.error, ErrorCode::kOk);
}

TEST(Requests, AnEventForManyIsEncodedOnce) {
  Member member;
  Client writer(member);
  writer.open();
  std::deque<Client> watchers;
  for (int i = 0; i < 50; ++i) {
    watchers.emplace_back(member).open();
    watchers.back().call(OpCode::kExists, jute::ReadRequest{"/a", true});
  }
  writer.send_create("/a");
  member.sync();
  ASSERT_EQ(member.last_sends.size(), 51U);
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(member.last_sends[i].offset, member.last_sends[0].offset);
    EXPECT_TRUE(member.last_sends[i].only_events);
    EXPECT_EQ(watchers[i].next().value().as<jute::WatcherEvent>(), event(EventType::kNodeCreated, "/a"));
    EXPECT_FALSE(watchers[i].next().has_value());
  }
  EXPECT_FALSE(member.last_sends[50].only_events);
  EXPECT_EQ(member.replica.stats().node_created_watches.most(), 50U);
}

TEST(Requests, AnEventThatLeavesWithAnAnswerDoesNotWait) {
  Member member;
  Client client(member);
  client.open();
  client.call(OpCode::kExists, jute::ReadRequest{"/a", true});
  client.send_create("/a");
  member.sync();
  ASSERT_EQ(member.last_sends.size(), 1U);
  EXPECT_FALSE(member.last_sends[0].only_events);
}

TEST(Requests, WatchesEndWithTheirConnection) {
  Member member;
  Client client(member);
  client.open();
  client.call(OpCode::kExists, jute::ReadRequest{"/a", true});
  EXPECT_EQ(member.replica.watches().size(), 1U);
  member.step(ClientGone{client.connection});
  EXPECT_EQ(member.replica.watches().size(), 0U);
  Client other(member);
  other.open();
  EXPECT_EQ(other.create("/a"), ErrorCode::kOk);
  EXPECT_EQ(member.waiting(client.connection), 0U);
}

TEST(Requests, CatchUpEventsPrecedeTheReplyToSetWatches) {
  Member member;
  Client client(member);
  client.open();
  EXPECT_EQ(client.create("/a"), ErrorCode::kOk);
  client.send_as(-8, OpCode::kSetWatches, jute::SetWatches{Zxid{1}, {"/a", "/gone"}, {"/a"}, {}});
  EXPECT_EQ(client.next().value().as<jute::WatcherEvent>(), event(EventType::kNodeDataChanged, "/a"));
  EXPECT_EQ(client.next().value().as<jute::WatcherEvent>(), event(EventType::kNodeDeleted, "/gone"));
  const Reply created = client.next().value();
  EXPECT_EQ(created.header.zxid, kMinusOne);
  EXPECT_EQ(created.as<jute::WatcherEvent>(), event(EventType::kNodeCreated, "/a"));
  const Reply reply = client.next().value();
  EXPECT_EQ(reply.header, (jute::ReplyHeader{-8, Zxid{2}, ErrorCode::kOk}));
  EXPECT_TRUE(reply.body.empty());
}

// ---------------------------------------------------------------------------------------------------- flow
// control

TEST(Requests, AboveTheLimitConnectionsWithRequestsOutstandingPause) {
  Settings settings = test_settings();
  settings.global_outstanding_limit = 3;
  Member member(settings);
  Client busy(member);
  busy.open();
  Client idle(member);
  idle.open();
  for (int i = 0; i < 3; ++i) busy.send_create("/a" + std::to_string(i));
  EXPECT_FALSE(member.paused(busy.connection));
  busy.send_create("/a3");
  EXPECT_TRUE(member.paused(busy.connection));
  EXPECT_EQ(member.replica.outstanding_requests(), 4U);
  idle.send(OpCode::kExists, jute::ReadRequest{"/zookeeper", false});
  EXPECT_TRUE(idle.next().has_value());
  EXPECT_FALSE(member.paused(idle.connection));
  // A frame that was read before the pause is served, too.
  busy.send(OpCode::kExists, jute::ReadRequest{"/a3", false});
  member.step(LogSynced{Zxid{4}});
  EXPECT_FALSE(member.paused(busy.connection));
  member.sync();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(busy.next().value().header.error, ErrorCode::kOk) << i;
  EXPECT_EQ(member.replica.outstanding_requests(), 0U);
  EXPECT_EQ(member.replica.stats().throttled, 1U);
}

TEST(Requests, AuthAndSaslPacketsBehindAWriteAreLimitedToo) {
  for (const OpCode op : {OpCode::kAuth, OpCode::kSasl}) {
    Settings settings = test_settings();
    settings.global_outstanding_limit = 3;
    Member member(settings);
    Client client(member);
    client.open();
    client.send_create("/a");
    for (int i = 0; i < 3; ++i) {
      EXPECT_FALSE(member.paused(client.connection)) << i;
      if (op == OpCode::kAuth)
        client.send_as(-4, op, jute::AuthPacket{0, "ip", ""});
      else
        client.send_as(1, op, std::string("t"));
    }
    EXPECT_TRUE(member.paused(client.connection)) << jute::name(op);
    member.sync();
    EXPECT_FALSE(member.paused(client.connection));
  }
}

TEST(Requests, BytesOutstandingAreLimitedToo) {
  Settings settings = test_settings();
  settings.outstanding_bytes_limit = 1'000;
  Member member(settings);
  Client client(member);
  client.open();
  client.send_create("/a", std::string(2'000, 'x'));
  EXPECT_TRUE(member.paused(client.connection));
  member.sync();
  EXPECT_FALSE(member.paused(client.connection));
  EXPECT_EQ(client.next().value().header.error, ErrorCode::kOk);
}

TEST(Requests, ReadsBehindAWriteMayNotExpectEndlessReplies) {
  Member member;
  Client greedy(member);
  greedy.open();
  Client other(member);
  other.open();
  EXPECT_EQ(greedy.create("/a"), ErrorCode::kOk);
  // What the reads will find there is still under way when they arrive.
  greedy.send(OpCode::kSetData, jute::SetDataRequest{"/a", std::string(1'000'000, 'x'), -1});
  const auto read = [&] { greedy.send(OpCode::kGetData, jute::ReadRequest{"/a", false}); };
  for (int i = 0; i < 8; ++i) read();
  EXPECT_FALSE(member.paused(greedy.connection));
  read();
  EXPECT_TRUE(member.paused(greedy.connection));
  // A frame that comes nevertheless keeps its place.
  greedy.send(OpCode::kSetData, jute::SetDataRequest{"/a", "y", -1});
  read();
  other.send_create("/b");
  other.send(OpCode::kGetData, jute::ReadRequest{"/b", false});
  EXPECT_FALSE(member.paused(other.connection));
  member.sync();
  EXPECT_FALSE(member.paused(greedy.connection));
  EXPECT_EQ(greedy.next().value().header.error, ErrorCode::kOk);
  for (int i = 0; i < 9; ++i)
    EXPECT_EQ(greedy.next().value().as<jute::GetDataResponse>().data.value().size(), 1'000'000U) << i;
  EXPECT_EQ(greedy.next().value().header.error, ErrorCode::kOk);
  EXPECT_EQ(greedy.next().value().as<jute::GetDataResponse>().data, "y");
  EXPECT_EQ(member.replica.stats().throttled, 1U);
}

TEST(Requests, ExpectedRepliesOfAllConnectionsAreLimitedTogether) {
  Settings settings = test_settings();
  settings.outstanding_bytes_limit = 3'000'000;
  Member member(settings);
  std::deque<Client> clients;
  for (int i = 0; i < 4; ++i) clients.emplace_back(member).open();
  EXPECT_EQ(clients[0].create("/a", std::string(1'000'000, 'x')), ErrorCode::kOk);
  for (Client& client : clients) {
    client.send_create("/" + std::to_string(client.connection.value));
    client.send(OpCode::kGetData, jute::ReadRequest{"/a", false});
  }
  EXPECT_FALSE(member.paused(clients[1].connection));
  EXPECT_TRUE(member.paused(clients[2].connection));
  EXPECT_TRUE(member.paused(clients[3].connection));
  member.step(ClientGone{clients[3].connection});
  member.sync();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_FALSE(member.paused(clients[i].connection)) << i;
    EXPECT_EQ(member.waiting(clients[i].connection), 2U) << i;
  }
  // Nothing is left over of what waited: the next one is not paused.
  clients[0].send_create("/c");
  clients[0].send(OpCode::kGetData, jute::ReadRequest{"/a", false});
  EXPECT_FALSE(member.paused(clients[0].connection));
}

TEST(Requests, WhatWaitsOnAConnectionThatEndsIsForgotten) {
  Member member;
  Client client(member);
  client.open();
  client.send_create("/a");
  for (int i = 0; i < 10; ++i) client.send(OpCode::kExists, jute::ReadRequest{"/a", false});
  EXPECT_EQ(member.replica.outstanding_requests(), 11U);
  member.step(ClientGone{client.connection});
  EXPECT_EQ(member.replica.outstanding_requests(), 1U);
  member.sync();
  EXPECT_EQ(member.replica.outstanding_requests(), 0U);
  EXPECT_EQ(member.waiting(client.connection), 0U);
  EXPECT_EQ(member.replica.tree().find("/a").stat().czxid, Zxid{2});
}

TEST(Requests, FramesOfUnknownConnectionsAreIgnored) {
  Member member;
  member.frame(ConnectionId{99}, encode(jute::RequestHeader{1, OpCode::kPing}));
  member.step(ClientGone{ConnectionId{99}});
  EXPECT_EQ(member.replica.stats().packets_received, 0U);
  EXPECT_EQ(member.replica.stats().connections_gone, 0U);
}

}  // namespace
}  // namespace wk::replica
