// What a Watchkeeper server tells of its inside, as a scrape shows it.
#include "exporter/catalogue/inside_rows.h"

#include <gtest/gtest.h>

#include "snapshot_builder.h"

namespace wk::exporter {
namespace {

using namespace test;

const std::string kMember = "ensemble=default,member=zk1:2181";
const std::string kLastPurge = "watchkeeper_server_last_purge_timestamp_seconds";

MemberView server(std::chrono::nanoseconds age = 0s) {
  auto member = serving_member("zk1:2181", Role::kStandalone, full_status(Role::kStandalone), age);
  change_facts(member, [](MemberFacts& facts) { facts.internals = full_internals(); });
  return member;
}

TEST(InsideRows, ShowWhatTheServerTold) {
  const auto seen = scrape(snapshot_of({server()}), only_native());
  EXPECT_EQ(seen("watchkeeper_server_write_stage_duration_seconds_count", kMember + ",stage=fsync"), 4);
  EXPECT_EQ(seen("watchkeeper_server_write_stage_duration_seconds_sum", kMember + ",stage=fsync"), 0.012);
  EXPECT_EQ(seen("watchkeeper_server_write_stage_duration_seconds_count", kMember + ",stage=prepare"), 0);
  EXPECT_EQ(seen("watchkeeper_server_write_duration_seconds_sum", kMember), 0.02);
  EXPECT_EQ(seen("watchkeeper_server_operations_total", kMember + ",operation=getData"), 7);
  EXPECT_EQ(seen("watchkeeper_server_operations_total", kMember + ",operation=create"), 0);
  EXPECT_EQ(seen("watchkeeper_server_operation_errors_total", kMember + ",operation=getData"), 2);
  EXPECT_EQ(seen("watchkeeper_server_operation_duration_seconds_count", kMember + ",operation=getData"), 7);
  EXPECT_EQ(seen("watchkeeper_server_transactions_total", kMember + ",result=ok"), 7);
  EXPECT_EQ(seen("watchkeeper_server_transactions_total", kMember + ",result=failed"), 2);
  EXPECT_EQ(seen("watchkeeper_server_snapshot_duration_seconds_sum", kMember), 6);
  EXPECT_EQ(seen("watchkeeper_server_snapshots_total", kMember + ",result=ok"), 3);
  EXPECT_EQ(seen("watchkeeper_server_last_snapshot_timestamp_seconds", kMember), 1'700'000'000);
  EXPECT_EQ(seen(kLastPurge, kMember + ",result=ok"), 1'700'000'100);
  EXPECT_EQ(seen(kLastPurge, kMember + ",result=failed"), 1'700'000'200);
  EXPECT_EQ(seen("watchkeeper_server_longest_wake_up_seconds", kMember), 0.25);
  EXPECT_EQ(seen("watchkeeper_server_connections", kMember + ",state=open"), 5);
  EXPECT_EQ(seen("watchkeeper_server_connections_closed_total", kMember + ",reason=session_expired"), 6);
  EXPECT_EQ(seen("watchkeeper_server_limits_hit_total", kMember + ",limit=log_space"), 2);
  EXPECT_EQ(seen("watchkeeper_server_watch_fan_out_count", kMember + ",event=deleted"), 1);
  EXPECT_EQ(seen("watchkeeper_server_watch_fan_out_sum", kMember + ",event=deleted"), 1'000);
  EXPECT_EQ(seen("watchkeeper_server_sessions_by_timeout_used", kMember + ",used=overdue"), 1);
  EXPECT_EQ(seen("watchkeeper_server_session_near_misses_total", kMember), 11);
  EXPECT_EQ(seen("watchkeeper_server_session_expiries_total", kMember + ",cause=nothing_heard"), 8);
  EXPECT_EQ(seen("watchkeeper_server_largest_znode_bytes", kMember), 900'000);
  EXPECT_EQ(seen("watchkeeper_server_largest_child_list", kMember), 40'000);
  EXPECT_EQ(seen("watchkeeper_server_largest_child_list_reply_bytes", kMember), 700'004);
  EXPECT_EQ(seen("watchkeeper_server_longest_lock_queue", kMember), 14);
  EXPECT_EQ(seen("watchkeeper_server_most_watched_path_watchers", kMember), 1'000);
  EXPECT_EQ(seen("watchkeeper_server_survey_age_seconds", kMember + ",survey=znodes"), 3);
  EXPECT_EQ(seen("watchkeeper_server_survey_busy_seconds_total", kMember + ",survey=znodes"), 1.5);
  EXPECT_EQ(seen("watchkeeper_server_survey_busy_seconds_total", kMember + ",survey=watches"), 0);
  EXPECT_EQ(seen("watchkeeper_server_memory_bytes", kMember + ",part=watches"), 1'048'576);
  EXPECT_EQ(seen("watchkeeper_server_limit_used", kMember + ",limit=child_list_reply"), 700'004);
  EXPECT_EQ(seen("watchkeeper_server_limit_bound", kMember + ",limit=descriptors"), 1'024);
  EXPECT_EQ(seen("watchkeeper_server_limit_left_seconds", kMember + ",limit=child_list_reply"), 90);
  EXPECT_FALSE(seen("watchkeeper_server_limit_left_seconds", kMember + ",limit=descriptors").has_value())
      << "it does not grow";
  EXPECT_FALSE(
      seen("watchkeeper_server_operation_duration_seconds_count", kMember + ",operation=create").has_value())
      << "nobody has asked for it";
}

TEST(InsideRows, BucketsOfCrowdsAreWhatTheyCount) {
  const auto families = collected(snapshot_of({server()}), only_native(), noon());
  const auto found =
      std::ranges::find(families, "watchkeeper_server_watch_fan_out", &prometheus::MetricFamily::name);
  ASSERT_NE(found, families.end());
  const auto& buckets = found->metric.at(0).histogram.bucket;
  ASSERT_EQ(buckets.size(), kCrowdBounds.size() + 1);
  EXPECT_EQ(buckets[8].upper_bound, 500);
  EXPECT_EQ(buckets[8].cumulative_count, 0U);
  EXPECT_EQ(buckets[9].upper_bound, 1'000);
  EXPECT_EQ(buckets[9].cumulative_count, 1U);
}

TEST(InsideRows, AreAbsentForServersThatTellNothingOfTheirInside) {
  const auto seen =
      scrape(snapshot_of({serving_member("zk1:2181", Role::kStandalone, full_status(Role::kStandalone))}),
             only_native());
  for (const CatalogueRow& row : native_catalogue())
    if (row.group == Group::kInside) {
      EXPECT_FALSE(seen.has(row.name)) << row.name;
    }
}

TEST(InsideRows, WhatASurveyHasNotFoundYetIsAbsentAndNotZero) {
  auto member = server();
  change_facts(member, [](MemberFacts& facts) {
    auto inside = std::make_shared<ServerInternals>(*facts.internals);
    inside->tree_survey.finished.reset();
    inside->session_survey.finished.reset();
    inside->most_watched.clear();
    facts.internals = inside;
  });
  const auto seen = scrape(snapshot_of({member}), only_native());
  EXPECT_FALSE(seen.has("watchkeeper_server_largest_znode_bytes"));
  EXPECT_FALSE(seen.has("watchkeeper_server_sessions_by_timeout_used"));
  EXPECT_EQ(seen("watchkeeper_server_most_watched_path_watchers", kMember), 0)
      << "looked for, and none there";
  EXPECT_FALSE(seen("watchkeeper_server_survey_age_seconds", kMember + ",survey=znodes").has_value());
}

TEST(InsideRows, ARunOfAutopurgeThatHasNotHappenedHasNoTime) {
  auto member = server();
  change_facts(member, [](MemberFacts& facts) {
    auto inside = std::make_shared<ServerInternals>(*facts.internals);
    inside->last_purge_failed.reset();
    facts.internals = inside;
  });
  const auto seen = scrape(snapshot_of({member}), only_native());
  EXPECT_TRUE(seen(kLastPurge, kMember + ",result=ok").has_value());
  EXPECT_FALSE(seen(kLastPurge, kMember + ",result=failed").has_value());
}

TEST(InsideRows, VanishWithTheStatusTheyCameWith) {
  EXPECT_TRUE(scrape(snapshot_of({server(10s)}), only_native()).has("watchkeeper_server_log_full"));
  EXPECT_FALSE(scrape(snapshot_of({server(11s)}), only_native()).has("watchkeeper_server_log_full"));
}

}  // namespace
}  // namespace wk::exporter
