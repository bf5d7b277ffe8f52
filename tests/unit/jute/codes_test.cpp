#include "jute/codes.h"

#include <gtest/gtest.h>

namespace wk::jute {
namespace {

TEST(OpCode, NamesAreApaches) {
  EXPECT_STREQ(name(OpCode::kCreate), "create");
  EXPECT_STREQ(name(OpCode::kGetChildren2), "getChildren2");
  EXPECT_STREQ(name(OpCode::kGetAcl), "getACL");
  EXPECT_STREQ(name(OpCode::kCreateTtl), "createTTL");
  EXPECT_STREQ(name(OpCode::kCloseSession), "closeSession");
  EXPECT_STREQ(name(OpCode{10}), "unknown");
}

TEST(ErrorCode, NamesAreApaches) {
  EXPECT_STREQ(name(ErrorCode::kOk), "OK");
  EXPECT_STREQ(name(ErrorCode::kNodeExists), "NODEEXISTS");
  EXPECT_STREQ(name(ErrorCode{-101}), "NONODE");
  EXPECT_STREQ(name(ErrorCode{-124}), "SESSIONCLOSEDREQUIRESASLAUTH");
  EXPECT_STREQ(name(ErrorCode{-9999}), "unknown");
}

TEST(EventType, NamesAreApaches) {
  EXPECT_STREQ(name(EventType{3}), "NodeDataChanged");
  EXPECT_STREQ(name(EventType{9}), "unknown");
  EXPECT_STREQ(name(KeeperState{-112}), "Expired");
  EXPECT_STREQ(name(KeeperState{5}), "ConnectedReadOnly");
  EXPECT_STREQ(name(KeeperState{1}), "unknown");
}

}  // namespace
}  // namespace wk::jute
