#include "exporter/web/request_target.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wk::exporter {
namespace {

TEST(RequestTarget, DecodesPathAndQuery) {
  const auto target = parse_request_target("/a%20b/c+d?x=1&y=a%26b+c&x=2&flag&&e=");
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->path, "/a b/c+d");
  const std::multimap<std::string, std::string> expected = {
      {"x", "1"}, {"y", "a&b c"}, {"x", "2"}, {"flag", ""}, {"e", ""}};
  EXPECT_EQ(target->query, expected);
}

TEST(RequestTarget, SegmentsAreCutBeforeTheyAreDecoded) {
  using Segments = std::vector<std::string>;
  EXPECT_EQ(parse_request_target("/ensemble/a%2Fb/members.json?x=1")->segments,
            (Segments{"ensemble", "a/b", "members.json"}));
  EXPECT_EQ(parse_request_target("/a%2Fb")->segments, Segments{"a/b"});
  EXPECT_EQ(parse_request_target("/")->segments, Segments{""});
  EXPECT_EQ(parse_request_target("/a/")->segments, (Segments{"a", ""}));
  EXPECT_EQ(parse_request_target("//a")->segments, (Segments{"", "a"}));
  EXPECT_EQ(parse_request_target("http://host/a/%C3%A4")->segments, (Segments{"a", "\xC3\xA4"}));
  EXPECT_EQ(parse_request_target("https://host")->segments, Segments{""});
}

TEST(RequestTarget, AcceptsAbsoluteForm) {
  EXPECT_EQ(parse_request_target("http://host:9141/metrics?x=1")->path, "/metrics");
  EXPECT_EQ(parse_request_target("https://host")->path, "/");
  EXPECT_EQ(parse_request_target("http://host?x=1")->query.size(), 1U);
}

TEST(RequestTarget, RefusesHostileTargets) {
  for (const char* target :
       {"metrics", "*", "/../etc/passwd", "/a/%2e%2e/b", "/a/.", "/a%00b", "/a%0d%0aX: y", "/%", "/%4",
        "/%zz", "/?a=%", "/?%g0=1", "/\x7F", "%2Fmetrics"}) {
    const auto result = parse_request_target(target);
    ASSERT_FALSE(result.has_value()) << target;
    EXPECT_EQ(result.error().code, Errc::kInvalidInput) << target;
  }
}

TEST(RequestTarget, LimitsTheNumberOfParameters) {
  std::string target = "/?a=1";
  for (std::size_t i = 1; i < kQueryParametersMax; ++i) target += "&a=1";
  ASSERT_TRUE(parse_request_target(target).has_value());
  const auto result = parse_request_target(target + "&a=1");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::kTooLarge);
}

}  // namespace
}  // namespace wk::exporter
