#include "server/config/server_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace wk::config {
namespace {

constexpr ServerId kId{3};

TEST(ServerLine, HostAndTwoPorts) {
  const auto line = parse_server_line(kId, "zk3.example:2888:3888");
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(line->id, kId);
  EXPECT_THAT(line->addresses, testing::ElementsAre(PeerAddress{"zk3.example", 2888, 3888}));
  EXPECT_EQ(line->role, PeerRole::kParticipant);
  EXPECT_FALSE(line->client);
}

TEST(ServerLine, RoleAndClientAddress) {
  const auto line = parse_server_line(kId, "10.0.0.3:2888:3888:Observer;10.0.0.3:2181");
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(line->role, PeerRole::kObserver);
  EXPECT_EQ(line->client, (ListenAddress{"10.0.0.3", 2181}));
}

TEST(ServerLine, ClientPortAloneMeansEveryAddress) {
  const auto line = parse_server_line(kId, "localhost:2888:3888;2181");
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(line->client, (ListenAddress{"0.0.0.0", 2181}));
}

TEST(ServerLine, BracketedAddressesLoseTheirBrackets) {
  const auto line = parse_server_line(kId, "[2001:db8::3]:2888:3888:participant;[::1]:2181");
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_THAT(line->addresses, testing::ElementsAre(PeerAddress{"2001:db8::3", 2888, 3888}));
  EXPECT_EQ(line->client, (ListenAddress{"::1", 2181}));
}

TEST(ServerLine, SeveralAddressesBehindBars) {
  const auto line = parse_server_line(kId, "a:2888:3888|b:2889:3889");
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_THAT(line->addresses,
              testing::ElementsAre(PeerAddress{"a", 2888, 3888}, PeerAddress{"b", 2889, 3889}));
}

TEST(ServerLine, SeparatorsWithNothingBehindThemCountForNothing) {
  for (const char* value : {"host:2888:3888;", "host:2888:3888;;", "host:2888:3888:", "host:2888:3888|"}) {
    const auto line = parse_server_line(kId, value);
    ASSERT_TRUE(line) << value << ": " << line.error().message;
    EXPECT_THAT(line->addresses, testing::ElementsAre(PeerAddress{"host", 2888, 3888})) << value;
    EXPECT_FALSE(line->client) << value;
  }
  for (const char* value : {"host:2888:3888;2181;", "host:2888:3888:;2181:"}) {
    const auto line = parse_server_line(kId, value);
    ASSERT_TRUE(line) << value << ": " << line.error().message;
    EXPECT_EQ(line->client, (ListenAddress{"0.0.0.0", 2181})) << value;
  }
}

TEST(ServerLine, BlanksAroundTheRoleAreForgiven) {
  const auto participant = parse_server_line(kId, "host:2888:3888:participant ;2181");
  ASSERT_TRUE(participant) << participant.error().message;
  EXPECT_EQ(participant->role, PeerRole::kParticipant);
  EXPECT_EQ(participant->client, (ListenAddress{"0.0.0.0", 2181}));
  const auto observer = parse_server_line(kId, "host:2888:3888: OBSERVER\t");
  ASSERT_TRUE(observer) << observer.error().message;
  EXPECT_EQ(observer->role, PeerRole::kObserver);
}

TEST(ServerLine, AnEmptyClientHostIsLoopback) {
  const auto line = parse_server_line(kId, "host:2888:3888;:2181");
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(line->client, (ListenAddress{"127.0.0.1", 2181}));
}

TEST(ServerLine, WhatIsWrongIsNamed) {
  const auto message = [](std::string_view value) {
    const auto line = parse_server_line(kId, value);
    return line ? "accepted" : line.error().message;
  };
  using testing::HasSubstr;
  for (const char* value : {"", "host", "host:2888", "host:a:3888", "host:2888:70000", "host:2888:3888:x:y",
                            "host:2888:3888;a:b:c", "host:2888:3888;2181;2182", "host:2888:3888;;2181",
                            "host:2888:3888; 2181", "[::1:2888:3888", ":2888:3888", "[::1]x:2888:3888", ";"})
    EXPECT_THAT(message(value), HasSubstr("does not have the form server_config")) << value;
  EXPECT_THAT(message("host:2888:2888"), HasSubstr("Client and election port must be different!"));
  EXPECT_THAT(message("host:2888:3888:leader"), HasSubstr("Unrecognised peertype: leader"));
  EXPECT_THAT(message("a:1:2:observer|b:3:4"), HasSubstr("Multiple addresses should have similar roles"));
}

}  // namespace
}  // namespace wk::config
