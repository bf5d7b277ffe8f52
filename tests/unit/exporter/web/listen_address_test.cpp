#include "exporter/web/listen_address.h"

#include <gtest/gtest.h>

namespace wk::exporter {
namespace {

TEST(ListenAddress, ReadsWhatItWrites) {
  for (const char* text : {":9141", "localhost:80", "127.0.0.1:0", "[::1]:9141", "[::]:65535"}) {
    const auto address = parse_listen_address(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(address->to_string(), text);
  }
  EXPECT_EQ(parse_listen_address("[::1]:9141")->host, "::1");
  EXPECT_EQ(parse_listen_address(":9141")->port, 9141);
}

TEST(ListenAddress, RefusesWithAnExample) {
  for (const char* text :
       {"",         "9141",         "host",          "host:",    ":65536",     ":-1",
        ":1x",      "::1:9141",     "[::1]",         "[host]:1", "a]:1",       "[]:1",
        "[:1",      "]:1",          "[::1:2]x:1",    "[:::1]:1", "9141:9141",  "*:9141",
        "a b:9141", "http://:9141", ":9141/metrics", "zk\n:1",   "127.1:9141", "127.0.0.256:9141"}) {
    const auto address = parse_listen_address(text);
    ASSERT_FALSE(address.has_value()) << text;
    EXPECT_NE(address.error().message.find("write it like :9141"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace wk::exporter
