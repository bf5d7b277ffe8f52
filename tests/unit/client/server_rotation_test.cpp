#include "client/server_rotation.h"

#include <gtest/gtest.h>

namespace wk::client {
namespace {

using std::chrono::milliseconds;

const std::vector<ServerAddress> kServers{{"zk1", 2181}, {"zk2", 2181}, {"zk3", 2181}};
constexpr BackoffLimits kLimits{.first = milliseconds{100}, .longest = milliseconds{5'000}};

TEST(ServerRotation, StartsWhereTheRandomNumberSaysAndGoesRound) {
  ServerRotation rotation(kServers, kLimits, 0.5);
  EXPECT_EQ(rotation.next().host, "zk2");
  EXPECT_EQ(rotation.next().host, "zk3");
  EXPECT_FALSE(rotation.round_over());
  EXPECT_EQ(rotation.next().host, "zk1");
  EXPECT_TRUE(rotation.round_over());
}

TEST(ServerRotation, ARandomNumberOfOneIsNotBehindTheList) {
  EXPECT_EQ(ServerRotation(kServers, kLimits, 1.0).next().host, "zk1");
  EXPECT_EQ(ServerRotation(kServers, kLimits, -3.0).next().host, "zk1");
}

TEST(ServerRotation, PausesGrowFromRoundToRoundUntilAServerProvesUseful) {
  ServerRotation rotation(kServers, kLimits, 0.0);
  for (int i = 0; i < 3; ++i) rotation.next();
  EXPECT_EQ(rotation.begin_round(0.0), milliseconds{50});
  EXPECT_FALSE(rotation.round_over());
  for (int i = 0; i < 3; ++i) rotation.next();
  EXPECT_EQ(rotation.begin_round(0.0), milliseconds{100});
  rotation.next();
  rotation.proved_useful();
  // The server that was of use counts as tried: the other two follow without a pause.
  rotation.next();
  EXPECT_FALSE(rotation.round_over());
  rotation.next();
  EXPECT_TRUE(rotation.round_over());
  EXPECT_EQ(rotation.begin_round(0.0), milliseconds{50});
}

}  // namespace
}  // namespace wk::client
