// Sessions that end for every cause there is, and what is recorded of them.
#include "server/replica/expired_sessions.h"

#include <gtest/gtest.h>

#include "tests/unit/server/replica/member.h"

namespace wk::replica {
namespace {

using jute::CreateMode;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

const ExpiredSession& only(const Member& member) {
  const auto& newest = member.replica.notable().expired.newest();
  EXPECT_EQ(newest.size(), 1U);
  return newest.back();
}

TEST(ExpiredSessions, NothingWasHeardOverAnOpenConnection) {
  Member member;
  member.auto_sync = true;
  Client client(member, "10.0.0.7");
  client.open(4'000);
  member.advance(milliseconds{1'500});
  client.create("/e1", "", CreateMode::kEphemeral);
  client.create("/e2", "", CreateMode::kEphemeral);
  const auto heard = member.now.steady;
  member.advance(seconds{9});
  const ExpiredSession& session = only(member);
  EXPECT_EQ(session.id, client.session);
  EXPECT_EQ(session.cause, ExpiryCause::kNothingHeard);
  EXPECT_EQ(session.address, "10.0.0.7");
  EXPECT_EQ(session.timeout, milliseconds{4'000});
  EXPECT_EQ(session.silence, session.at.steady - heard);
  EXPECT_GE(session.silence, milliseconds{4'000});
  EXPECT_LE(session.silence, milliseconds{6'100});
  EXPECT_EQ(session.longest_gap, milliseconds{1'500});
  EXPECT_EQ(session.last_op, jute::OpCode::kCreate);
  EXPECT_EQ(session.ephemerals, 2U);
  EXPECT_EQ(session.without_connection, std::nullopt);
  EXPECT_EQ(session.stood_still.total, nanoseconds{0});
  EXPECT_EQ(member.replica.notable().expired.total(ExpiryCause::kNothingHeard), 1U);
}

TEST(ExpiredSessions, ItsConnectionHadEndedAndNoOtherCame) {
  Member member;
  member.auto_sync = true;
  Client client(member, "10.0.0.8");
  client.open(4'000);
  member.advance(milliseconds{500});
  member.step(ClientGone{client.connection});
  EXPECT_EQ(member.replica.notable().absent.size(), 1U);
  member.advance(seconds{9});
  const ExpiredSession& session = only(member);
  EXPECT_EQ(session.cause, ExpiryCause::kNotBack);
  EXPECT_EQ(session.address, "10.0.0.8");
  ASSERT_TRUE(session.without_connection);
  EXPECT_EQ(*session.without_connection, session.silence - milliseconds{500});
  EXPECT_EQ(member.replica.notable().absent.size(), 0U) << "the dead are forgotten";
}

TEST(ExpiredSessions, ThisServerHadClosedItsConnection) {
  Member member;
  member.auto_sync = true;
  Client client(member);
  client.open(4'000);
  member.frame(client.connection, Bytes(3));
  ASSERT_EQ(member.closed(client.connection), CloseReason::kMalformed);
  member.advance(seconds{9});
  EXPECT_EQ(only(member).cause, ExpiryCause::kClosedByServer);
  EXPECT_EQ(only(member).closed, CloseReason::kMalformed);
}

TEST(ExpiredSessions, ThisServerStoodStill) {
  Member member;
  member.auto_sync = true;
  Client client(member);
  client.open(4'000);
  member.advance(milliseconds{1'000});
  member.now = member.now + seconds{9};
  member.tick();
  member.advance(seconds{2});
  const ExpiredSession& session = only(member);
  EXPECT_EQ(session.cause, ExpiryCause::kServerStoodStill);
  EXPECT_EQ(session.stood_still.total, seconds{9});
  EXPECT_EQ(session.stood_still.longest, seconds{9});
  EXPECT_EQ(session.silence, seconds{12});
}

// The server's pause is told, but was not what the session died of.
TEST(ExpiredSessions, AShortPauseOfTheServerIsNotTheCause) {
  Member member;
  member.auto_sync = true;
  Client client(member);
  client.open(4'000);
  member.now = member.now + milliseconds{600};
  member.tick();
  member.advance(seconds{9});
  EXPECT_EQ(only(member).stood_still.total, milliseconds{600});
  EXPECT_GE(only(member).silence - milliseconds{600}, milliseconds{4'000});
  EXPECT_EQ(only(member).cause, ExpiryCause::kNothingHeard);
}

// Wherever the timeout falls between two ticks: the server listened long after its pause, and nothing came.
TEST(ExpiredSessions, APauseLongBeforeTheEndIsNotTheCause) {
  for (int offset = 0; offset < 2'000; offset += 100) {
    Member member;
    member.auto_sync = true;
    member.advance(milliseconds{offset});
    Client client(member);
    client.open(4'000);
    member.advance(seconds{1});
    member.now = member.now + milliseconds{300};
    member.tick();
    member.advance(seconds{6});
    EXPECT_EQ(only(member).stood_still.total, milliseconds{300}) << offset;
    EXPECT_EQ(only(member).cause, ExpiryCause::kNothingHeard) << offset;
  }
}

TEST(ExpiredSessions, SlowSyncsAreTold) {
  Member member;
  Client client(member);
  client.open(4'000);
  client.send_create("/a");
  const auto began = member.now.steady;
  member.advance(milliseconds{700});
  LogSynced synced{member.last_logged(), began, began, member.now.steady};
  member.step(synced);
  member.auto_sync = true;
  member.advance(seconds{9});
  EXPECT_EQ(only(member).slow_syncs.longest, milliseconds{700});
  EXPECT_EQ(only(member).cause, ExpiryCause::kNothingHeard);
}

TEST(ExpiredSessions, OneThatWasNeverSeenSinceTheStart) {
  const Settings settings = test_settings();
  Recovery recovery(settings);
  recovery.restore_session(SessionId{77}, 4'000);
  Member member(settings, recovery.take(), std::nullopt);
  member.auto_sync = true;
  member.advance(seconds{9});
  EXPECT_EQ(only(member).id, SessionId{77});
  EXPECT_EQ(only(member).cause, ExpiryCause::kNeverSeen);
  EXPECT_EQ(only(member).address, "");
}

TEST(ExpiredSessions, WhoseConnectionThePortClosedWasClosedByTheServer) {
  Member member;
  member.auto_sync = true;
  Client client(member);
  client.open(4'000);
  member.step(ClientGone{client.connection, CloseReason::kFrameTooLong});
  EXPECT_EQ(member.replica.stats().connections_gone, 0U) << "no client went away";
  EXPECT_EQ(member.replica.stats().closes[static_cast<std::size_t>(CloseReason::kFrameTooLong)], 1U);
  member.advance(seconds{9});
  EXPECT_EQ(only(member).cause, ExpiryCause::kClosedByServer);
  EXPECT_EQ(only(member).closed, CloseReason::kFrameTooLong);
}

TEST(ExpiredSessions, WhoComesBackLeavesNoTrace) {
  Member member;
  member.auto_sync = true;
  Client first(member);
  first.open(4'000);
  member.step(ClientGone{first.connection});
  Client second(member);
  second.resume(first.session);
  ASSERT_TRUE(second.welcome().has_value());
  EXPECT_EQ(member.replica.notable().absent.size(), 0U);
  second.call(jute::OpCode::kCloseSession);
  member.advance(seconds{9});
  EXPECT_EQ(member.replica.notable().expired.total(), 0U);
}

TEST(ExpiredSessions, TheNewestAreKept) {
  ExpiredSessions expired;
  for (int i = 0; i < 150; ++i) {
    ExpiredSession session;
    session.id = SessionId{i};
    expired.decided(session);
    if (i % 10 == 9) {
      expired.lives_on(SessionId{i});
      expired.ended(SessionId{i});
      expired.decided(session);
    }
    expired.ended(SessionId{i});
    expired.ended(SessionId{i});
  }
  ASSERT_EQ(expired.newest().size(), ExpiredSessions::kCapacity);
  EXPECT_EQ(expired.newest().front().id, SessionId{50});
  EXPECT_EQ(expired.newest().back().id, SessionId{149});
  EXPECT_EQ(expired.total(), 150U);
}

TEST(StillTimes, TellWhatOverlaps) {
  StillTimes still;
  const auto at = [](int ms) { return StillTimes::Time{milliseconds{100'000 + ms}}; };
  still.record(at(0), at(249));
  EXPECT_EQ(still.overlap(at(0), at(10'000)).total, nanoseconds{0}) << "as long as a tick may take";
  still.record(at(0), at(1'000));
  still.record(at(2'000), at(5'000));
  EXPECT_EQ(still.overlap(at(500), at(3'000)).total, milliseconds{1'500});
  EXPECT_EQ(still.overlap(at(500), at(3'000)).longest, milliseconds{1'000});
  EXPECT_EQ(still.overlap(at(1'000), at(2'000)).total, nanoseconds{0});
  for (std::size_t i = 0; i < StillTimes::kCapacity; ++i) still.record(at(6'000), at(6'300));
  EXPECT_EQ(still.overlap(at(0), at(5'000)).total, nanoseconds{0}) << "the oldest are forgotten";
}

}  // namespace
}  // namespace wk::replica
