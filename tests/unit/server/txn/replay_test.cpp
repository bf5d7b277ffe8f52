// What Apache's leader wrote: applied here, applied twice, and written again from the same requests.
#include <gtest/gtest.h>

#include "member.h"
#include "tests/unit/jute/apache_transactions.h"
#include "tests/unit/jute/bytes.h"

namespace wk::txn {
namespace {

using jute::bytes;
using jute::CreateMode;
using jute::hex;
using jute::kApacheTransactions;

Applied apply_payload(Member& member, std::span<const std::byte> payload) {
  const auto applied =
      apply(payload, {member.tree, member.sessions, member.watches, member, member.settings}, nullptr);
  EXPECT_TRUE(applied) << applied.error().message;
  return applied ? *applied : Applied{};
}

TEST(Replay, EveryDigestOfApachesTransactionsIsReached) {
  Member member;
  for (const auto& recorded : kApacheTransactions) {
    const Applied applied = apply_payload(member, bytes(recorded.payload));
    EXPECT_FALSE(applied.digest_mismatch) << recorded.payload;
    EXPECT_EQ(jute::name(applied.header.type), recorded.type);
  }
  EXPECT_EQ(member.tree.digest(), 0x3e118b12bU);
  EXPECT_EQ(member.tree.find("/b2").data(), "v");
  EXPECT_FALSE(member.tree.find("/cont"));
  EXPECT_EQ(member.tree.find("/zookeeper/config").stat().version, -1);
  EXPECT_EQ(member.sessions.committed_count(), 0U);
}

TEST(Replay, WrongDigestsAreReported) {
  Member member;
  auto payload = bytes(kApacheTransactions[0].payload);
  payload.back() ^= std::byte{1};
  EXPECT_TRUE(apply_payload(member, payload).digest_mismatch);
  payload[payload.size() - 9] = std::byte{3};  // a formula that nobody here knows
  EXPECT_FALSE(apply_payload(member, payload).digest_mismatch);
  member.settings.digest = false;
  payload[payload.size() - 9] = std::byte{2};
  EXPECT_FALSE(apply_payload(member, payload).digest_mismatch);
}

TEST(Replay, ApplyingTheWholeHistoryTwiceChangesNothing) {
  Member member;
  for (const auto& recorded : kApacheTransactions) apply_payload(member, bytes(recorded.payload));
  const std::uint64_t digest = member.tree.digest();
  const std::size_t nodes = member.tree.node_count();
  // From a snapshot that already held everything: nodes that exist or are missing are no faults.
  const Applied again = apply_payload(member, bytes(kApacheTransactions[17].payload));
  EXPECT_EQ(again.error, ErrorCode::kNodeExists);
  EXPECT_EQ(apply_payload(member, bytes(kApacheTransactions[8].payload)).error, ErrorCode::kNoNode);
  EXPECT_EQ(member.tree.digest(), digest);
  EXPECT_EQ(member.tree.node_count(), nodes);
}

TEST(Replay, BytesThatAreNoTransactionAreAnErrorAndChangeNothing) {
  Member member;
  const auto whole = bytes(kApacheTransactions[1].payload);
  for (std::size_t length = 0; length < whole.size() - 16; ++length) {
    const auto applied =
        apply(std::span(whole).first(length),
              {member.tree, member.sessions, member.watches, member, member.settings}, nullptr);
    ASSERT_FALSE(applied) << length;
    EXPECT_EQ(applied.error().code, Errc::kTruncated);
  }
  EXPECT_FALSE(member.tree.find("/a"));
}

// The same requests with the same zxids and times give the same bytes.
class Rewriting : public ::testing::Test {
 protected:
  // Sends what led to the transaction at `index`, and compares.
  template <typename Record>
  void expect_same(std::size_t index, OpCode op, const Record& record) {
    expect_same_bytes(index, op, encoded(record));
  }
  void expect_same_bytes(std::size_t index, OpCode op, const std::vector<std::byte>& body) {
    const auto recorded = bytes(kApacheTransactions[index].payload);
    const auto txn = jute::decode_txn(recorded);
    ASSERT_TRUE(txn);
    client.session = txn->header.session_id;
    client.xid = txn->header.cxid - 1;
    member.zxid = txn->header.zxid.value - 1;
    member.wall_ms = txn->header.time_ms - 1;
    member.submit_bytes(client, op, body);
    EXPECT_EQ(hex(member.waiting.back().payload), hex(recorded)) << kApacheTransactions[index].type;
  }

