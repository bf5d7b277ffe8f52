#include "jute/txn_records.h"

#include <gtest/gtest.h>

#include <string>

#include "apache_transactions.h"
#include "bytes.h"

namespace wk::jute {
namespace {

std::vector<std::byte> encode(const Txn& txn) {
  std::vector<std::byte> output;
  Writer out(output);
  write_txn(out, txn.header, txn.body, txn.digest);
  EXPECT_TRUE(out.status());
  return output;
}

// Header of session 1, cxid 2, zxid 3, time 4.
std::vector<std::byte> payload(std::string_view type, std::string_view body) {
  return bytes("0000000000000001 00000002 0000000000000003 0000000000000004 " + std::string(type) +
               std::string(body));
}

TEST(DecodeTxn, WhatApacheRecordedIsEncodedAlike) {
  for (const RecordedTransaction& recorded : kApacheTransactions) {
    const auto wire = bytes(recorded.payload);
    const auto txn = decode_txn(wire);
    ASSERT_TRUE(txn) << recorded.payload << ": " << txn.error().message;
    EXPECT_EQ(name(txn->header.type), recorded.type);
    EXPECT_EQ(hex(encode(*txn)), hex(wire));
  }
}

TEST(DecodeTxn, EveryCutInFrontOfTheDigestIsTruncated) {
  for (const RecordedTransaction& recorded : kApacheTransactions) {
    // Without its end a closeSession is one of an older writer.
    if (recorded.type == "closeSession") continue;
    const auto wire = bytes(recorded.payload);
    const std::size_t digest = recorded.type == "error" ? 0 : 12;
    for (std::size_t length = 0; length < wire.size() - digest; ++length) {
      if (recorded.type == "create" && length == wire.size() - digest - 4) continue;  // a create of 3.3
      const auto txn = decode_txn(std::span(wire).first(length));
      ASSERT_FALSE(txn) << recorded.payload << " cut to " << length;
      EXPECT_EQ(txn.error().code, Errc::kTruncated) << txn.error().message;
    }
  }
}

TEST(DecodeTxn, CreateTellsItsFields) {
  const auto wire = bytes(kApacheTransactions[2].payload);
  const auto txn = decode_txn(wire);
  ASSERT_TRUE(txn);
  EXPECT_EQ(txn->header,
            (TxnHeader{SessionId{0x010000120c410000}, 2, Zxid{0x100000003}, 0x1a1fff08a28, OpCode::kCreate}));
  const auto& create = std::get<CreateTxn>(txn->body);
  EXPECT_EQ(create.path, "/a/e");
  EXPECT_EQ(create.data, "x");
  ASSERT_TRUE(create.acl);
  ASSERT_EQ(create.acl->size(), 1U);
  EXPECT_EQ(*create.acl->begin(), (AclView{kPermAll, {"world", "anyone"}}));
  EXPECT_TRUE(create.ephemeral);
  EXPECT_EQ(create.parent_cversion, 1);
  EXPECT_EQ(txn->digest, (TxnDigest{2, 0x1a37e161c}));
}

TEST(DecodeTxn, MultiTellsItsParts) {
  const auto wire = bytes(kApacheTransactions[6].payload);
  const auto txn = decode_txn(wire);
  ASSERT_TRUE(txn);
  const auto& multi = std::get<MultiTxn>(txn->body);
  ASSERT_EQ(multi.parts.size(), 2U);
  auto part = multi.parts.begin();
  EXPECT_EQ(part->type, OpCode::kCreate);
  const auto create = decode_multi_part(*part);
  ASSERT_TRUE(create);
  EXPECT_EQ(std::get<CreateTxn>(*create).path, "/a/n");
  ++part;
  EXPECT_EQ(part->type, OpCode::kError);
  const auto error = decode_multi_part(*part);
  ASSERT_TRUE(error);
  EXPECT_EQ(std::get<ErrorTxn>(*error).error, ErrorCode::kNoNode);
}

TEST(DecodeTxn, CreateOfOldestWritersHasNoParentCversion) {
  const auto wire = payload("00000001", "00000002 2f61 ffffffff ffffffff 00");
  const auto txn = decode_txn(wire);
  ASSERT_TRUE(txn);
  const auto& create = std::get<CreateTxn>(txn->body);
  EXPECT_EQ(create.data, std::nullopt);
  EXPECT_FALSE(create.acl);
  EXPECT_EQ(create.parent_cversion, -1);
  EXPECT_FALSE(txn->digest);
}

TEST(DecodeTxn, CloseSessionMayLackItsPaths) {
  const auto bare = payload("fffffff5", "");
  const auto txn = decode_txn(bare);
  ASSERT_TRUE(txn);
  EXPECT_FALSE(std::get<CloseSessionTxn>(txn->body).paths_to_delete);
  EXPECT_FALSE(txn->digest);
}

TEST(DecodeTxn, CloseSessionWithADigestAloneIsTakenForThat) {
  const auto wire = payload("fffffff5", "00000002 0000000000000007");
  const auto txn = decode_txn(wire);
  ASSERT_TRUE(txn);
  EXPECT_FALSE(std::get<CloseSessionTxn>(txn->body).paths_to_delete);
  EXPECT_EQ(txn->digest, (TxnDigest{2, 7}));
  EXPECT_EQ(hex(encode(*txn)), hex(wire));
}

TEST(DecodeTxn, CloseSessionWithOnePathAsLongAsADigestIsAPath) {
  const auto wire = payload("fffffff5", "00000001 00000004 2f616263");
  const auto txn = decode_txn(wire);
  ASSERT_TRUE(txn);
  ASSERT_TRUE(std::get<CloseSessionTxn>(txn->body).paths_to_delete);
  EXPECT_EQ(*std::get<CloseSessionTxn>(txn->body).paths_to_delete->begin(), "/abc");
}

TEST(DecodeTxn, ASwitchedOffListIsNotRead) {
  const auto wire = payload("fffffff5", "00000002 0000000000000007");
  const auto txn = decode_txn(wire, {.close_session_paths = false});
  ASSERT_TRUE(txn);
  EXPECT_FALSE(std::get<CloseSessionTxn>(txn->body).paths_to_delete);
  EXPECT_EQ(txn->digest, (TxnDigest{2, 7}));
}

TEST(DecodeTxn, UnknownTypesAreNamed) {
  const auto txn = decode_txn(payload("00000063", ""));
  ASSERT_FALSE(txn);
  EXPECT_EQ(txn.error().code, Errc::kInvalidInput);
  EXPECT_EQ(txn.error().message, "Unsupported Txn with type=99");
}

TEST(DecodeTxn, PartsOfAMultiAreChecked) {
  const auto unknown = decode_txn(payload("0000000e", "00000001 00000007 00000000"));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "Unsupported Txn with type=7");
  const auto cut = decode_txn(payload("0000000e", "00000001 00000002 00000003 000000"));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Errc::kTruncated);
}

TEST(DecodeTxn, LimitsHold) {
  const auto wire = payload("00000002", "00000005 2f61626364");
  EXPECT_TRUE(decode_txn(wire, {.max_string_bytes = 5}));
  const auto txn = decode_txn(wire, {.max_string_bytes = 4});
  ASSERT_FALSE(txn);
  EXPECT_EQ(txn.error().code, Errc::kTooLarge);
}

TEST(DecodeTxn, NullPathsFault) {
  const auto txn = decode_txn(payload("00000002", "ffffffff"));
  ASSERT_FALSE(txn);
  EXPECT_EQ(txn.error().code, Errc::kInvalidInput);
}

}  // namespace
}  // namespace wk::jute
