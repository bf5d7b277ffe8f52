#include "server/replica/expiry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/replica/member.h"

namespace wk::replica {
namespace {

using jute::CreateMode;
using jute::ErrorCode;
using jute::OpCode;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Expiry, ASilentSessionEndsBetweenItsTimeoutAndOneTickMore) {
  Member member;
  Client client(member);
  client.open(4'000);
  member.advance(milliseconds{3'900});
  EXPECT_EQ(member.replica.sessions().state(client.session), session::SessionState::kOpen);
  member.advance(milliseconds{2'100});
  EXPECT_EQ(member.replica.sessions().state(client.session), session::SessionState::kClosing);
  EXPECT_EQ(member.closed(client.connection), std::nullopt) << "the close is not on stable storage yet";
  member.sync();
  EXPECT_EQ(member.closed(client.connection), CloseReason::kSessionExpired);
  EXPECT_EQ(member.waiting(client.connection), 0U);
  EXPECT_EQ(member.replica.stats().sessions_expired, 1U);
  EXPECT_EQ(member.replica.stats().sessions_closed, 0U);
}

TEST(Expiry, PingsKeepASessionAlive) {
  Member member;
  Client client(member);
  client.open(4'000);
  for (int i = 0; i < 20; ++i) {
    member.advance(milliseconds{1'300});
    client.send_as(-2, OpCode::kPing);
    ASSERT_TRUE(client.next().has_value()) << i;
  }
  EXPECT_EQ(member.replica.stats().sessions_expired, 0U);
}

// It is not read from until it has caught up, so its pings wait with everything else.
TEST(Expiry, FetchingWhatIsOwedKeepsASessionAlive) {
  Member member;
  Client client(member);
  client.open(4'000);
  for (int i = 0; i < 6; ++i) {
    member.advance(seconds{2});
    member.step(ClientFetched{client.connection});
  }
  EXPECT_EQ(member.replica.sessions().state(client.session), session::SessionState::kOpen);
  member.step(ClientFetched{ConnectionId{99}});
  Client fresh(member);
  member.step(ClientFetched{fresh.connection});
}

TEST(Expiry, BehindAPauseOfTheServerWhatWasSentMeanwhileIsReadFirst) {
  Member member;
  Client lives(member), silent(member);
  lives.open(4'000);
  silent.open(4'000);
  member.tick();
  member.now = member.now + seconds{9};
  member.tick();
  member.advance(milliseconds{500});
  lives.send_as(-2, OpCode::kPing);
  EXPECT_TRUE(lives.next().has_value());
  member.advance(milliseconds{1'400});
  EXPECT_EQ(member.replica.sessions().state(silent.session), session::SessionState::kOpen);
  member.advance(milliseconds{200});
  EXPECT_EQ(member.replica.sessions().state(silent.session), session::SessionState::kClosing);
  EXPECT_EQ(member.replica.sessions().state(lives.session), session::SessionState::kOpen);
}

TEST(Expiry, AServerThatIsLateWithEveryStepExpiresSessionsToo) {
  Member member;
  Client client(member);
  client.open(4'000);
  for (int i = 0; i < 24; ++i) {
    member.now = member.now + milliseconds{300};
    member.tick();
  }
  EXPECT_EQ(member.replica.sessions().state(client.session), session::SessionState::kClosing);
}

// Its pings wait behind what the server did not want to read yet.
TEST(Expiry, ASessionWhoseConnectionIsNotReadLivesOn) {
  Settings settings = test_settings();
  settings.global_outstanding_limit = 2;
  Member member(settings);
  Client client(member);
  client.open(4'000);
  for (int i = 0; i < 5; ++i) client.send_create("/n" + std::to_string(i));
  ASSERT_TRUE(member.paused(client.connection));
  member.advance(seconds{20});
  EXPECT_EQ(member.replica.sessions().state(client.session), session::SessionState::kOpen);
  member.sync();
  ASSERT_FALSE(member.paused(client.connection));
  member.advance(seconds{6});
  EXPECT_EQ(member.replica.sessions().state(client.session), session::SessionState::kClosing);
}

TEST(Expiry, AuthAndSaslDoNotKeepASessionAlive) {
  Member member;
  Client client(member);
  client.open(4'000);
  for (int i = 0; i < 6; ++i) {
    member.advance(seconds{1});
    client.send_as(-4, OpCode::kAuth, jute::AuthPacket{0, "digest", "u:p"});
    client.send_as(1, OpCode::kSasl, std::string("t"));
  }
  member.sync();
  EXPECT_EQ(member.replica.stats().sessions_expired, 1U);
}

TEST(Expiry, EphemeralsAreGoneWhenTheConnectionEnds) {
  Member member;
  Client client(member);
  client.open(4'000);
  client.create("/e1", "", CreateMode::kEphemeral);
  client.send_create("/e2", "", CreateMode::kEphemeral);  // not on stable storage when the session expires
  member.advance(seconds{6});
  Client other(member);
  other.hello();
  EXPECT_EQ(member.closed(client.connection), std::nullopt);
  member.sync();
  EXPECT_EQ(member.closed(client.connection), CloseReason::kSessionExpired);
  EXPECT_FALSE(member.replica.tree().find("/e1"));
  EXPECT_FALSE(member.replica.tree().find("/e2"));
  EXPECT_EQ(member.replica.tree().ephemeral_count(), 0U);
  EXPECT_EQ(member.replica.stats().digest_mismatches, 0U);
}

TEST(Expiry, ACrowdIsSpreadOverSteps) {
  Member member;
  member.auto_sync = true;
  std::deque<Client> clients;
  const std::size_t crowd = 3 * Expiry::kSessionsAStep + 10;
  for (std::size_t i = 0; i < crowd; ++i) clients.emplace_back(member).open(4'000);
  const int before = member.ticks;
  member.now = member.now + seconds{10};
  member.tick();
  EXPECT_EQ(member.ticks - before, 4);
  EXPECT_FALSE(member.more_work);
  EXPECT_EQ(member.replica.sessions().size(), 0U);
  EXPECT_EQ(member.replica.stats().sessions_expired, crowd);
  for (const Client& client : clients)
    EXPECT_EQ(member.closed(client.connection), CloseReason::kSessionExpired);
}

TEST(Expiry, ManyWritesUnderWayDoNotKeepTheDeadAlive) {
  Settings settings = test_settings();
  settings.global_outstanding_limit = 100'000;
  Member member(settings);
  Client dead(member), writer(member);
  dead.open(4'000);
  dead.create("/lock", "", CreateMode::kEphemeral);
  writer.open(30'000);
  for (int second = 0; second < 8; ++second) {
    for (std::size_t i = 0; i < Expiry::kMaxInFlight; ++i) writer.send_create("/w");
    member.advance(seconds{1});
  }
  EXPECT_EQ(member.replica.sessions().state(dead.session), session::SessionState::kClosing);
  member.sync();
  EXPECT_FALSE(member.replica.tree().find("/lock"));
}

// While the disk is full by turns, the same session is decided on again and again.
TEST(Expiry, ASessionThatLivesOnHasNotExpired) {
  Member member;
  Client client(member);
  client.open(4'000);
  const Zxid durable = member.last_logged();
  member.advance(seconds{6});
  EXPECT_EQ(member.replica.sessions().state(client.session), session::SessionState::kClosing);
  EXPECT_EQ(member.replica.stats().sessions_expired, 0U) << "its end is not in the log";
  member.exhaust(durable);
  member.step(LogSpaceBack{});
  EXPECT_EQ(member.replica.sessions().state(client.session), session::SessionState::kOpen);
  EXPECT_EQ(member.replica.notable().expired.total(), 0U);
  member.advance(seconds{6});
  member.sync();
  EXPECT_EQ(member.replica.stats().sessions_expired, 1U);
  EXPECT_EQ(member.replica.notable().expired.total(), 1U);
}

// What it asked while its end was under way was dropped.
TEST(Expiry, ASessionThatLivesOnIsHeardOfThroughAnotherConnection) {
  Member member;
  Client client(member);
  client.open(4'000);
  const Zxid durable = member.last_logged();
  member.advance(seconds{6});
  client.send(OpCode::kExists, jute::ReadRequest{"/", false});
  member.exhaust(durable);
  EXPECT_EQ(member.closed(client.connection), CloseReason::kNoLogSpace);
  member.step(LogSpaceBack{});
  Client again(member);
  again.resume(client.session);
  ASSERT_TRUE(again.welcome().has_value());
  EXPECT_EQ(again.outcome(OpCode::kExists, jute::ReadRequest{"/", false}), ErrorCode::kOk);
}

TEST(Expiry, AFullPipelineIsGivenTime) {
  Member member;
  member.auto_sync = true;
  std::deque<Client> clients;
  for (std::size_t i = 0; i < Expiry::kMaxInFlight + 500; ++i) clients.emplace_back(member).open(4'000);
  member.auto_sync = false;
  member.now = member.now + seconds{10};
  member.tick();
  EXPECT_EQ(member.replica.pipeline().in_flight().size(), Expiry::kMaxInFlight);
  member.sync();
  member.tick();
  member.sync();
  EXPECT_EQ(member.replica.sessions().size(), 0U);
}

}  // namespace
}  // namespace wk::replica
