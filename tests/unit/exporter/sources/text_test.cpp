#include "exporter/sources/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace wk::exporter {
namespace {

TEST(Printable, KeepsValidUtf8AndReplacesTheRest) {
  EXPECT_EQ(clean_text("a\tb\x7f", 10), "a?b?");
  EXPECT_EQ(clean_text("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", 10), "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(clean_text("\xC0\xAF\xED\xA0\x80\xF4\x90\x80\x80", 20), "?????????");
  EXPECT_EQ(clean_text("\xC2\x85", 10), "?");
  EXPECT_EQ(clean_text("ab\xC3\xA4", 3), "ab") << "a character is not cut";
  EXPECT_EQ(clean_text("\xE2\x82", 10), "??");
  EXPECT_EQ(clean_text("", 10), "");
}

TEST(Lines, SplitsAtLineFeeds) {
  Lines lines("a\r\n\nb");
  EXPECT_EQ(lines.next(), "a");
  EXPECT_EQ(lines.next(), "");
  EXPECT_EQ(lines.next(), "b");
  EXPECT_EQ(lines.next(), std::nullopt);
  EXPECT_EQ(Lines("").next(), std::nullopt);
}

TEST(ParseNumber, FormsOfJavaAndPrometheus) {
  EXPECT_EQ(parse_number("1.795295528564E9"), 1795295528.564);
  EXPECT_EQ(parse_number("-3"), -3);
  EXPECT_EQ(parse_number("+Inf"), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(*parse_number("NaN")));
  for (const char* bad : {"", "+", "++1", "1 ", " 1", "0x10", "1,5", "1e400", "one"})
    EXPECT_EQ(parse_number(bad), std::nullopt) << bad;
}

TEST(ParseZxid, HexadecimalAfterPrefixElseDecimal) {
  EXPECT_EQ(parse_zxid("0x100000155"), Zxid{0x100000155});
  EXPECT_EQ(parse_zxid("0xffffffffffffffff"), Zxid{~std::uint64_t{0}});
  EXPECT_EQ(parse_zxid("36"), Zxid{36});
  for (const char* bad : {"", "0x", "36x", "-1", "0x10000000000000000"})
    EXPECT_EQ(parse_zxid(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace wk::exporter
