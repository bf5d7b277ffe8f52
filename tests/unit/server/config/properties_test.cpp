#include "server/config/properties.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace wk::config {
namespace {

using Pair = std::pair<std::string, std::string>;

std::vector<Pair> pairs(std::string_view text) {
  Diagnostics diagnostics;
  std::vector<Pair> found;
  for (const Property& property : parse_properties("zoo.cfg", text, diagnostics))
    found.emplace_back(property.key, property.value);
  EXPECT_TRUE(diagnostics.empty()) << diagnostics.front().to_string();
  return found;
}

TEST(Properties, SeparatorsAreEqualsColonAndBlank) {
  EXPECT_EQ(pairs("a=1\nb:2\nc 3\n d = 4 \ne\t:\t5\nf  = = 6"),
            (std::vector<Pair>{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}, {"e", "5"}, {"f", "= 6"}}));
}

TEST(Properties, CommentsStandOnLinesOfTheirOwn) {
  EXPECT_EQ(pairs("# one\n! two\n  # three\na=1 # four\nb=2!"),
            (std::vector<Pair>{{"a", "1 # four"}, {"b", "2!"}}));
}

TEST(Properties, BackslashAtTheEndJoinsLinesAndDropsLeadingBlanks) {
  EXPECT_EQ(pairs("a=1,\\\n   2,\\\r\n\t3\nb=x\\\\\nc=4"),
            (std::vector<Pair>{{"a", "1,2,3"}, {"b", "x\\"}, {"c", "4"}}));
}

TEST(Properties, ACommentAfterAContinuationIsPartOfTheValue) {
  EXPECT_EQ(pairs("a=1\\\n#2\n"), (std::vector<Pair>{{"a", "1#2"}}));
}

TEST(Properties, EscapesBecomeCharacters) {
  EXPECT_EQ(pairs("k\\=e\\:y\\ z=C\\:\\\\data\\q\n"), (std::vector<Pair>{{"k=e:y z", "C:\\dataq"}}));
  EXPECT_EQ(pairs("a=\\u00e4\\u20ac\\ud83d\\ude00"), (std::vector<Pair>{{"a", "ä€😀"}}));
}

TEST(Properties, KeyWithoutValueHasAnEmptyOne) {
  EXPECT_EQ(pairs("a\nb=\nc"), (std::vector<Pair>{{"a", ""}, {"b", ""}, {"c", ""}}));
}

TEST(Properties, LinesAreNumberedWhereTheEntryBegins) {
  Diagnostics diagnostics;
  const auto found = parse_properties("zoo.cfg", "# c\r\na=\\\r\n1\r\n\rb=2", diagnostics);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].line, 2);
  EXPECT_EQ(found[1].line, 5);
}

TEST(Properties, ByteOrderMarkIsDroppedAndTold) {
  Diagnostics diagnostics;
  const auto found = parse_properties("zoo.cfg", "\xEF\xBB\xBFtickTime=2000\n", diagnostics);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].key, "tickTime");
  ASSERT_EQ(diagnostics.size(), 1U);
  EXPECT_EQ(diagnostics[0].severity, Severity::kWarning);
}

TEST(Properties, BytesOutsideAsciiAreLatin1AsInJava) {
  Diagnostics diagnostics;
  const auto found = parse_properties("zoo.cfg", "dataDir=/\xC3\xBC\n", diagnostics);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].value, "/Ã¼");
  ASSERT_EQ(diagnostics.size(), 1U);
  EXPECT_EQ(diagnostics[0].place.line, 1);
}

TEST(Properties, MalformedUnicodeEscapeIsAnError) {
  Diagnostics diagnostics;
  parse_properties("zoo.cfg", "a=1\nb=\\u12g4\n", diagnostics);
  ASSERT_EQ(diagnostics.size(), 1U);
  EXPECT_EQ(diagnostics[0].to_string(),
            "zoo.cfg:2: error: Malformed \\uxxxx encoding.; write \\u and four hexadecimal digits");
  EXPECT_EQ(exit_code(diagnostics), 2);
}

TEST(Properties, AnyBytesAreReadWithoutHarm) {
  std::string text;
  for (int i = 0; i < 256; ++i) text += static_cast<char>(i);
  text += text + "\\";
  Diagnostics diagnostics;
  EXPECT_FALSE(parse_properties("zoo.cfg", text, diagnostics).empty());
}

}  // namespace
}  // namespace wk::config
