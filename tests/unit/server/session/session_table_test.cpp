#include "server/session/session_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

namespace wk::session {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr SessionId kA{0xa};
constexpr SessionId kB{0xb};

SessionTable::Time at(int ms) { return SessionTable::Time{milliseconds{ms}}; }

SessionTable tracking() {
  SessionTable table(milliseconds{1'000});
  table.start_tracking(at(0));
  return table;
}

std::vector<SessionId> take_all(SessionTable& table, SessionTable::Time now) {
  std::vector<SessionId> ids;
  while (const auto id = table.take_due(now)) ids.push_back(*id);
  return ids;
}

std::map<std::int64_t, std::int32_t> committed(const SessionTable& table) {
  std::map<std::int64_t, std::int32_t> sessions;
  table.for_each_committed([&](SessionId id, std::int32_t timeout_ms) { sessions[id.value] = timeout_ms; });
  return sessions;
}

TEST(TimeoutBounds, ClampsWhateverAClientAsksFor) {
  const TimeoutBounds bounds{milliseconds{4'000}, milliseconds{40'000}};
  EXPECT_EQ(bounds.clamp(-1), milliseconds{4'000});
  EXPECT_EQ(bounds.clamp(0), milliseconds{4'000});
  EXPECT_EQ(bounds.clamp(3'999), milliseconds{4'000});
  EXPECT_EQ(bounds.clamp(10'001), milliseconds{10'001});
  EXPECT_EQ(bounds.clamp(2'147'483'647), milliseconds{40'000});
}

TEST(SessionTable, RemembersTheLongestGapAndCountsNearMisses) {
  SessionTable table = tracking();
  table.open(kA, milliseconds{3'000}, at(1'000));
  table.touch(kA, milliseconds{3'000}, at(2'000));
  table.touch(kA, milliseconds{3'000}, at(4'000));
  EXPECT_EQ(table.near_misses(), 0U) << "two thirds are no near miss yet";
  table.touch(kA, milliseconds{3'000}, at(6'001));
  table.touch(kA, milliseconds{3'000}, at(6'001));
  table.touch(kA, milliseconds{3'000}, at(6'500));
  EXPECT_EQ(table.near_misses(), 1U);
  const auto liveness = table.liveness(kA);
  ASSERT_TRUE(liveness);
  EXPECT_EQ(liveness->id, kA);
  EXPECT_EQ(liveness->timeout, milliseconds{3'000});
  EXPECT_EQ(liveness->heard, at(6'500));
  EXPECT_EQ(liveness->longest_gap, milliseconds{2'001});
  EXPECT_FALSE(table.liveness(kB));
}

TEST(SessionTable, OneTouchAMomentIsEnoughButANewTimeoutCounts) {
  SessionTable table = tracking();
  table.open(kA, milliseconds{3'000}, at(1'000));
  EXPECT_EQ(table.touch(kA, milliseconds{3'000}, at(1'500)), SessionState::kOpen);
  EXPECT_EQ(table.touch(kA, milliseconds{20'000}, at(1'500)), SessionState::kOpen);
  EXPECT_TRUE(take_all(table, at(10'000)).empty()) << "the longer timeout holds";
  // Taken and not closed yet: being heard of puts it back.
  EXPECT_THAT(take_all(table, at(30'000)), ElementsAre(kA));
  EXPECT_EQ(table.touch(kA, milliseconds{20'000}, at(30'000)), SessionState::kOpen);
  EXPECT_EQ(table.touch(kA, milliseconds{20'000}, at(30'000)), SessionState::kOpen);
  EXPECT_EQ(table.tracked_count(), 1U);
}

TEST(SessionTable, IsVisitedInSlicesThatLeaveTheDeadOut) {
  SessionTable table = tracking();
  for (int i = 1; i <= 10; ++i) table.open(SessionId{i}, milliseconds{3'000}, at(1'000));
  table.forget_uncommitted(SessionId{4});
  std::vector<SessionId> seen;
  std::size_t place = 0;
  int slices = 0;
  do {
    place =
        table.visit_liveness(place, 3, [&](const SessionTable::Liveness& one) { seen.push_back(one.id); });
    ++slices;
  } while (place != 0);
  EXPECT_EQ(slices, 4);
  EXPECT_EQ(seen.size(), 9U);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), SessionId{4}), 0);
}

TEST(SessionTable, AnOpenedSessionLivesBeforeItIsCommitted) {
  SessionTable table = tracking();
  EXPECT_TRUE(table.open(kA, milliseconds{4'000}, at(0)));
  EXPECT_FALSE(table.open(kA, milliseconds{4'000}, at(0)));
  EXPECT_EQ(table.state(kA), SessionState::kOpen);
  EXPECT_EQ(table.committed_count(), 0U);
  EXPECT_EQ(table.committed_timeout_ms(kA), std::nullopt);
  table.commit_open(kA, 4'000);
  EXPECT_THAT(committed(table), ElementsAre(Pair(0xa, 4'000)));
  EXPECT_EQ(table.state(kA), SessionState::kOpen);
  EXPECT_EQ(table.size(), 1U);
}

TEST(SessionTable, ReplayCommitsAndClosesIdempotently) {
  SessionTable table(milliseconds{1'000});
  table.commit_open(kA, 4'000);
  table.commit_open(kA, 5'000);
  table.commit_open(kB, 6'000);
  EXPECT_EQ(table.committed_count(), 2U);
  EXPECT_EQ(table.committed_timeout_ms(kA), 5'000);
  table.commit_close(kA);
  table.commit_close(kA);
  EXPECT_THAT(committed(table), ElementsAre(Pair(0xb, 6'000)));
  EXPECT_EQ(table.state(kA), SessionState::kUnknown);
  EXPECT_EQ(table.size(), 1U);
}

TEST(SessionTable, TrackingGivesRecoveredSessionsAFullTimeout) {
  SessionTable table(milliseconds{1'000});
  table.commit_open(kA, 4'000);
  EXPECT_EQ(table.tracked_count(), 0U);
  table.start_tracking(at(100'000));
  EXPECT_THAT(take_all(table, at(104'999)), ElementsAre());
  EXPECT_THAT(take_all(table, at(105'000)), ElementsAre(kA));
}

TEST(SessionTable, AResumedTimeoutLastsUntilTrackingStartsAgain) {
  SessionTable table = tracking();
  table.open(kA, milliseconds{4'000}, at(0));
  table.commit_open(kA, 4'000);
  EXPECT_EQ(table.touch(kA, milliseconds{20'000}, at(0)), SessionState::kOpen);
  EXPECT_THAT(take_all(table, at(20'999)), ElementsAre());
  table.start_tracking(at(0));
  EXPECT_THAT(take_all(table, at(5'000)), ElementsAre(kA));
}

TEST(SessionTable, TouchKeepsAlive) {
  SessionTable table = tracking();
  table.open(kA, milliseconds{4'000}, at(0));
  EXPECT_EQ(table.touch(kA, milliseconds{4'000}, at(3'500)), SessionState::kOpen);
  EXPECT_THAT(take_all(table, at(7'999)), ElementsAre());
  EXPECT_THAT(take_all(table, at(8'000)), ElementsAre(kA));
  EXPECT_EQ(table.touch(kB, milliseconds{4'000}, at(0)), SessionState::kUnknown);
}

TEST(SessionTable, AClosingSessionIsNeitherTouchedNorExpiredNorClosedTwice) {
  SessionTable table = tracking();
  table.open(kA, milliseconds{4'000}, at(0));
  EXPECT_TRUE(table.mark_closing(kA));
  EXPECT_FALSE(table.mark_closing(kA));
  EXPECT_FALSE(table.mark_closing(kB));
  EXPECT_EQ(table.state(kA), SessionState::kClosing);
  EXPECT_EQ(table.touch(kA, milliseconds{4'000}, at(0)), SessionState::kClosing);
  EXPECT_THAT(take_all(table, at(1'000'000)), ElementsAre());
}

TEST(SessionTable, ASessionThatStaysOpenAfterAllLivesAFullTimeoutMore) {
  SessionTable table = tracking();
  table.open(kA, milliseconds{4'000}, at(0));
  table.mark_closing(kA);
  table.unmark_closing(kA, at(50'000));
  EXPECT_EQ(table.state(kA), SessionState::kOpen);
  EXPECT_THAT(take_all(table, at(54'999)), ElementsAre());
  EXPECT_THAT(take_all(table, at(55'000)), ElementsAre(kA));
}

TEST(SessionTable, ForgetsOnlyWhatWasNeverCommitted) {
  SessionTable table = tracking();
  table.open(kA, milliseconds{4'000}, at(0));
  table.open(kB, milliseconds{4'000}, at(0));
  table.commit_open(kB, 4'000);
  table.forget_uncommitted(kA);
  table.forget_uncommitted(kB);
  EXPECT_EQ(table.state(kA), SessionState::kUnknown);
  EXPECT_EQ(table.state(kB), SessionState::kOpen);
}

TEST(SessionTable, PlacesAreReusedWithoutInheritance) {
  SessionTable table = tracking();
  table.open(kA, milliseconds{4'000}, at(0));
  table.bind(kA, ConnectionId{5});
  table.mark_closing(kA);
  table.commit_close(kA);
  table.open(kB, milliseconds{4'000}, at(0));
  EXPECT_EQ(table.state(kB), SessionState::kOpen);
  EXPECT_EQ(table.connection(kB), ConnectionId{});
  EXPECT_EQ(table.committed_count(), 0U);
}

TEST(SessionTable, RemembersTheConnectionOfASession) {
  SessionTable table = tracking();
  table.open(kA, milliseconds{4'000}, at(0));
  EXPECT_EQ(table.connection(kA), ConnectionId{});
  table.bind(kA, ConnectionId{9});
  table.bind(kB, ConnectionId{9});
  EXPECT_EQ(table.connection(kA), ConnectionId{9});
  EXPECT_EQ(table.connection(kB), ConnectionId{});
}

TEST(SessionTable, ShowsItsBuckets) {
  SessionTable table = tracking();
  table.open(kA, milliseconds{4'000}, at(0));
  table.open(kB, milliseconds{9'000}, at(0));
  std::vector<std::pair<int, SessionId>> seen;
  table.for_each_tracked([&](SessionTable::Time ends, SessionId id) {
    seen.emplace_back(std::chrono::duration_cast<milliseconds>(ends.time_since_epoch()).count(), id);
  });
  EXPECT_THAT(seen, ElementsAre(Pair(5'000, kA), Pair(10'000, kB)));
  EXPECT_EQ(table.expiry_occupancy().buckets, 2U);
  EXPECT_EQ(table.expiry_occupancy().most, 1U);
}

TEST(SessionTable, WithoutTrackingNobodyExpires) {
  SessionTable table = tracking();
  table.open(kA, milliseconds{4'000}, at(0));
  table.stop_tracking();
  EXPECT_EQ(table.touch(kA, milliseconds{4'000}, at(0)), SessionState::kOpen);
  EXPECT_THAT(take_all(table, at(1'000'000)), ElementsAre());
}

}  // namespace
}  // namespace wk::session
