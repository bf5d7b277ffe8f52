#include "base/near_miss.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace wk {
namespace {

constexpr std::array<std::string_view, 4> kKnown{"interval", "timeout", "members", "tls"};

TEST(NearMiss, FindsMissingExtraWrongAndSwappedLetters) {
  EXPECT_EQ(near_miss("interva", kKnown), "interval");
  EXPECT_EQ(near_miss("intervals", kKnown), "interval");
  EXPECT_EQ(near_miss("timeiut", kKnown), "timeout");
  EXPECT_EQ(near_miss("memebrs", kKnown), "members");
  EXPECT_EQ(near_miss("tsl", kKnown), "tls");
}

TEST(NearMiss, IgnoresCase) { EXPECT_EQ(near_miss("TimeOut", kKnown), "timeout"); }

TEST(NearMiss, IsSilentWhenNothingIsClose) {
  EXPECT_EQ(near_miss("password", kKnown), "");
  EXPECT_EQ(near_miss("", kKnown), "");
  EXPECT_EQ(near_miss(std::string(100'000, 'x'), kKnown), "");
  EXPECT_EQ(did_you_mean("password", kKnown), "");
}

TEST(NearMiss, MakesASentence) { EXPECT_EQ(did_you_mean("timeot", kKnown), "; did you mean \"timeout\"?"); }

}  // namespace
}  // namespace wk
