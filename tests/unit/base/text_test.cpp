#include "base/text.h"

#include <gtest/gtest.h>

#include <string>

namespace wk {
namespace {

TEST(FindControlCharacter, TextHasNone) {
  EXPECT_FALSE(find_control_character(""));
  EXPECT_FALSE(find_control_character("a: 1\r\n\tb: \xc3\xa4\x7f"));
}

TEST(FindControlCharacter, TellsWhereTheFirstOneStands) {
  const auto nul = find_control_character(std::string("a\nbc\0d\x01", 8));
  ASSERT_TRUE(nul);
  EXPECT_EQ(nul->line, 1U);
  EXPECT_EQ(nul->column, 2U);
  EXPECT_EQ(nul->value, 0);
  EXPECT_EQ(find_control_character("\x04")->value, 4);
}

TEST(SecondYamlDocument, TellsWhereItBegins) {
  for (const char* text :
       {"", "a: 1\n", "# comment\n---\na: 1\n", "%YAML 1.2\n---\na: 1\n", "a: |\n  ---\n", "a: ---b\n"})
    EXPECT_EQ(second_yaml_document(text), std::nullopt) << text;
  EXPECT_EQ(second_yaml_document("a: 1\n---\nb: 1\n"), 1u);
  EXPECT_EQ(second_yaml_document("--- a\n\n---\r\n"), 2u);
}

}  // namespace
}  // namespace wk
