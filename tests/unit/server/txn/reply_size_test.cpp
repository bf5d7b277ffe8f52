// What is expected of a reply against the reply that then comes.
#include "server/txn/reply_size.h"

#include <gtest/gtest.h>

#include <string>

#include "member.h"

namespace wk::txn {
namespace {

using jute::CreateMode;

class ReplySize : public ::testing::Test {
 protected:
  template <typename Record>
  std::size_t expected(OpCode op, const Record& record, std::size_t longest_change = 0) {
    return expected_reply_bytes(*find_operation(op), client.session, encoded(record), member.tree,
                                longest_change);
  }
  /// Of the body that the request is answered with now.
  template <typename Record>
  std::size_t answered(OpCode op, const Record& record) {
    return member.read(client, op, record).body.size();
  }

  Member member;
  Client client = member.connect();
};

TEST_F(ReplySize, IsNeverBelowWhatDataAndAccessListsTake) {
  member.make(client, creating("/a", CreateMode::kPersistent,
                               {{jute::kPermAll, {"world", "anyone"}}, {1, {"ip", "10.0.0.0/8"}}},
                               std::string(5'000, 'd')));
  const jute::ReadRequest data{"/a", false};
  EXPECT_GE(expected(OpCode::kGetData, data), answered(OpCode::kGetData, data) + 20);
  EXPECT_LE(expected(OpCode::kGetData, data), 5'100U);
  const jute::GetAclRequest acl{"/a"};
  EXPECT_GE(expected(OpCode::kGetAcl, acl), answered(OpCode::kGetAcl, acl) + 20);
  EXPECT_LE(expected(OpCode::kGetAcl, acl), 200U);
}

TEST_F(ReplySize, CountsWhatATransactionUnderWayMayPutThere) {
  member.make(client, creating("/a", CreateMode::kPersistent, kOpen, "small"));
  EXPECT_EQ(expected(OpCode::kGetData, jute::ReadRequest{"/a", false}, 1'000'000), 1'000'100U);
  EXPECT_EQ(expected(OpCode::kGetData, jute::ReadRequest{"/not yet", false}, 1'000'000), 1'000'100U);
  EXPECT_EQ(expected(OpCode::kGetData, jute::ReadRequest{"/not yet", false}), 100U);
}

TEST_F(ReplySize, GuessesListsOfNamesByTheirNumber) {
  for (int i = 0; i < 50; ++i) {
    const std::string path = "/zookeeper/name-of-a-usual-length-" + std::to_string(1'000'000 + i);
    member.make(client, creating(path, CreateMode::kEphemeral));
  }
  for (const OpCode op : {OpCode::kGetChildren, OpCode::kGetChildren2}) {
    const jute::ReadRequest request{"/zookeeper", false};
    EXPECT_GE(expected(op, request), answered(op, request));
    EXPECT_LE(expected(op, request), 52U * 64 + 100);
  }
  EXPECT_GE(expected(OpCode::kGetEphemerals, std::string("/")),
            answered(OpCode::kGetEphemerals, std::string("/")));
  EXPECT_EQ(expected(OpCode::kGetEphemerals, std::string("/")), 50U * 128 + 100);
}

TEST_F(ReplySize, AddsTheOperationsOfAMultiReadUp) {
  member.make(client, creating("/a", CreateMode::kPersistent, kOpen, std::string(1'000, 'd')));
  std::vector<std::byte> body;
  jute::Writer out(body);
  for (int i = 0; i < 3; ++i) {
    write(out, jute::MultiHeader{OpCode::kGetData, false, ErrorCode::kSystemError});
    write(out, jute::ReadRequest{"/a", false});
  }
  const Operation& multi_read = *find_operation(OpCode::kMultiRead);
  const auto size = [&] { return expected_reply_bytes(multi_read, client.session, body, member.tree, 0); };
  EXPECT_EQ(size(), 3U * 1'100 + 100) << "without an end";
  write(out, jute::MultiHeader{OpCode::kError, true, ErrorCode::kSystemError});
  EXPECT_EQ(size(), 3U * 1'100 + 100);
  body.resize(body.size() / 2);
  EXPECT_EQ(size(), 1'100U + 100) << "cut inside the second";
}

TEST_F(ReplySize, OfOtherReadsGrowsWithTheRequest) {
  EXPECT_EQ(expected(OpCode::kExists, jute::ReadRequest{"/a", false}), 100U + 2 * 7);
  EXPECT_EQ(expected(OpCode::kSync, std::string(1'000, 'p')), 100U + 2 * 1'004);
  EXPECT_EQ(expected(OpCode::kGetData, std::int32_t{-1}), 100U) << "undecodable";
}

}  // namespace
}  // namespace wk::txn
