#include "exporter/model/facts.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>

namespace wk::exporter {
namespace {

const ZkMetric* row(std::string_view name) {
  const ZkMetric* found = find_zk_metric(name);
  EXPECT_NE(found, nullptr) << name;
  return found;
}

SummaryValue summary(double count, std::vector<Quantile> quantiles = {}) {
  SummaryValue value;
  value.count = count;
  value.quantiles = std::move(quantiles);
  return value;
}

TEST(OptionalNumber, IsAbsentUntilItIsGiven) {
  OptionalNumber number;
  EXPECT_FALSE(number.has_value());
  EXPECT_EQ(number, std::nullopt);
  EXPECT_EQ(number.value_or(7), 7);
  EXPECT_EQ(std::optional<double>(number), std::nullopt);
  number = 0.0;
  EXPECT_TRUE(number.has_value());
  EXPECT_EQ(*number, 0);
  EXPECT_EQ(number, 0);
  EXPECT_NE(number, std::nullopt);
  EXPECT_EQ(std::optional<double>(number), 0);
  number = std::nullopt;
  EXPECT_FALSE(number);
  EXPECT_EQ(number, OptionalNumber(std::numeric_limits<double>::quiet_NaN()));
}

TEST(Shared, CopiesAreTheSameValue) {
  const Shared<std::string> none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none.copy(), "");
  const Shared<std::string> text = std::string("abc");
  Shared<std::string> copy = text;
  EXPECT_EQ(&*copy, &*text);
  EXPECT_EQ(copy->size(), 3U);
  copy = std::string("other");
  EXPECT_EQ(*text, "abc");
}

TEST(Measurement, IsANumberOrASummary) {
  const Measurement number(row("znode_count"), "", 5);
  EXPECT_EQ(*number.number(), 5);
  EXPECT_EQ(number.summary(), nullptr);
  EXPECT_EQ(number.key(), "");
  const Measurement keyed(row("quota_count_limit_per_namespace"), "app", 6);
  EXPECT_EQ(*keyed.number(), 6);
  EXPECT_EQ(keyed.summary(), nullptr);
  EXPECT_EQ(keyed.key(), "app");
  const Measurement whole(row("ack_latency"), "3", summary(4));
  EXPECT_EQ(whole.number(), nullptr);
  EXPECT_EQ(whole.summary()->count, 4);
  EXPECT_EQ(whole.key(), "3");
  EXPECT_EQ(Measurement(row("fsynctime"), "", summary(1)).key(), "");
}

TEST(Measurement, SharesOnlyWhatIsTheSame) {
  const Measurement known(row("ack_latency"), "3", summary(4, {{0.5, 1}}));
  const auto shares = [&known](Measurement fresh) {
    fresh.share_with(known);
    return fresh.summary() == known.summary();
  };
  EXPECT_TRUE(shares({row("ack_latency"), "3", summary(4, {{0.5, 1}})}));
  EXPECT_FALSE(shares({row("ack_latency"), "2", summary(4, {{0.5, 1}})}));
  EXPECT_FALSE(shares({row("ack_latency"), "3", summary(5, {{0.5, 1}})}));
  EXPECT_FALSE(shares({row("ack_latency"), "3", summary(4, {{0.5, 2}})}));
  EXPECT_FALSE(shares({row("ack_latency"), "3", summary(4)}));
  Measurement number(row("quota_count_limit_per_namespace"), "app", 6);
  number.share_with(Measurement(row("quota_count_limit_per_namespace"), "app", 9));
  EXPECT_EQ(*number.number(), 6);
  EXPECT_EQ(number.key(), "app");
}

TEST(Measurement, TakesTheRoomOfFourNumbers) { EXPECT_EQ(sizeof(Measurement), 32U); }

}  // namespace
}  // namespace wk::exporter
