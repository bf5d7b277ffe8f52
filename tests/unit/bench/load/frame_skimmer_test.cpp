#include "bench/load/frame_skimmer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace wk::bench {
namespace {

std::vector<std::byte> frame(const std::string& payload) {
  std::vector<std::byte> bytes{std::byte{0}, std::byte{0}, static_cast<std::byte>(payload.size() >> 8U),
                               static_cast<std::byte>(payload.size() & 0xffU)};
  for (const char letter : payload) bytes.push_back(static_cast<std::byte>(letter));
  return bytes;
}

std::string text(std::span<const std::byte> bytes) {
  std::string found;
  for (const std::byte byte : bytes) found.push_back(static_cast<char>(byte));
  return found;
}

/// The heads of all frames when the stream comes in parts of `part` bytes.
std::vector<std::string> heads(const std::vector<std::byte>& stream, std::size_t part) {
  FrameSkimmer<10> skimmer;
  std::vector<std::string> found;
  for (std::size_t begin = 0; begin < stream.size(); begin += part) {
    const std::span<const std::byte> bytes(stream.data() + begin, std::min(part, stream.size() - begin));
    const auto fed = skimmer.feed(bytes, [&](std::span<const std::byte> head) -> Result<bool> {
      found.push_back(text(head));
      return true;
    });
    EXPECT_TRUE(fed);
  }
  return found;
}

std::vector<std::byte> joined(const std::vector<std::string>& payloads) {
  std::vector<std::byte> stream;
  for (const std::string& payload : payloads) {
    const auto bytes = frame(payload);
    stream.insert(stream.end(), bytes.begin(), bytes.end());
  }
  return stream;
}

TEST(FrameSkimmer, HeadsAreTheSameHoweverTheStreamIsCut) {
  const auto stream = joined({"abcdef", "longer than its head", "", "ab", std::string(300, 'x'), "abcdefg"});
  const std::vector<std::string> expected{"abcdef", "longer", "", "ab", "xxxxxx", "abcdef"};
  for (const std::size_t part : {1U, 2U, 3U, 4U, 5U, 7U, 11U, 64U, 1000U})
    EXPECT_EQ(heads(stream, part), expected) << part;
}

TEST(FrameSkimmer, WhoHasHeardEnoughIsToldNothingMore) {
  FrameSkimmer<10> skimmer;
  int told = 0;
  const auto fed =
      skimmer.feed(joined({"one", "two", "three"}), [&](std::span<const std::byte>) -> Result<bool> {
        ++told;
        return told < 2;
      });
  EXPECT_TRUE(fed);
  EXPECT_EQ(told, 2);
}

TEST(FrameSkimmer, AnErrorOfTheOwnerIsPassedOn) {
  FrameSkimmer<10> skimmer;
  const auto fed = skimmer.feed(frame("one"), [](std::span<const std::byte>) -> Result<bool> {
    return Error{Errc::kInvalidInput, "no"};
  });
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().message, "no");
}

TEST(FrameSkimmer, AnAbsurdLengthIsAnError) {
  FrameSkimmer<10> skimmer;
  const std::vector<std::byte> bytes(4, std::byte{0x7f});
  const auto fed = skimmer.feed(bytes, [](std::span<const std::byte>) -> Result<bool> { return true; });
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, Errc::kTooLarge);
}

TEST(FrameSkimmer, ResetForgetsAHalfFrame) {
  FrameSkimmer<10> skimmer;
  std::vector<std::string> found;
  const auto take = [&](std::span<const std::byte> head) -> Result<bool> {
    found.push_back(text(head));
    return true;
  };
  const auto half = frame("abcdef");
  ASSERT_TRUE(skimmer.feed(std::span(half).first(7), take));
  skimmer.reset();
  ASSERT_TRUE(skimmer.feed(frame("new"), take));
  EXPECT_EQ(found, std::vector<std::string>{"new"});
}

}  // namespace
}  // namespace wk::bench
