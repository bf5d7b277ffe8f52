#include "exporter/app/json_text.h"

#include <gtest/gtest.h>

#include "tests/unit/exporter/app/sample_snapshot.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

TEST(JsonText, TimesAreRfc3339InUtcWithMilliseconds) {
  EXPECT_EQ(rfc3339(sample::now().wall), "2026-11-21T22:40:01.250Z");
  EXPECT_EQ(rfc3339({}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(std::chrono::system_clock::time_point(-1ms)), "1969-12-31T23:59:59.999Z");
}

TEST(JsonText, BytesThatAreNotUtf8AreReplaced) {
  const Response response = json_error(400, "a\xff\xc3 b");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(Json::parse(response.body_text())["error"], "a\xef\xbf\xbd\xef\xbf\xbd b");
}

TEST(JsonText, NumbersStayExactAndIdsAreText) {
  EXPECT_EQ(json_number(5.0).dump(), "5");
  EXPECT_EQ(json_number(-0.5).dump(), "-0.5");
  EXPECT_EQ(json_number(1e300).dump(), "1e+300");
  EXPECT_EQ(json_number(std::optional<double>()).dump(), "null");
  EXPECT_EQ(json_id(ServerId{9'223'372'036'854'775'807}).dump(), "\"9223372036854775807\"");
  EXPECT_EQ(json_id(std::nullopt).dump(), "null");
  EXPECT_EQ(json_zxid(Zxid{0xffffffffffffffff}).dump(), "\"0xffffffffffffffff\"");
}

TEST(JsonText, AgesAreNeverNegative) {
  EXPECT_EQ(json_age(sample::now() + 5s, sample::now()).dump(), "0.0");
  EXPECT_EQ(json_age(sample::now() + -1500ms, sample::now()).dump(), "1.5");
  EXPECT_TRUE(json_age(std::nullopt, sample::now()).is_null());
}

}  // namespace
}  // namespace wk::exporter
