#include "server/node/java_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <limits>

namespace wk::node {
namespace {

// Expectations are what Double.toString of JDK 19 and later prints.
TEST(JavaDouble, PlainBetweenAThousandthAndTenMillion) {
  EXPECT_EQ(java_double(0), "0.0");
  EXPECT_EQ(java_double(-0.0), "-0.0");
  EXPECT_EQ(java_double(3.875), "3.875");
  EXPECT_EQ(java_double(-1), "-1.0");
  EXPECT_EQ(java_double(0.1), "0.1");
  EXPECT_EQ(java_double(0.001), "0.001");
  EXPECT_EQ(java_double(9999999), "9999999.0");
  EXPECT_EQ(java_double(1.0 / 3), "0.3333333333333333");
}

TEST(JavaDouble, ScientificElsewhere) {
  EXPECT_EQ(java_double(0.0001), "1.0E-4");
  EXPECT_EQ(java_double(0.00099999), "9.9999E-4");
  EXPECT_EQ(java_double(10'000'000), "1.0E7");
  EXPECT_EQ(java_double(123456789), "1.23456789E8");
  EXPECT_EQ(java_double(-1e100), "-1.0E100");
  EXPECT_EQ(java_double(std::numeric_limits<double>::max()), "1.7976931348623157E308");
}

TEST(JavaDouble, NoNumbers) {
  EXPECT_EQ(java_double(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(java_double(std::numeric_limits<double>::infinity()), "Infinity");
  EXPECT_EQ(java_double(-std::numeric_limits<double>::infinity()), "-Infinity");
}

TEST(RoundedMean, FourDecimalsHalfUp) {
  EXPECT_EQ(rounded_mean(0), "0.0");
  EXPECT_EQ(rounded_mean(3.875), "3.875");
  EXPECT_EQ(rounded_mean(2), "2.0");
  EXPECT_EQ(rounded_mean(1.0 / 3), "0.3333");
  EXPECT_EQ(rounded_mean(2.0 / 3), "0.6667");
  EXPECT_EQ(rounded_mean(0.00005), "0.0001");
  EXPECT_EQ(rounded_mean(0.00004), "0.0");
  EXPECT_EQ(rounded_mean(12345.67891), "12345.6789");
  EXPECT_DOUBLE_EQ(round_to_four_decimals(2.0 / 3), 0.6667);
}

TEST(JavaHex, TwosComplementWithoutZeros) {
  EXPECT_EQ(java_hex(0), "0");
  EXPECT_EQ(java_hex(0x1000013b2ff0000), "1000013b2ff0000");
  EXPECT_EQ(java_hex(-1), "ffffffffffffffff");
  EXPECT_EQ(java_hex(std::numeric_limits<std::int64_t>::min()), "8000000000000000");
}

class JavaDate : public testing::Test {
 protected:
  void zone(const char* name) {
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  void TearDown() override {
    ::unsetenv("TZ");
    ::tzset();
  }
  static constexpr std::chrono::system_clock::time_point kAt{std::chrono::seconds{1'795'295'447}};
};

TEST_F(JavaDate, AsTheCapturedDumpHasIt) {
  zone("UTC");
  EXPECT_EQ(java_date(kAt), "Sat Nov 21 21:10:47 UTC 2026");
}

TEST_F(JavaDate, InTheZoneOfTheProcess) {
  zone("EST5EDT");
  EXPECT_EQ(java_date(kAt), "Sat Nov 21 16:10:47 EST 2026");
}

}  // namespace
}  // namespace wk::node
