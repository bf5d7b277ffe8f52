#include "client/server_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wk::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ParseServers, ListWithPortsDefaultsAndLiterals) {
  EXPECT_THAT(*parse_servers("zk1:2182, zk2 ,[::1]:2183,2001:db8::5,[fe80::1]"),
              ElementsAre(ServerAddress{"zk1", 2182}, ServerAddress{"zk2", 2181}, ServerAddress{"::1", 2183},
                          ServerAddress{"2001:db8::5", 2181}, ServerAddress{"fe80::1", 2181}));
}

TEST(ParseServers, RefusalsNameTheEntry) {
  for (const auto* text : {"", "a,,b", "zk1:", "zk1:0", "zk1:65536", "zk1:21x", "[::1", "[::1]2181", ":2181",
                           "zk1:2181/chroot", "zk 1", "a,"}) {
    const auto parsed = parse_servers(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::kInvalidInput);
    EXPECT_THAT(parsed.error().message, HasSubstr("is no server address"));
  }
  EXPECT_THAT(parse_servers("ok:1,zk1:99999").error().message,
              HasSubstr("\"zk1:99999\" is no server address: the port must be a number from 1 to 65535"));
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
