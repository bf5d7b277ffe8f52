#include "exporter/app/value_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace wk::exporter {
namespace {

using std::chrono::milliseconds;

TEST(ValueRules, DurationsTakeUnitsAndSums) {
  EXPECT_EQ(parse_duration("250ms").value(), milliseconds(250));
  EXPECT_EQ(parse_duration("1s").value(), milliseconds(1000));
  EXPECT_EQ(parse_duration("1.5s").value(), milliseconds(1500));
  EXPECT_EQ(parse_duration("2m").value(), milliseconds(120'000));
  EXPECT_EQ(parse_duration("1h1m1s1ms").value(), milliseconds(3'661'001));
  EXPECT_EQ(parse_duration("0s").value(), milliseconds(0));
}

TEST(ValueRules, DurationsRefuseEverythingElse) {
  for (const char* text : {"", "1", "s", "-1s", "+1s", "1 s", "1S", "nan", "inf", "nans", "1e9s", "0x1s",
                           "1d", "1s2", "1,5s", " 1s", "25h", "99999999999999999999h"})
    EXPECT_FALSE(parse_duration(text)) << text;
  EXPECT_EQ(parse_duration("soon").error().message,
            "\"soon\" is no duration; write a number with its unit, for example 250ms, 1s or 2m");
}

TEST(ValueRules, RangesAreInclusive) {
  EXPECT_TRUE(parse_interval("20ms"));
  EXPECT_TRUE(parse_interval("60s"));
  EXPECT_EQ(parse_interval("19ms").error().message, "\"19ms\" is out of range; write 20ms to 60s");
  EXPECT_FALSE(parse_interval("61s"));
  EXPECT_TRUE(parse_timeout("50ms"));
  EXPECT_EQ(parse_timeout("49ms").error().message, "\"49ms\" is out of range; write 50ms to 60s");
  EXPECT_TRUE(parse_detail_interval("1h"));
  EXPECT_EQ(parse_detail_interval("2h").error().message, "\"2h\" is out of range; write 20ms to 1h");
}

TEST(ValueRules, Ports) {
  EXPECT_EQ(parse_port("1").value(), 1);
  EXPECT_EQ(parse_port("65535").value(), 65535);
  for (const char* text : {"", "0", "65536", "-1", "+1", "80a", " 80", "0x50", "99999999999"})
    EXPECT_FALSE(parse_port(text)) << text;
}

TEST(ValueRules, CanaryPathsStayAwayFromOtherPeoplesZnodes) {
  EXPECT_EQ(parse_canary_path("/apps/canary").value(), "/apps/canary");
  for (const char* text : {"", "canary", "/", "/zookeeper", "/zookeeper/x", "//a", "/a/", "/a//b", "/a/../b",
                           "/./a", "/a b", "/\xc3\xa4"})
    EXPECT_FALSE(parse_canary_path(text)) << text;
  EXPECT_TRUE(parse_canary_path("/zookeeper-canary"));
}

TEST(ValueRules, CanaryAuthNeverShowsTheSecret) {
  EXPECT_EQ(parse_canary_auth("user:pa:ss").value(), "user:pa:ss");
  const auto bad = parse_canary_auth("hunter2");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "is no digest credential; write user:password");
  EXPECT_FALSE(parse_canary_auth(":password"));
}

TEST(ValueRules, EnsembleNamesAreLabelsWithoutQuotes) {
  EXPECT_EQ(parse_ensemble_name("prod eu-1").value(), "prod eu-1");
  EXPECT_TRUE(parse_ensemble_name(std::string(64, 'x')));
  for (const std::string& text :
       {std::string(), std::string(65, 'x'), std::string("a\"b"), std::string("a'b"), std::string("a\\b"),
        std::string("a\nb"), std::string("\xff"), std::string("."), std::string("..")})
    EXPECT_FALSE(parse_ensemble_name(text)) << text;
}

TEST(ValueRules, UrlsHaveAHostAndNoSecrets) {
  EXPECT_EQ(parse_http_url("http://zk1:8080/commands/").value(), "http://zk1:8080/commands");
  EXPECT_EQ(parse_http_url("https://[::1]:8080").value(), "https://[::1]:8080");
  EXPECT_EQ(parse_http_url("http://zk1").value(), "http://zk1");
  for (const char* text :
       {"", "zk1:8080", "ftp://zk1", "http://", "http:///commands", "http://:80", "http://zk1:0",
        "http://zk1:x", "http://zk1/?a=b", "http://zk1/#a", "http://zk 1", "http://[]:80", "http://[::1]x",
        "http://8080/commands", "http://[zk1]:80", "http://10.0.0.256/", "http://::1:8080/"})
    EXPECT_FALSE(parse_http_url(text)) << text;
  const auto bad = parse_http_url("http://admin:hunter2@zk1/");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "the URL holds a user name or password; write those under http_auth");
}

TEST(ValueRules, ServerNamesAreHosts) {
  for (const char* text : {"zk.example.org", "10.0.0.1", "::1", "fe80::1%lo", "zk_1-a"})
    EXPECT_EQ(parse_server_name(text).value(), text);
  for (const char* text : {"", "a b", "zk1/x", "*.example.org", "zk1\n", "https://zk1", "[::1]"})
    EXPECT_FALSE(parse_server_name(text)) << text;
}

TEST(ValueRules, CertificatesAndKeysGoInPairs) {
  TlsSpec tls;
  EXPECT_TRUE(check_certificate_pair(tls));
  tls.cert_file = "a";
  EXPECT_FALSE(check_certificate_pair(tls));
  tls.key_file = "b";
  EXPECT_TRUE(check_certificate_pair(tls));
  tls.cert_file.clear();
  EXPECT_FALSE(check_certificate_pair(tls));
}

}  // namespace
}  // namespace wk::exporter
