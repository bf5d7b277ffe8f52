#include "server/node/refusal_log.h"

#include <gtest/gtest.h>

#include <set>

namespace wk::node {
namespace {

using net::Refusal;
constexpr std::chrono::steady_clock::time_point kStart{std::chrono::hours{1}};

TEST(RefusalLog, OneLineATenSecondsAndTheCountOfTheOthers) {
  RefusalLog log;
  const auto line = [&](std::chrono::milliseconds after) {
    return log.line(Refusal::kAddressLimit, "10.0.0.1", 60, kStart + after);
  };
  using std::chrono::milliseconds;
  EXPECT_EQ(line(milliseconds{0}), "Too many connections from 10.0.0.1 - max is 60 (maxClientCnxns)");
  for (int i = 1; i <= 1000; ++i) EXPECT_EQ(line(milliseconds{i}), std::nullopt);
  EXPECT_EQ(line(milliseconds{9'999}), std::nullopt);
  EXPECT_EQ(line(milliseconds{10'000}),
            "Too many connections from 10.0.0.1 - max is 60 (maxClientCnxns); 1001 more of "
            "the kind since the last such line");
  EXPECT_EQ(line(milliseconds{20'000}), "Too many connections from 10.0.0.1 - max is 60 (maxClientCnxns)");
}

TEST(RefusalLog, ReasonsAreQuietOnTheirOwn) {
  RefusalLog log;
  std::set<std::string> lines;
  for (int i = 0; i < 8; ++i) {
    const auto line = log.line(static_cast<Refusal>(i), "10.0.0.1", 7, kStart);
    ASSERT_TRUE(line) << i;
    lines.insert(*line);
    EXPECT_FALSE(log.line(static_cast<Refusal>(i), "10.0.0.2", 7, kStart));
  }
  EXPECT_EQ(lines.size(), 8U);
}

TEST(RefusalLog, LinesTellWhoWhatAndTheRemedy) {
  RefusalLog log;
  const auto line = [&log](Refusal refusal, std::int64_t number) {
    return log.line(refusal, "10.0.0.9", number, kStart).value_or("");
  };
  EXPECT_EQ(line(Refusal::kFrameTooLong, 1195725856),
            "Len error. 10.0.0.9 announced a request of 1195725856 bytes; its connection was closed "
            "(jute.maxbuffer "
            "limits requests, and other protocols are not spoken here)");
  EXPECT_NE(line(Refusal::kHttp, 0).find("metricsProvider.httpPort"), std::string::npos);
  EXPECT_NE(line(Refusal::kTlsHello, 0).find("speaks TLS to the plain-text client port"), std::string::npos);
  EXPECT_NE(line(Refusal::kNoDescriptor, 0).find("LimitNOFILE"), std::string::npos);
  EXPECT_NE(line(Refusal::kDoesNotRead, 67108865).find("67108865 bytes"), std::string::npos);
}

}  // namespace
}  // namespace wk::node