  Member member;
  Client client;
};

TEST_F(Rewriting, ApachesTransactionsFromTheSameRequests) {
  const auto with_data = [](std::string path, std::string data, CreateMode mode = CreateMode::kPersistent) {
    return creating(std::move(path), mode, kOpen, std::move(data));
  };
  const auto multi = [](std::vector<jute::MultiOperation> operations) {
    return jute::MultiRequest{std::move(operations)};
  };
  // All of them are prepared before the first is applied: so outstanding changes carry every check and
  // digest.
  expect_same(0, OpCode::kCreateSession, std::int32_t{6000});
  expect_same(1, OpCode::kCreate, with_data("/a", "hello"));
  expect_same(2, OpCode::kCreate, with_data("/a/e", "x", CreateMode::kEphemeral));
  expect_same(3, OpCode::kSetData, jute::SetDataRequest{"/a", "w2", 0});
  expect_same(4, OpCode::kSetData, jute::SetDataRequest{"/a", "w2", 9});
  expect_same(5, OpCode::kMulti,
              multi({{OpCode::kCheck, jute::CheckVersionRequest{"/a", 1}},
                     {OpCode::kCreate, with_data("/a/m", "1")},
                     {OpCode::kSetData, jute::SetDataRequest{"/a", "w3", -1}},
                     {OpCode::kDelete, jute::DeleteRequest{"/a/m", -1}}}));
  expect_same(6, OpCode::kMulti,
              multi({{OpCode::kCreate, with_data("/a/n", "1")},
                     {OpCode::kDelete, jute::DeleteRequest{"/missing", -1}}}));
  expect_same(7, OpCode::kSetAcl,
              jute::SetAclRequest{"/a", {{{31, {"digest", "u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ="}}}}, -1});
  client.identities = {{"digest", "u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ="}};
  expect_same(8, OpCode::kDelete, jute::DeleteRequest{"/a/e", -1});
  expect_same_bytes(9, OpCode::kCloseSession, {});
  expect_same(10, OpCode::kCreateSession, std::int32_t{10000});
  expect_same(11, OpCode::kCreateContainer, with_data("/cont", "data", CreateMode::kContainer));
  expect_same(12, OpCode::kCreateTtl,
              jute::CreateTtlRequest{with_data("/ttlnode", "data", CreateMode::kPersistentWithTtl), 60000});
  expect_same(13, OpCode::kCreate, with_data("/cont/x", "y"));
  expect_same(14, OpCode::kDelete, jute::DeleteRequest{"/cont/x", -1});
  expect_same_bytes(15, OpCode::kCloseSession, {});
  expect_same(16, OpCode::kCreateSession, std::int32_t{6000});
  expect_same(17, OpCode::kCreate, with_data("/b0", "v"));
  expect_same(18, OpCode::kCreate, with_data("/b1", "v"));
  expect_same(19, OpCode::kCreate, with_data("/b2", "v"));
  expect_same_bytes(20, OpCode::kCloseSession, {});
  expect_same(21, OpCode::kCreateSession, std::int32_t{10000});
  // Two reconfigurations, which a quorum of one does not have, stand between.
  expect_same_bytes(24, OpCode::kCloseSession, {});
  expect_same(25, OpCode::kDeleteContainer, std::string("/cont"));
  member.apply_all();
  EXPECT_EQ(member.tree.digest(), 0x3e118b12bU);
}

TEST_F(Rewriting, IsNotAccidentallyEqual) {
  expect_same(0, OpCode::kCreateSession, std::int32_t{6000});
  member.submit(client, OpCode::kCreate, creating("/a", CreateMode::kPersistent, kOpen, "hellO"));
  EXPECT_NE(hex(member.waiting.back().payload), hex(bytes(kApacheTransactions[1].payload)));
}

}  // namespace
}  // namespace wk::txn
