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

TEST(Expiry, AuthAndSaslDoNotKeepASessionAlive) {
  Member member;
  Client client(member);
  client.open(4'000);
  for (int i = 0; i < 6; ++i) {
    member.advance(seconds{1});
    client.send_as(-4, OpCode::kAuth, jute::AuthPacket{0, "digest", "u:p"});
    client.send_as(1, OpCode::kSasl, std::string("t"));
  }
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
