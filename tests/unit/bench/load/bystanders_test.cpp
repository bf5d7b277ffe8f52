#include "bench/load/bystanders.h"

#include <gtest/gtest.h>

#include <chrono>

namespace wk::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

TEST(LatenciesWithin, TheMomentAtWhichARequestWasDueDecides) {
  const Clock::time_point zero{};
  const std::vector<Answer> answers{{zero + milliseconds{9}, nanoseconds{1}},
                                    {zero + milliseconds{10}, nanoseconds{2}},
                                    {zero + milliseconds{19}, milliseconds{50}},
                                    {zero + milliseconds{20}, nanoseconds{4}},
                                    {zero + milliseconds{35}, nanoseconds{5}}};
  const auto found = latencies_within(answers, {{zero + milliseconds{10}, zero + milliseconds{20}},
                                                {zero + milliseconds{30}, zero + milliseconds{40}}});
  EXPECT_EQ(found.count(), 3U);
  EXPECT_EQ(found.max(), milliseconds{50});
  EXPECT_EQ(found.quantile(0.5), nanoseconds{5});
  EXPECT_EQ(latencies_within(answers, {}).count(), 0U);
}

TEST(LatenciesWithin, OverlappingSpansCountAnAnswerOnce) {
  const Clock::time_point zero{};
  const std::vector<Answer> answers{{zero + milliseconds{5}, nanoseconds{1}}};
  const Span span{zero, zero + milliseconds{10}};
  EXPECT_EQ(latencies_within(answers, {span, span}).count(), 1U);
}

}  // namespace
}  // namespace wk::bench
