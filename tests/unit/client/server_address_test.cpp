#include "client/server_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wk::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ParseServers, ListWithPortsDefaultsAndLiterals) {
  EXPECT_THAT(*parse_servers("zk1:2182, zk2 ,[::1]:2183,[2001:db8::5],10.0.0.7:1"),
              ElementsAre(ServerAddress{"zk1", 2182}, ServerAddress{"zk2", 2181}, ServerAddress{"::1", 2183},
                          ServerAddress{"2001:db8::5", 2181}, ServerAddress{"10.0.0.7", 1}));
}

TEST(ParseServers, RefusalsNameTheEntry) {
  for (const auto* text :
       {"",       "a,,b",      "zk1:",        "zk1:0",           "zk1:65536",  "zk1:21x",
        "[::1",   "[::1]2181", ":2181",       "zk1:2181/chroot", "zk 1",       "a,",
        "::1",    "::1:2181",  "2001:db8::5", "zk1:2181:3888",   "2181",       "2181:2181",
        "[2181]", "[zk1]:1",   "[]:1",        "[::1%]:1",        "10.0.0.256", "10.1:2181"}) {
    const auto parsed = parse_servers(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::kInvalidInput);
    EXPECT_THAT(parsed.error().message, HasSubstr("is no server address"));
  }
  EXPECT_THAT(parse_servers("ok:1,zk1:99999").error().message,
              HasSubstr("\"zk1:99999\" is no server address: the port must be a number from 1 to 65535"));
  for (const char* text : {"zk1:2181/chroot", "tcp://zk1:2181"})
    EXPECT_THAT(parse_servers(text).error().message,
                HasSubstr("neither a scheme nor a path (chroot) belongs to it"));
  EXPECT_EQ(parse_servers("::1:2181").error().message,
            "\"::1:2181\" is no server address: a host has no colon, and an IPv6 address needs brackets; "
            "write host:port, for example "
            "zk1.example.org:2181 or [2001:db8::1]:2181");
  EXPECT_THAT(parse_servers("2181").error().message,
              HasSubstr("\"2181\" is no server address: the host has only digits"));
}

TEST(ParseServers, ListLengthIsBounded) {
  std::string text = "a";
  for (std::size_t i = 1; i < kMaxServers; ++i) text += ",a";
  EXPECT_EQ(parse_servers(text)->size(), kMaxServers);
  EXPECT_EQ(parse_servers(text + ",a").error().code, Errc::kTooLarge);
}

TEST(ServerAddress, TextHasBracketsForIpv6) {
  EXPECT_EQ((ServerAddress{"zk1", 2181}).to_string(), "zk1:2181");
  EXPECT_EQ((ServerAddress{"::1", 5}).to_string(), "[::1]:5");
}

}  // namespace
}  // namespace wk::client
