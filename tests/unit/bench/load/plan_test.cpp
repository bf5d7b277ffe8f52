#include "bench/load/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wk::bench {
namespace {

double share(const Mix& mix, Operation operation) { return mix.at(static_cast<std::size_t>(operation)); }

TEST(ParseMix, OneWordIsAllOfIt) {
  const auto mix = parse_mix("create");
  ASSERT_TRUE(mix);
  EXPECT_EQ(share(*mix, Operation::kCreate), 1);
  EXPECT_EQ(share(*mix, Operation::kGet), 0);
}

TEST(ParseMix, SharesAreTaken) {
  const auto mix = parse_mix("get=90,set=9.5,get=1");
  ASSERT_TRUE(mix);
  EXPECT_EQ(share(*mix, Operation::kGet), 91);
  EXPECT_EQ(share(*mix, Operation::kSet), 9.5);
}

TEST(ParseMix, MistakesAreNamed) {
  for (const auto* const wrong :
       {"gte=90", "get=x", "get=", "get=-1", "get=nan", "get=1e99", "get=90;set=10", ",get"}) {
    const auto mix = parse_mix(wrong);
    ASSERT_FALSE(mix) << wrong;
    EXPECT_THAT(mix.error().message, testing::StartsWith("--mix: ")) << wrong;
  }
  EXPECT_THAT(parse_mix("gte").error().message, testing::HasSubstr("get, exists, set, create, delete, sync"));
}

TEST(ParseMix, NothingToDoIsAMistake) {
  EXPECT_FALSE(parse_mix(""));
  EXPECT_FALSE(parse_mix("get=0,set=0"));
}

}  // namespace
}  // namespace wk::bench
