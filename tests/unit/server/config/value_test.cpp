#include "server/config/value.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace wk::config {
namespace {

TEST(StrictInt, AcceptsWhatParseIntAccepts) {
  EXPECT_EQ(parse_strict_int("2000"), 2000);
  EXPECT_EQ(parse_strict_int("-1"), -1);
  EXPECT_EQ(parse_strict_int("+7"), 7);
  EXPECT_EQ(parse_strict_int("007"), 7);
  EXPECT_EQ(parse_strict_int("2147483647"), std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(parse_strict_int("-2147483648"), std::numeric_limits<std::int32_t>::min());
}

TEST(StrictInt, RefusesEverythingElse) {
  for (const char* text : {"", "+", "-", "--1", "+-1", " 1", "1 ", "1.5", "0x10", "2147483648", "-2147483649",
                           "abc", "2000 # ms", "1_000", "99999999999999999999999"})
    EXPECT_EQ(parse_strict_int(text), std::nullopt) << text;
}

TEST(StrictLong, CoversSixtyFourBits) {
  EXPECT_EQ(parse_strict_long("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parse_strict_long("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse_strict_long("9223372036854775808"), std::nullopt);
}

TEST(DecodeInt, UnderstandsTheBasesOfJava) {
  EXPECT_EQ(decode_int("16"), 16);
  EXPECT_EQ(decode_int("0x10"), 16);
  EXPECT_EQ(decode_int("-0X10"), -16);
  EXPECT_EQ(decode_int("#10"), 16);
  EXPECT_EQ(decode_int("010"), 8);
  EXPECT_EQ(decode_int("0"), 0);
  EXPECT_EQ(decode_int("-0x80000000"), std::numeric_limits<std::int32_t>::min());
}

TEST(DecodeInt, RefusesWhatJavaRefuses) {
  for (const char* text : {"", "08", "0x", "0x-1", "#", "--1", "1k", "0x80000000"})
    EXPECT_EQ(decode_int(text), std::nullopt) << text;
}

TEST(StrictBool, IgnoresCaseAndNothingElse) {
  EXPECT_EQ(parse_strict_bool("TRUE"), true);
  EXPECT_EQ(parse_strict_bool("False"), false);
  EXPECT_EQ(parse_strict_bool("yes"), std::nullopt);
  EXPECT_EQ(parse_strict_bool("true "), std::nullopt);
}

TEST(Trimmed, LosesWhatJavaTakesForBlank) {
  EXPECT_EQ(trimmed(" \t\r\n\x01 a b\f "), "a b");
  EXPECT_EQ(trimmed(" \t "), "");
  EXPECT_EQ(trimmed("\u00a0a"), "\u00a0a");
}

TEST(ParseDouble, WantsAllOfIt) {
  EXPECT_EQ(parse_double("0.33"), 0.33);
  EXPECT_EQ(parse_double("-1"), -1.0);
  EXPECT_EQ(parse_double("0.33x"), std::nullopt);
  EXPECT_EQ(parse_double("nan"), std::nullopt);
}

}  // namespace
}  // namespace wk::config
