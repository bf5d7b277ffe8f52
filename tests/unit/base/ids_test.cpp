#include "base/ids.h"

#include <gtest/gtest.h>

#include <limits>

namespace wk {
namespace {

TEST(Zxid, PrintsAsZooKeeperDoes) {
  EXPECT_EQ(Zxid{}.to_string(), "0x0");
  EXPECT_EQ(Zxid{0xabc}.to_string(), "0xabc");
  EXPECT_EQ(Zxid{0x3'0000'000f}.to_string(), "0x30000000f");
  EXPECT_EQ(Zxid{0xffff'ffff'ffff'ffff}.to_string(), "0xffffffffffffffff");
}

TEST(Zxid, EpochIsTheUpperHalfAndCounterTheLower) {
  const Zxid zxid{0x0000'0007'ffff'fffe};
  EXPECT_EQ(zxid.epoch(), Epoch{7});
  EXPECT_EQ(zxid.counter(), 0xffff'fffeU);
  EXPECT_EQ(Zxid{0xffff'ffff'0000'0000}.epoch(), Epoch{std::numeric_limits<std::uint32_t>::max()});
  EXPECT_EQ(Zxid{0xffff'ffff'0000'0000}.counter(), 0U);
}

TEST(Zxid, OrderIsEpochFirst) {
  EXPECT_LT((Zxid{0x1'ffff'ffff}), (Zxid{0x2'0000'0000}));
  EXPECT_LT((Zxid{0x7fff'ffff'ffff'ffff}), (Zxid{0x8000'0000'0000'0000}));  // unsigned
}

TEST(ServerId, NoneIsMinusOneAndBelowEveryNumber) {
  EXPECT_EQ(ServerId{}.value, -1);
  EXPECT_LT(ServerId{}, ServerId{0});
}

TEST(SessionId, NoneIsZero) { EXPECT_EQ(SessionId{}, SessionId{0}); }

}  // namespace
}  // namespace wk
