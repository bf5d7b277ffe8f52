#include "exporter/poll/surface_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wk::exporter {
namespace {

TEST(SurfaceUrl, TakesHostPortAndPathApart) {
  const auto url = parse_surface_url("http://zk1.example:8080/commands");
  ASSERT_TRUE(url);
  EXPECT_FALSE(url->tls);
  EXPECT_EQ(url->host, "zk1.example");
  EXPECT_EQ(url->port, 8080);
  EXPECT_EQ(url->authority, "zk1.example:8080");
  EXPECT_EQ(url->path, "/commands");
}

TEST(SurfaceUrl, DefaultPortsFollowTheScheme) {
  EXPECT_EQ(parse_surface_url("http://a/x")->port, 80);
  EXPECT_EQ(parse_surface_url("https://a/x")->port, 443);
  EXPECT_TRUE(parse_surface_url("https://a/x")->tls);
}

TEST(SurfaceUrl, BracketsOfIpv6StayInTheAuthorityOnly) {
  const auto url = parse_surface_url("http://[::1]:7000/metrics");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->authority, "[::1]:7000");
}

TEST(SurfaceUrl, TrailingSlashesGo) {
  EXPECT_EQ(parse_surface_url("http://a:1/commands//")->path, "/commands");
  EXPECT_EQ(parse_surface_url("http://a:1/")->path, "");
  EXPECT_EQ(parse_surface_url("http://a:1")->path, "");
}

struct Refused {
  const char* name;  ///< of the test
  const char* url;
  const char* reason;
};
void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.reason; }

class BadUrl : public ::testing::TestWithParam<Refused> {};

TEST_P(BadUrl, IsRefusedWithTheReason) {
  const auto url = parse_surface_url(GetParam().url);
  ASSERT_TRUE(url.has_error());
  EXPECT_EQ(url.error().code, Errc::kInvalidInput);
  EXPECT_THAT(url.error().message, ::testing::HasSubstr(GetParam().reason));
}
INSTANTIATE_TEST_SUITE_P(SurfaceUrl, BadUrl,
                         ::testing::Values(Refused{"other_scheme", "ftp://a/", "neither http nor https"},
                                           Refused{"credentials", "http://u:p@a/", "credentials"},
                                           Refused{"query", "http://a/x?y=1", "query"},
                                           Refused{"no_host", "http:///x", "host is missing"},
                                           Refused{"port_too_high", "http://a:99999/", "port is not"},
                                           Refused{"port_zero", "http://a:0/", "port is not"},
                                           Refused{"no_scheme", "a:8080", "URL \"a:8080\""},
                                           Refused{"empty", "", "URL \"\""},
                                           Refused{"line_break", "http://a/\n", "\\x0a"}),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace wk::exporter
