#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/replica/member.h"

namespace wk::replica {
namespace {

using jute::ErrorCode;
using jute::OpCode;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string password_text(SessionId id) {
  const session::Password password = session::password_of(id);
  return {password.data(), password.size()};
}

TEST(Handshake, ANewSessionIsWelcomedOnceItsTransactionIsOnStableStorage) {
  Member member;
  Client client(member);
  client.hello(10'000);
  EXPECT_EQ(member.last_logged(), Zxid{1});
  EXPECT_FALSE(client.welcome().has_value());
  member.sync();
  const auto response = client.welcome();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->protocol_version, 0);
  EXPECT_EQ(response->timeout_ms, 10'000);
  EXPECT_EQ(static_cast<std::uint64_t>(response->session_id.value) >> 56, 1U);
  EXPECT_EQ(response->password, password_text(response->session_id));
  EXPECT_EQ(response->read_only, false);
  EXPECT_EQ(member.replica.sessions().committed_timeout_ms(response->session_id), 10'000);
  EXPECT_EQ(member.replica.last_applied(), Zxid{1});
}

TEST(Handshake, TheReadOnlyByteIsMirrored) {
  Member member;
  const ConnectionId with = member.accept();
  const ConnectionId without = member.accept();
  const jute::ConnectRequest request{0, Zxid{}, 10'000, SessionId{}, std::string(16, '\0'), std::nullopt};
  member.frame(without, encode(request));
  jute::ConnectRequest knows = request;
  knows.read_only = false;
  member.frame(with, encode(knows));
  member.sync();
  EXPECT_EQ(member.take(without).value().size(), 36U);
  EXPECT_EQ(member.take(with).value().size(), 37U);
}

TEST(Handshake, ARefusalMirrorsTheReadOnlyByteToo) {
  Member member;
  const ConnectionId without = member.accept();
  member.frame(without, encode(jute::ConnectRequest{0, Zxid{}, 10'000, SessionId{5}, "", std::nullopt}));
  const Bytes refusal = member.take(without).value();
  EXPECT_EQ(refusal.size(), 36U);
  const auto response = decode<jute::ConnectResponse>(refusal);
  EXPECT_EQ(response.timeout_ms, 0);
  EXPECT_EQ(response.session_id, SessionId{});
  EXPECT_EQ(response.password, std::string(16, '\0'));
  EXPECT_EQ(member.closed(without), CloseReason::kSessionRefused);
}

TEST(Handshake, TimeoutsAreClamped) {
  Member member;
  const auto negotiated = [&](std::int32_t wanted) {
    Client client(member);
    client.hello(wanted);
    member.sync();
    return client.welcome().value().timeout_ms;
  };
  EXPECT_EQ(negotiated(-5), 4'000);
  EXPECT_EQ(negotiated(0), 4'000);
  EXPECT_EQ(negotiated(12'345), 12'345);
  EXPECT_EQ(negotiated(2'000'000'000), 40'000);
}

TEST(Handshake, ANullPasswordOpensASession) {
  Member member;
  const ConnectionId id = member.accept();
  member.frame(id, encode(jute::ConnectRequest{7, Zxid{}, 10'000, SessionId{}, std::nullopt, std::nullopt}));
  member.sync();
  EXPECT_TRUE(member.take(id).has_value());
}

TEST(Handshake, SessionIdsDiffer) {
  Member member;
  Client a(member);
  Client b(member);
  a.open();
  b.open();
  EXPECT_EQ(b.session.value, a.session.value + 1);
}

TEST(Handshake, ResumingNeedsNoTransactionAndTakesOver) {
  Member member;
  Client first(member);
  first.open();
  const Zxid logged = member.last_logged();
  Client second(member);
  second.resume(first.session);
  const auto response = second.welcome();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->session_id, first.session);
  EXPECT_EQ(response->timeout_ms, 10'000);
  EXPECT_EQ(response->password, password_text(first.session));
  EXPECT_EQ(member.closed(first.connection), CloseReason::kSessionTakenOver);
  EXPECT_EQ(member.waiting(first.connection), 0U);
  EXPECT_EQ(member.last_logged(), logged);
  EXPECT_EQ(second.create("/a"), ErrorCode::kOk);
  EXPECT_EQ(member.replica.stats().sessions_resumed, 1U);
}

TEST(Handshake, AResumedSessionContinuesWithTheNewTimeout) {
  Member member;
  Client first(member);
  first.open(4'000);
  member.step(ClientGone{first.connection});
  Client second(member);
  second.resume(first.session, password_text(first.session), 30'000);
  EXPECT_EQ(second.welcome().value().timeout_ms, 30'000);
  member.advance(seconds{29});
  EXPECT_EQ(member.closed(second.connection), std::nullopt);
  member.advance(seconds{4});
  member.sync();
  EXPECT_EQ(member.closed(second.connection), CloseReason::kSessionExpired);
}

TEST(Handshake, AStrangerWithAWrongPasswordCutsNobodyOff) {
  Member member;
  Client owner(member);
  owner.open();
  Client stranger(member);
  stranger.resume(owner.session, std::string(16, 'x'));
  const auto refusal = stranger.welcome();
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->session_id, SessionId{});
  EXPECT_EQ(refusal->timeout_ms, 0);
  EXPECT_EQ(member.closed(stranger.connection), CloseReason::kSessionRefused);
  EXPECT_EQ(member.closed(owner.connection), std::nullopt);
  EXPECT_EQ(owner.create("/still-here"), ErrorCode::kOk);
  EXPECT_EQ(member.replica.stats().sessions_refused, 1U);
}

TEST(Handshake, UnknownAndClosedSessionsAreRefused) {
  Member member;
  Client unknown(member);
  unknown.resume(SessionId{0x1234});
  EXPECT_EQ(unknown.welcome().value().session_id, SessionId{});
  EXPECT_EQ(member.closed(unknown.connection), CloseReason::kSessionRefused);

  Client gone(member);
  gone.open();
  const SessionId session = gone.session;
  EXPECT_EQ(gone.outcome(OpCode::kCloseSession), ErrorCode::kOk);
  Client late(member);
  late.resume(session);
  EXPECT_EQ(late.welcome().value().timeout_ms, 0);
  EXPECT_EQ(member.closed(late.connection), CloseReason::kSessionRefused);
}

TEST(Handshake, ASessionWhoseCloseIsOnTheWayIsRefused) {
  Member member;
  Client closing(member);
  closing.open();
  closing.send(OpCode::kCloseSession);
  Client late(member);
  late.resume(closing.session);
  EXPECT_EQ(late.welcome().value().session_id, SessionId{});
  member.sync();
  EXPECT_EQ(closing.next().value().header.error, ErrorCode::kOk);
}

TEST(Handshake, AClientThatHasSeenMoreIsSentAway) {
  Member member;
  Client ahead(member);
  member.frame(ahead.connection,
               encode(jute::ConnectRequest{0, Zxid{1}, 10'000, SessionId{}, std::string(16, '\0'), false}));
  EXPECT_EQ(member.closed(ahead.connection), CloseReason::kClientAhead);
  EXPECT_EQ(member.waiting(ahead.connection), 0U);
  EXPECT_TRUE(member.log.empty());

  Client level(member);
  level.open();
  Client same(member);
  member.frame(same.connection,
               encode(jute::ConnectRequest{0, Zxid{1}, 10'000, SessionId{}, std::string(16, '\0'), false}));
  member.sync();
  EXPECT_TRUE(same.welcome().has_value());
}

// kazoo and node-zookeeper-client may have stored -1 from an error reply.
TEST(Handshake, ANegativeLastZxidIsNotAhead) {
  Member member;
  Client client(member);
  member.frame(client.connection, encode(jute::ConnectRequest{0, Zxid{~std::uint64_t{0}}, 10'000, SessionId{},
                                                              std::string(16, '\0'), false}));
  member.sync();
  EXPECT_TRUE(client.welcome().has_value());
}

TEST(Handshake, ShortOnesAreClosedWithoutAWord) {
  const Bytes whole =
      encode(jute::ConnectRequest{0, Zxid{}, 10'000, SessionId{}, std::string(16, '\0'), std::nullopt});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Member member;
    const ConnectionId id = member.accept();
    member.frame(id, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    EXPECT_EQ(member.closed(id), CloseReason::kMalformed) << size;
    EXPECT_EQ(member.waiting(id), 0U) << size;
    EXPECT_TRUE(member.log.empty()) << size;
  }
}

TEST(Handshake, WhatIsPipelinedBehindItIsAnsweredInOrder) {
  Member member;
  Client client(member);
  client.hello();
  client.send_as(-4, OpCode::kAuth, jute::AuthPacket{0, "digest", "u:p"});
  client.send_as(-8, OpCode::kSetWatches, jute::SetWatches{Zxid{}, {"/missing"}, {}, {}});
  client.send_create("/a", "1");
  client.send(OpCode::kGetData, jute::ReadRequest{"/a", false});
  client.send_as(-2, OpCode::kPing);
  EXPECT_EQ(member.waiting(client.connection), 0U);
  member.sync();
  ASSERT_TRUE(client.welcome().has_value());
  const Reply auth = client.next().value();
  EXPECT_EQ(auth.header, (jute::ReplyHeader{-4, Zxid{0}, ErrorCode::kOk}));
  const Reply event = client.next().value();
  EXPECT_EQ(event.header, (jute::ReplyHeader{-1, Zxid{~std::uint64_t{0}}, ErrorCode::kOk}));
  EXPECT_EQ(event.as<jute::WatcherEvent>().type, jute::EventType::kNodeDeleted);
  EXPECT_EQ(client.next().value().header.xid, -8);
  EXPECT_EQ(client.next().value().as<jute::CreateResponse>().path, "/a");
  EXPECT_EQ(client.next().value().as<jute::GetDataResponse>().data, "1");
  EXPECT_EQ(client.next().value().header.xid, -2);
  EXPECT_FALSE(client.next().has_value());
}

TEST(Handshake, AResumedSessionIsWelcomeAtOnceAndAsksBehindItsWritesUnderWay) {
  Member member;
  Client first(member);
  first.open();
  first.send_create("/a", "1");
  first.send_create("/a/b", "2");
  member.step(ClientGone{first.connection});
  Client second(member);
  second.resume(first.session);
  second.send(OpCode::kExists, jute::ReadRequest{"/a/b", false});
  ASSERT_TRUE(second.welcome().has_value());
  second.send_as(-2, OpCode::kPing);
  EXPECT_EQ(second.next().value().header.xid, -2) << "a slow disk is no dead server";
  member.step(LogSynced{Zxid{2}});
  EXPECT_FALSE(second.next().has_value());
  member.step(LogSynced{Zxid{3}});
  EXPECT_EQ(second.next().value().header.error, ErrorCode::kOk);
  EXPECT_EQ(member.replica.stats().stale_replies, 1U);
}

TEST(Handshake, EphemeralsOutliveTheConnectionAndDieWithTheSession) {
  Member member;
  Client client(member);
  client.open(4'000);
  EXPECT_EQ(client.create("/e", "", jute::CreateMode::kEphemeral), ErrorCode::kOk);
  member.step(ClientGone{client.connection});
  Client other(member);
  other.open(40'000);
  EXPECT_EQ(other.outcome(OpCode::kExists, jute::ReadRequest{"/e", false}), ErrorCode::kOk);
  member.advance(seconds{6});
  member.sync();
  EXPECT_EQ(other.outcome(OpCode::kExists, jute::ReadRequest{"/e", false}), ErrorCode::kNoNode);
  EXPECT_EQ(member.replica.sessions().state(client.session), session::SessionState::kUnknown);
}

}  // namespace
}  // namespace wk::replica
