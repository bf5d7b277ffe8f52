#include "exporter/web/negotiation.h"

#include <gtest/gtest.h>

#include <string>

namespace wk::exporter {
namespace {

TEST(Negotiation, DefaultsToText) {
  for (const char* accept :
       {"", "*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "nonsense", ";;,,=", "text/*;q=0.1",
        "application/openmetrics-text;version=9.9.9", "application/vnd.google.protobuf;q=1"}) {
    EXPECT_EQ(choose_format(accept), ExpositionFormat::kText004) << accept;
  }
}

TEST(Negotiation, GivesPrometheusWhatItPrefers) {
  EXPECT_EQ(
      choose_format(
          "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
          "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
      ExpositionFormat::kOpenMetrics100);
  EXPECT_EQ(
      choose_format("text/plain;version=0.0.4;q=0.9, application/openmetrics-text;version=\"1.0.0\";q=0.3"),
      ExpositionFormat::kText004);
  EXPECT_EQ(choose_format("application/openmetrics-text; version=0.0.1"), ExpositionFormat::kOpenMetrics001);
  EXPECT_EQ(choose_format("Application/OpenMetrics-Text"), ExpositionFormat::kOpenMetrics001);
}

TEST(Negotiation, ZeroAndUnreadableQualityRefuse) {
  EXPECT_EQ(choose_format("application/openmetrics-text;version=1.0.0;q=0"), ExpositionFormat::kText004);
  EXPECT_EQ(choose_format("application/openmetrics-text;version=1.0.0;q=0.000"), ExpositionFormat::kText004);
  EXPECT_EQ(choose_format("application/openmetrics-text;version=1.0.0;q=2"), ExpositionFormat::kText004);
  EXPECT_EQ(choose_format("application/openmetrics-text;version=1.0.0;q=0.001"),
            ExpositionFormat::kOpenMetrics100);
}

TEST(Negotiation, LooksAtABoundedNumberOfElements) {
  std::string accept;
  for (std::size_t i = 0; i < kNegotiationElementsMax; ++i) accept += "a/b,";
  EXPECT_EQ(choose_format(accept + "application/openmetrics-text"), ExpositionFormat::kText004);
  EXPECT_EQ(choose_format(accept.substr(4) + "application/openmetrics-text"),
            ExpositionFormat::kOpenMetrics001);
}

TEST(Negotiation, Gzip) {
  for (const char* header :
       {"gzip", "deflate, gzip;q=0.5", "*", "GZIP", "x-gzip", "br;q=1, gzip ; q=0.001"}) {
    EXPECT_TRUE(accepts_gzip(header)) << header;
  }
  for (const char* header : {"", "identity", "gzip;q=0", "gzip;q=0.0, *", "*;q=0", "gzipped", "gzip;q=x"}) {
    EXPECT_FALSE(accepts_gzip(header)) << header;
  }
}

TEST(Negotiation, EntityTags) {
  for (const char* header : {"\"a1\"", "\"x\", \"a1\"", "W/\"a1\"", "*", " * ", "\"x,y\",\"a1\""})
    EXPECT_TRUE(matches_etag(header, "\"a1\"")) << header;
  for (const char* header : {"", "a1", "\"a\"", "\"a1-gzip\"", "w/\"a1\"", "\"x,\"a1\"\"", "\"*\""})
    EXPECT_FALSE(matches_etag(header, "\"a1\"")) << header;
  std::string many;
  for (std::size_t i = 0; i < kNegotiationElementsMax; ++i) many += "\"x\",";
  EXPECT_FALSE(matches_etag(many + "\"a1\"", "\"a1\""));
  EXPECT_TRUE(matches_etag(many.substr(4) + "\"a1\"", "\"a1\""));
}

}  // namespace
}  // namespace wk::exporter
