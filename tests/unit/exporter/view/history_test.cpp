#include "exporter/view/history.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/exporter/view/ensemble_story.h"

namespace wk::exporter {
namespace {

using std::chrono::seconds;
using Wall = std::chrono::system_clock::time_point;

const Wall kStart{std::chrono::hours(24 * 365 * 50)};

TEST(History, RatesComeFromTwoVisitsAndAnOutageIsAGap) {
  EnsembleStory story;
  History history(3);
  for (int i = 0; i < 4; ++i) {
    story.second();
    story.answering[0].packets += 50;
    history.append(story.view(), story.now);
  }
  const auto column = static_cast<std::size_t>(MemberSeries::kRequestsPerSecond);
  const SeriesPoints points = history.member(0).query(column, seconds(1), Wall{});
  ASSERT_EQ(points.points.size(), 4U);
  EXPECT_FALSE(points.points[0].has_value());
  EXPECT_EQ(points.points[3], 50.0F);
  story.answering[0].state = SourceState::kTimedOut;
  story.second();
  history.append(story.view(), story.now);
  EXPECT_FALSE(history.member(0).query(column, seconds(1), Wall{}).points.back().has_value());
  const SeriesPoints margin =
      history.ensemble().query(static_cast<std::size_t>(EnsembleSeries::kQuorumMargin), seconds(1), Wall{});
  EXPECT_EQ(margin.points.back(), 0.0F);
}

}  // namespace
}  // namespace wk::exporter
