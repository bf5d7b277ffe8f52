#include "exporter/app/history_row.h"

#include <gtest/gtest.h>

#include "tests/unit/exporter/app/sample_snapshot.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

constexpr auto kMargin = static_cast<std::size_t>(EnsembleSeries::kQuorumMargin);
constexpr auto kState = static_cast<std::size_t>(MemberSeries::kState);
constexpr auto kZnodes = static_cast<std::size_t>(MemberSeries::kZnodes);

TEST(HistoryRow, NothingBeforeTheFirstSecond) {
  EXPECT_FALSE(latest_history_row(History(3), 3, sample::now().wall));
}

TEST(HistoryRow, TheNewestSecondOfAllSeries) {
  History history(3);
  EnsembleView view = sample::healthy_ensemble("a");
  history.append(view, sample::now());
  view.quorum_margin = -1;
  view.members[1].state = ServingState::kUnreachable;
  const Moment second = sample::now() + 1s;
  history.append(view, second);
  const auto row = latest_history_row(history, 3, second.wall);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->at, std::chrono::floor<std::chrono::seconds>(second.wall));
  ASSERT_EQ(row->members.size(), 3u);
  EXPECT_EQ(row->ensemble[kMargin], -1.0F);
  EXPECT_EQ(row->members[0][kState], static_cast<float>(ServingState::kServing));
  EXPECT_EQ(row->members[1][kState], static_cast<float>(ServingState::kUnreachable));
  EXPECT_EQ(row->members[0][kZnodes], std::nullopt) << "an unknown value is no zero";
}

TEST(HistoryRow, AClockThatWentBackLeavesTheNewestRow) {
  History history(3);
  EnsembleView view = sample::healthy_ensemble("a");
  history.append(view, sample::now() + 10s);
  view.quorum_margin = -2;
  history.append(view, sample::now());
  const auto row = latest_history_row(history, 3, sample::now().wall);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->at, std::chrono::floor<std::chrono::seconds>((sample::now() + 10s).wall));
  EXPECT_EQ(row->ensemble[kMargin], 1.0F);
}

}  // namespace
}  // namespace wk::exporter
