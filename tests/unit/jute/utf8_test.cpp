#include "jute/utf8.h"

#include <gtest/gtest.h>

namespace wk::jute {
namespace {

std::u32string characters(std::string_view text) {
  std::u32string out;
  while (!text.empty()) out.push_back(take_character(text));
  return out;
}

constexpr char32_t R = kReplacementCharacter;

TEST(TakeCharacter, DecodesEveryLength) {
  EXPECT_EQ(characters("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"), U"a\u00e9\u20ac\U0001f600z");
  EXPECT_EQ(characters(std::string_view("\0", 1)), std::u32string(1, U'\0'));
}

TEST(Cut, EndsBetweenCharacters) {
  const std::string_view text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
  const std::size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (std::size_t most = 0; most < std::size(ends); ++most)
    EXPECT_EQ(cut(text, most), text.substr(0, ends[most])) << most;
  EXPECT_EQ(cut("", 0), "");
  EXPECT_EQ(cut("\x80\x80\x80\x80\x80\x80", 5).size(), 5U) << "nothing of it is a character";
}

TEST(TakeCharacter, EdgesOfTheRanges) {
  EXPECT_EQ(characters("\xc2\x80\xdf\xbf"), U"\u0080\u07ff");
  EXPECT_EQ(characters("\xe0\xa0\x80\xef\xbf\xbf"), U"\u0800\uffff");
  EXPECT_EQ(characters("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), U"\U00010000\U0010ffff");
}

// Expected values: what `new String(bytes, UTF_8)` of Java 17 makes of them.
TEST(TakeCharacter, MalformedSequencesAreReplacedAsInJava) {
  EXPECT_EQ(characters("\x80"), (std::u32string{R}));
  EXPECT_EQ(characters("\xc0\x80"), (std::u32string{R, R}));
  EXPECT_EQ(characters("\xc3z"), (std::u32string{R, U'z'}));
  EXPECT_EQ(characters("\xe0\x80\x80"), (std::u32string{R, R, R}));
  EXPECT_EQ(characters("\xe2\x82z"), (std::u32string{R, U'z'}));
  EXPECT_EQ(characters("\xe2\x82"), (std::u32string{R}));
  EXPECT_EQ(characters("\xed\xa0\x80"), (std::u32string{R}));
  EXPECT_EQ(characters("\xf0\x80\x80\x80"), (std::u32string{R, R, R, R}));
  EXPECT_EQ(characters("\xf0\x9f\x98z"), (std::u32string{R, U'z'}));
  EXPECT_EQ(characters("\xf4\x90\x80\x80"), (std::u32string{R, R, R, R}));
  EXPECT_EQ(characters("\xf5\x80"), (std::u32string{R, R}));
  EXPECT_EQ(characters("\xff"), (std::u32string{R}));
}

TEST(WellFormed, TellsAWrittenReplacementCharacterFromAReplacedOne) {
  EXPECT_TRUE(is_well_formed(""));
  EXPECT_TRUE(is_well_formed("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd"));
  EXPECT_FALSE(is_well_formed("/a\xff"));
  EXPECT_FALSE(is_well_formed("\xed\xa0\x80"));
  EXPECT_FALSE(is_well_formed("\xef\xbf"));
}

TEST(Repaired, LeavesGoodTextAlone) {
  EXPECT_EQ(repaired("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(repaired("caf\xe9:x"), "caf\xef\xbf\xbd:x");
  EXPECT_EQ(repaired(""), "");
}

}  // namespace
}  // namespace wk::jute
