#include "jute/reader.h"

#include <gtest/gtest.h>

#include "bytes.h"
#include "jute/writer.h"

namespace wk::jute {
namespace {

TEST(Reader, NumbersAreBigEndianAndSigned) {
  const auto input = bytes("ff ff ff fe 80 00 00 00 00 00 00 01 00 07");
  Reader in(input);
  EXPECT_EQ(in.read_int(), -2);
  EXPECT_EQ(in.read_long(), std::int64_t{-0x7fffffffffffffff});
  EXPECT_FALSE(in.read_bool());
  EXPECT_TRUE(in.read_bool());  // any byte but zero
  EXPECT_EQ(in.remaining(), 0U);
  EXPECT_TRUE(in.status());
}

TEST(Reader, NullAndEmptyStringsDiffer) {
  const auto input = bytes("ff ff ff ff 00 00 00 00 00 00 00 02 61 00");
  Reader in(input);
  EXPECT_EQ(in.read_string(), std::nullopt);
  EXPECT_EQ(in.read_string(), "");
  EXPECT_EQ(in.read_string(), std::string("a\0", 2));
  EXPECT_TRUE(in.ok());
}

TEST(Reader, FirstFaultSticksAndNothingMoreIsRead) {
  const auto input = bytes("00 00 00 05 61 62 00 00 00 01");
  Reader in(input);
  EXPECT_EQ(in.read_string(), "ab" + std::string("\0\0\0", 3));
  EXPECT_EQ(in.read_int(), 0);
  ASSERT_FALSE(in.ok());
  EXPECT_EQ(in.read_bool(), false);
  EXPECT_EQ(in.remaining(), 1U);
  in.fail(Errc::kInvalidInput, "later");
  EXPECT_EQ(in.status().error().code, Errc::kTruncated);
  EXPECT_EQ(in.status().error().message, "record ends inside a number at byte 9 of 10");
}

TEST(Reader, NegativeStringLengthOtherThanNullIsInvalid) {
  const auto input = bytes("ff ff ff fe 00 00");
  Reader in(input);
  EXPECT_EQ(in.read_string(), std::nullopt);
  EXPECT_EQ(in.status().error().code, Errc::kInvalidInput);
}

TEST(Reader, StringLengthIsCheckedBeforeItIsBelieved) {
  const auto huge = bytes("7f ff ff ff 61");
  Reader in(huge);
  EXPECT_EQ(in.read_string(), std::nullopt);
  EXPECT_EQ(in.status().error().code, Errc::kTooLarge);

  const auto longer = bytes("00 00 00 02 61");
  Reader truncated(longer);
  EXPECT_EQ(truncated.read_string(), std::nullopt);
  EXPECT_EQ(truncated.status().error().code, Errc::kTruncated);
}

TEST(Reader, StringLimitIsInclusive) {
  const auto input = bytes("00 00 00 03 61 62 63");
  Reader allowed(input, 3);
  EXPECT_EQ(allowed.read_string(), "abc");
  Reader refused(input, 2);
  EXPECT_EQ(refused.read_string(), std::nullopt);
  EXPECT_EQ(refused.status().error().code, Errc::kTooLarge);
}

TEST(Reader, CountMustFitTheRemainingBytes) {
  const auto input = bytes("00 00 00 02 00 00 00 00 00 00 00 00");
  EXPECT_EQ(Reader(input).read_count(4), 2U);
  Reader in(input);
  EXPECT_EQ(in.read_count(5), std::nullopt);
  EXPECT_EQ(in.status().error().code, Errc::kTruncated);
}

TEST(Reader, NegativeCountsReadAsJavaReadsThem) {
  const auto null = bytes("ff ff ff ff");
  Reader in(null);
  EXPECT_EQ(in.read_count(1), std::nullopt);
  EXPECT_TRUE(in.ok());
  const auto negative = bytes("ff ff ff fe");
  EXPECT_EQ(Reader(negative).read_count(1), 0U);
}

TEST(Writer, WritesWhatReaderReads) {
  std::vector<std::byte> output;
  Writer out(output);
  out.write_int(-2);
  out.write_long(0x0102030405060708);
  out.write_bool(true);
  out.write_string(std::nullopt);
  out.write_string("ab");
  out.write_count(std::nullopt);
  out.write_count(3);
  EXPECT_EQ(hex(output),
            "ff ff ff fe 01 02 03 04 05 06 07 08 01 ff ff ff ff 00 00 00 02 61 62 ff ff ff ff 00 00 00 03");
  EXPECT_TRUE(out.status());
}

TEST(Writer, OverlongStringStopsTheOutput) {
  std::vector<std::byte> output;
  Writer out(output, 2);
  out.write_string("ab");
  out.write_string("abc");
  out.write_int(1);
  EXPECT_EQ(hex(output), "00 00 00 02 61 62");
  EXPECT_EQ(out.status().error().code, Errc::kTooLarge);
}

}  // namespace
}  // namespace wk::jute
