#include "server/tree/path.h"

#include <gtest/gtest.h>

#include <string>

namespace wk::tree {
namespace {

/// UTF-8 of one code point, surrogates included (which no encoder of text would write).
std::string utf8(char32_t point) {
  const auto byte = [](char32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
  if (point < 0x80) return {byte(point)};
  if (point < 0x800) return {byte(0xc0 | point >> 6), byte(0x80 | (point & 0x3f))};
  if (point < 0x10000)
    return {byte(0xe0 | point >> 12), byte(0x80 | (point >> 6 & 0x3f)), byte(0x80 | (point & 0x3f))};
  return {byte(0xf0 | point >> 18), byte(0x80 | (point >> 12 & 0x3f)), byte(0x80 | (point >> 6 & 0x3f)),
          byte(0x80 | (point & 0x3f))};
}

TEST(Path, OrdinaryPathsAreValid) {
  for (const char* path : {"/", "/a", "/a/b/c", "/.a", "/a.", "/..a", "/...", "/a/...", "/ ", "/a b", "/~"})
    EXPECT_TRUE(is_valid_path(path)) << path;
}

TEST(Path, MalformedShapesAreInvalid) {
  for (const char* path : {"", "a", "a/b", "//", "/a/", "//a", "/a//b", "/.", "/..", "/./a", "/../a", "/a/.",
                           "/a/..", "/a/./b", "/a/../b"})
    EXPECT_FALSE(is_valid_path(path)) << path;
  EXPECT_FALSE(is_valid_path(std::string_view("/a\0b", 4)));
}

TEST(Path, CharactersAtTheEdgesOfTheForbiddenRanges) {
  const struct {
    char32_t point;
    bool valid;
  } cases[] = {{0x01, false},   {0x1f, false},    {0x20, true},    {0x7e, true},    {0x7f, false},
               {0x80, false},   {0x9f, false},    {0xa0, true},    {0xe9, true},    {0x7ff, true},
               {0x800, true},   {0xd7ff, true},   {0xd800, false}, {0xdfff, false}, {0xe000, false},
               {0xf8ff, false}, {0xf900, true},   {0xffef, true},  {0xfff0, false}, {0xfffd, false},
               {0xffff, false}, {0x10000, false}, {0x1f600, false}};
  for (const auto& [point, valid] : cases)
    EXPECT_EQ(is_valid_path("/a" + utf8(point) + "b"), valid) << std::hex << static_cast<unsigned>(point);
}

TEST(Path, MalformedUtf8IsInvalid) {
  for (const char* bytes : {"/\x80", "/\xc3", "/\xc3(", "/\xe2\x82", "/\xe2(\xa1", "/\xc0\xaf", "/\xc1\xbf",
                            "/\xe0\x9f\xbf", "/\xff", "/\xf0\x9f\x98", "/a\xc3/b"})
    EXPECT_FALSE(is_valid_path(bytes)) << testing::PrintToString(std::string(bytes));
}

TEST(Path, ParentAndName) {
  EXPECT_EQ(parent_of("/a"), "");
  EXPECT_EQ(name_of("/a"), "a");
  EXPECT_EQ(parent_of("/a/b"), "/a");
  EXPECT_EQ(name_of("/a/b"), "b");
  EXPECT_EQ(parent_of("/p//x"), "/p/");
  EXPECT_EQ(name_of("/a/"), "");
  EXPECT_EQ(parent_of("a"), "");
  EXPECT_EQ(name_of("a"), "a");
}

TEST(Path, OnlyWhatBeginsWithASlashAndEndsWithoutHasParentAndName) {
  EXPECT_TRUE(has_parent_and_name("/a"));
  EXPECT_TRUE(has_parent_and_name("/a/b"));
  EXPECT_FALSE(has_parent_and_name(""));
  EXPECT_FALSE(has_parent_and_name("/"));
  EXPECT_FALSE(has_parent_and_name("/a/"));
  EXPECT_FALSE(has_parent_and_name("a/b"));
}

TEST(Path, ReservedPaths) {
  for (const char* path : {"/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"})
    EXPECT_TRUE(is_reserved_path(path)) << path;
  for (const char* path : {"", "/zookeeper/", "/zookeeper/quota/a", "/zookeepe", "/config"})
    EXPECT_FALSE(is_reserved_path(path)) << path;
}

TEST(Path, Utf16LengthCountsUnitsNotBytes) {
  EXPECT_EQ(utf16_length(""), 0U);
  EXPECT_EQ(utf16_length("/a"), 2U);
  EXPECT_EQ(utf16_length("/" + utf8(0xe9) + utf8(0x20ac)), 3U);
  EXPECT_EQ(utf16_length(utf8(0x1f600)), 2U);
}

}  // namespace
}  // namespace wk::tree
