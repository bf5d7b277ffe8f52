#include "exporter/poll/answer_buffer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace wk::exporter {
namespace {

void fill(AnswerBuffer& buffer, std::string_view text) {
  while (!text.empty()) {
    const auto room = buffer.room();
    const std::size_t count = std::min(room.size(), text.size());
    std::memcpy(room.data(), text.data(), count);
    buffer.commit(count);
    text.remove_prefix(count);
  }
}

TEST(AnswerBuffer, KeepsTextAcrossGrowth) {
  std::string text;
  for (int i = 0; text.size() < 3 * AnswerBuffer::kFirstBytes; ++i) text += std::to_string(i) + ' ';
  AnswerBuffer buffer(std::size_t{1} << 20);
  fill(buffer, text);
  EXPECT_EQ(buffer.text(), text);
  EXPECT_FALSE(buffer.overflown());
}

TEST(AnswerBuffer, AnswerOfExactlyTheLimitIsNotOverflown) {
  AnswerBuffer buffer(100);
  fill(buffer, std::string(100, 'x'));
  EXPECT_FALSE(buffer.overflown());
  EXPECT_EQ(buffer.room().size(), 1U);
}

TEST(AnswerBuffer, OneByteMoreOverflows) {
  AnswerBuffer buffer(100);
  fill(buffer, std::string(101, 'x'));
  EXPECT_TRUE(buffer.overflown());
}

TEST(AnswerBuffer, NeverHoldsMoreThanTheLimitAndOneByte) {
  AnswerBuffer buffer(100'000);
  std::size_t total = 0;
  while (!buffer.overflown()) {
    const std::size_t count = buffer.room().size();
    buffer.commit(count);
    total += count;
  }
  EXPECT_EQ(total, 100'001U);
}

TEST(AnswerBuffer, LinesAreTakenOutAndThePartOfOneStays) {
  AnswerBuffer buffer(100);
  fill(buffer, "drop 1\nkeep 1\n\ndrop 2\ndrop 3\nkeep 2\ndrop");
  const auto needless = [](std::string_view line) { return line.starts_with("drop"); };
  EXPECT_EQ(buffer.take_out_lines(needless), 3U);
  EXPECT_EQ(buffer.text(), "keep 1\n\nkeep 2\ndrop");
  fill(buffer, " 4\nkeep 3\n");
  EXPECT_EQ(buffer.take_out_lines(needless), 1U);
  EXPECT_EQ(buffer.text(), "keep 1\n\nkeep 2\nkeep 3\n");
  EXPECT_EQ(buffer.take_out_lines(needless), 0U);
  EXPECT_EQ(AnswerBuffer(10).take_out_lines(needless), 0U);
}

TEST(AnswerBuffer, ThereIsRoomAgainOnceLinesAreTakenOut) {
  AnswerBuffer buffer(100);
  fill(buffer, std::string(60, 'a') + '\n' + std::string(40, 'b'));
  EXPECT_TRUE(buffer.overflown());
  EXPECT_EQ(buffer.take_out_lines([](std::string_view line) { return line.starts_with('a'); }), 1U);
  EXPECT_FALSE(buffer.overflown());
  EXPECT_EQ(buffer.room().size(), 61U);
  EXPECT_EQ(buffer.text(), std::string(40, 'b'));
}

TEST(AnswerBuffer, IsEmptyAtFirst) { EXPECT_EQ(AnswerBuffer(10).text(), ""); }

}  // namespace
}  // namespace wk::exporter
