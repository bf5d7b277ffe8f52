#include "server/txn/outstanding.h"

#include <gtest/gtest.h>

#include "member.h"
#include "tests/unit/server/tree/hashed_bytes.h"

namespace wk::txn {
namespace {

TEST(Outstanding, ForgetsEverythingWhenTransactionsAreGivenUp) {
  Member member;
  Client client = member.connect();
  member.make(client, creating("/a"));
  const std::uint64_t digest = member.tree.digest();
  member.submit(client, OpCode::kCreate, creating("/a/b"));
  member.submit(client, OpCode::kSetData, jute::SetDataRequest{"/a", "x", 0});
  EXPECT_EQ(member.outstanding.size(), 3U);
  EXPECT_NE(member.outstanding.digest(member.tree), digest);
  member.outstanding.clear();
  member.waiting.clear();
  EXPECT_EQ(member.outstanding.size(), 0U);
  EXPECT_EQ(member.outstanding.digest(member.tree), digest);
  member.zxid -= 2;  // the zxids are used again
  EXPECT_EQ(member.call(client, OpCode::kSetData, jute::SetDataRequest{"/a", "y", 0}).error, ErrorCode::kOk);
  EXPECT_EQ(member.call(client, OpCode::kDelete, jute::DeleteRequest{"/a", 1}).error, ErrorCode::kOk);
}

TEST(Outstanding, CountsWhatComesAndGoes) {
  Member member;
  Client client = member.connect();
  member.submit(client, OpCode::kCreate, creating("/a"));  // the node and its parent
  member.submit(client, OpCode::kCreate, creating("/a/b"));
  member.submit(client, OpCode::kCreate, creating("/a"));  // fails
  EXPECT_EQ(member.outstanding.size(), 4U);
  EXPECT_EQ(member.outstanding.queued_total(), 4U);
  EXPECT_EQ(member.outstanding.removed_total(), 0U);
  member.apply_next();
  EXPECT_EQ(member.outstanding.size(), 2U);
  EXPECT_EQ(member.outstanding.removed_total(), 2U);
}

TEST(Outstanding, RootHasOneNameHere) {
  Member member;
  Client client = member.connect();
  member.submit(client, OpCode::kCreate, creating("/a"));
  member.submit(client, OpCode::kSetData, jute::SetDataRequest{"/", "x", 0});
  const auto root = member.outstanding.find("", member.tree);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->stat.version, 1);
  EXPECT_EQ(root->child_count, 2);
  EXPECT_EQ(root->stat.cversion, 1);
  member.apply_all();
}

TEST(Outstanding, LooksAndChangesOfNumbersDoNotHashTheData) {
  Member member;
  Client client = member.connect();
  member.make(client, creating("/big", jute::CreateMode::kPersistent, kOpen, std::string(1'000'000, 'x')));
  const std::uint64_t before = tree::hashed_bytes();
  jute::MultiRequest request;
  for (int i = 0; i < 100; ++i) {
    request.operations.push_back({OpCode::kCheck, jute::CheckVersionRequest{"/big", 0}});
    request.operations.push_back({OpCode::kCreate, creating("/big/" + std::to_string(i))});
  }
  EXPECT_EQ(member.call(client, OpCode::kMulti, request).error, ErrorCode::kOk);
  EXPECT_EQ(member.call(client, OpCode::kSetAcl, jute::SetAclRequest{"/big", kOpen, -1}).error,
            ErrorCode::kOk);
  EXPECT_EQ(member.call(client, OpCode::kDelete, jute::DeleteRequest{"/big", -1}).error,
            ErrorCode::kNotEmpty);
  EXPECT_LT(tree::hashed_bytes() - before, 200'000U);
}

TEST(Outstanding, WhatIsOnlyLookedAtIsNotHashed) {
  Member member;
  Client client = member.connect();
  member.make(client, creating("/a"));
  const std::uint64_t before = tree::hashed_bytes();
  EXPECT_TRUE(member.outstanding.find("/a", member.tree));
  member.submit(client, OpCode::kCreate, creating("/a"));  // fails
  EXPECT_EQ(tree::hashed_bytes(), before);
}

TEST(Outstanding, DigestsCanBeOff) {
  Settings settings;
  settings.digest = false;
  Member member(settings);
  Client client = member.connect();
  member.submit(client, OpCode::kCreate, creating("/a"));
  const auto txn = jute::decode_txn(member.waiting.back().payload);
  ASSERT_TRUE(txn);
  EXPECT_FALSE(txn->digest);
  member.apply_all();
  EXPECT_TRUE(member.tree.find("/a"));
}

}  // namespace
}  // namespace wk::txn
