#include "bench/load/endpoint.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace wk::bench {
namespace {

std::optional<std::string> source(const std::string& server, std::size_t number) {
  const auto endpoint = resolve(server);
  EXPECT_TRUE(endpoint) << server;
  const auto found = source_of(*endpoint, number);
  if (!found) return std::nullopt;
  char text[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &*found, text, sizeof text);
  return std::string(text);
}

TEST(SourceOf, LoopbackHasAnAddressForEachTenThousand) {
  EXPECT_EQ(source("127.0.0.1:2181", 0), std::nullopt);
  EXPECT_EQ(source("127.0.0.1:2181", 9'999), std::nullopt);
  EXPECT_EQ(source("127.0.0.1:2181", 10'000), "127.0.0.2");
  EXPECT_EQ(source("127.0.0.1:2181", 29'999), "127.0.0.3");
}

TEST(SourceOf, ElsewhereTheKernelChooses) { EXPECT_EQ(source("192.0.2.1:2181", 50'000), std::nullopt); }

TEST(Resolve, MistakesAreNamed) {
  for (const auto* const wrong : {"localhost", "127.0.0.1:", ""}) {
    const auto endpoint = resolve(wrong);
    ASSERT_FALSE(endpoint) << wrong;
    EXPECT_EQ(endpoint.error().code, Errc::kInvalidInput);
  }
  EXPECT_EQ(resolve("127.0.0.1:2181")->name, "127.0.0.1:2181");
}

}  // namespace
}  // namespace wk::bench
