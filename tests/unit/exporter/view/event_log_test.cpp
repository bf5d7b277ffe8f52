#include "exporter/view/event_log.h"

#include <gtest/gtest.h>

namespace wk::exporter {
namespace {

TEST(EventLog, GivesRisingIdsAndReturnsWhatCameAfter) {
  EventLog log;
  for (int i = 0; i < 3; ++i) log.append(Event{});
  ASSERT_EQ(log.after(0, 10).size(), 3U);
  EXPECT_EQ(log.after(0, 10).front().id, 1U);
  EXPECT_EQ(log.after(2, 10).front().id, 3U);
  EXPECT_TRUE(log.after(3, 10).empty());
}

TEST(EventLog, LimitKeepsTheNewest) {
  EventLog log;
  for (int i = 0; i < 5; ++i) log.append(Event{});
  const auto events = log.after(0, 2);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].id, 4U);
}

TEST(EventLog, OldestLeavesAFullLogAndIsCounted) {
  EventLog log;
  for (std::size_t i = 0; i < EventLog::kLimit + 7; ++i) log.append(Event{});
  EXPECT_EQ(log.dropped(), 7U);
  EXPECT_EQ(log.after(0, EventLog::kLimit * 2).size(), EventLog::kLimit);
  EXPECT_EQ(log.after(0, EventLog::kLimit).front().id, 8U);
}

}  // namespace
}  // namespace wk::exporter
