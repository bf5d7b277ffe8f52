#include "server/session/identity.h"

#include <gtest/gtest.h>

#include <string>

namespace wk::session {
namespace {

std::string hex(const Password& password) {
  std::string text;
  for (const char byte : password) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

std::string_view view(const Password& password) { return {password.data(), password.size()}; }

// The first two were handed out by Apache ZooKeeper 3.9.5.
TEST(Password, IsWhatApacheComputes) {
  EXPECT_EQ(hex(password_of(SessionId{0x1000013dc750000})), "41d309f73a8a7ced87c2af631366b156");
  EXPECT_EQ(hex(password_of(SessionId{0x1000013dc750001})), "54f403f7dad55b327c05178fe7eec523");
  EXPECT_EQ(hex(password_of(SessionId{1})), "054cc74a37327db215e702e20c73f005");
}

TEST(Password, MatchesOnlyAllSixteenBytesOfItsOwnSession) {
  const SessionId id{0x1000013dc750000};
  const Password password = password_of(id);
  EXPECT_TRUE(password_matches(id, view(password)));
  EXPECT_FALSE(password_matches(SessionId{id.value + 1}, view(password)));
  EXPECT_FALSE(password_matches(id, view(password).substr(0, 15)));
  EXPECT_FALSE(password_matches(id, std::string(view(password)) + '\0'));
  EXPECT_FALSE(password_matches(id, ""));
}

TEST(Password, SessionZeroHasNone) {
  EXPECT_FALSE(password_matches(SessionId{0}, view(password_of(SessionId{0}))));
}

TEST(IdGenerator, PutsServerOnTopThenTheTimeThenACounter) {
  const std::chrono::system_clock::time_point started{std::chrono::milliseconds{0x0000'0123'4567'89ab}};
  IdGenerator ids(ServerId{3}, started);
  // Low 40 bits of the time are 23456789ab.
  EXPECT_EQ(ids.next().value, 0x0323'4567'89ab'0000);
  EXPECT_EQ(ids.next().value, 0x0323'4567'89ab'0001);
}

TEST(IdGenerator, LowByteOfTheServerCountsAndIdsMayBeNegative) {
  IdGenerator ids(ServerId{0x180}, std::chrono::system_clock::time_point{std::chrono::milliseconds{1}});
  EXPECT_EQ(static_cast<std::uint64_t>(ids.next().value), 0x8000'0000'0001'0000U);
}

TEST(IdGenerator, NeverHandsOutTheMarkOfContainers) {
  IdGenerator ids(ServerId{128}, std::chrono::system_clock::time_point{});
  EXPECT_EQ(static_cast<std::uint64_t>(ids.next().value), 0x8000'0000'0000'0001U);
}

}  // namespace
}  // namespace wk::session
