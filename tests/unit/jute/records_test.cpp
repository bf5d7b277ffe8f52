#include "jute/records.h"

#include <gtest/gtest.h>

#include "bytes.h"

namespace wk::jute {
namespace {

/// Encodes to exactly `wire`, decodes back, ignores bytes behind it, and fails as truncated at every shorter
/// length but `valid_prefix` (0: none).
template <typename T>
void expect_wire(const T& record, std::string_view wire, std::size_t valid_prefix = 0) {
  std::vector<std::byte> output;
  Writer out(output);
  write(out, record);
  ASSERT_TRUE(out.status());
  EXPECT_EQ(hex(output), hex(bytes(wire)));

  const auto decoded = decode<T>(output);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, record);
  for (std::size_t length = 0; length < output.size(); ++length) {
    if (length == valid_prefix && valid_prefix > 0) continue;
    const auto cut = decode<T>(std::span(output).first(length));
    ASSERT_FALSE(cut) << "decoded from " << length << " of " << output.size() << " bytes";
    EXPECT_EQ(cut.error().code, Errc::kTruncated) << cut.error().message;
  }
  output.push_back(std::byte{1});
  const auto padded = decode<T>(output);
  ASSERT_TRUE(padded);
  if constexpr (!requires { record.read_only; }) {
    EXPECT_EQ(*padded, record);
  }
}

template <typename T>
Errc fault_of(std::string_view wire) {
  const auto decoded = decode<T>(bytes(wire));
  EXPECT_FALSE(decoded);
  return decoded ? Errc::kIo : decoded.error().code;
}

const Stat kStat{
    Zxid{0x100000001}, Zxid{0x100000002}, 3, 4, 5, 6, -1, SessionId{0x1000013dc750000}, 7, 8, Zxid{9}};
constexpr std::string_view kStatWire =
    "0000000100000001 0000000100000002 0000000000000003 0000000000000004 00000005 00000006 ffffffff "
    "01000013dc750000 "
    "00000007 00000008 0000000000000009";
const std::vector<Acl> kAcl{{kPermAll, {"world", "anyone"}}};
constexpr std::string_view kAclWire = "00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65";

std::string join(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const auto part : parts) out += std::string(part) + " ";
  return out;
}

TEST(ConnectRequest, ReadOnlyByteIsOptional) {
  ConnectRequest record{0, Zxid{0x200000005}, 30000, SessionId{1}, std::string("\x01\x02", 2), true};
  const std::string wire = "00000000 0000000200000005 00007530 0000000000000001 00000002 0102";
  expect_wire(record, wire + "01", 30);
  record.read_only = std::nullopt;
  std::vector<std::byte> output;
  Writer out(output);
  write(out, record);
  EXPECT_EQ(hex(output), hex(bytes(wire)));
  EXPECT_EQ(*decode<ConnectRequest>(output), record);
}

TEST(ConnectRequest, NullPasswordIsKept) {
  expect_wire(ConnectRequest{0, {}, 0, {}, std::nullopt, false},
              "00000000 0000000000000000 00000000 0000000000000000 ffffffff 00", 28);
}

TEST(ConnectResponse, FullSizeIs37Bytes) {
  const ConnectResponse record{0, 4000, SessionId{-1}, std::string(16, 'p'), false};
  expect_wire(record, "00000000 00000fa0 ffffffffffffffff 00000010 70707070707070707070707070707070 00", 36);
}

TEST(Headers, RequestAndReply) {
  expect_wire(RequestHeader{7, OpCode::kCloseSession}, "00000007 fffffff5");
  expect_wire(ReplyHeader{kXidPing, Zxid{0x300000000}, ErrorCode::kNoNode},
              "fffffffe 0000000300000000 ffffff9b");
}

TEST(Headers, UnknownNumbersSurvive) {
  expect_wire(RequestHeader{1, OpCode{4711}}, "00000001 00001267");
  expect_wire(ReplyHeader{1, Zxid{~std::uint64_t{0}}, ErrorCode{-4711}},
              "00000001 ffffffffffffffff ffffed99");
}

TEST(Stat, Takes68Bytes) {
  expect_wire(kStat, kStatWire);
  EXPECT_EQ(bytes(kStatWire).size(), 68U);
  expect_wire(StatResponse{kStat}, kStatWire);
}

TEST(Acl, NullSchemeAndIdAreKept) {
  expect_wire(Acl{1, {std::nullopt, std::nullopt}}, "00000001 ffffffff ffffffff");
  expect_wire(Id{"ip", ""}, "00000002 6970 00000000");
}

TEST(CreateRequest, NullDataAndNullAclAreNotEmpty) {
  expect_wire(CreateRequest{"/a", "d", kAcl, CreateMode::kEphemeralSequential},
              join({"00000002 2f61 00000001 64", kAclWire, "00000003"}));
  expect_wire(CreateRequest{"/a", std::nullopt, std::nullopt, CreateMode::kPersistent},
              "00000002 2f61 ffffffff ffffffff 00000000");
  expect_wire(CreateRequest{"/a", "", std::vector<Acl>{}, CreateMode::kContainer},
              "00000002 2f61 00000000 00000000 00000004");
}

TEST(CreateRequest, Responses) {
  expect_wire(CreateResponse{"/a"}, "00000002 2f61");
  expect_wire(Create2Response{"/a", kStat}, join({"00000002 2f61", kStatWire}));
  expect_wire(CreateTtlRequest{{"/a", "", kAcl, CreateMode::kPersistentWithTtl}, 1000},
              join({"00000002 2f61 00000000", kAclWire, "00000005 00000000000003e8"}));
}

TEST(Requests, ReadAndWrite) {
  expect_wire(DeleteRequest{"/a", -1}, "00000002 2f61 ffffffff");
  expect_wire(ReadRequest{"/a", true}, "00000002 2f61 01");
  expect_wire(SetDataRequest{"/a", "xy", 3}, "00000002 2f61 00000002 7879 00000003");
  expect_wire(GetDataResponse{std::nullopt, kStat}, join({"ffffffff", kStatWire}));
  expect_wire(GetDataResponse{"", kStat}, join({"00000000", kStatWire}));
  expect_wire(CheckVersionRequest{"/a", 5}, "00000002 2f61 00000005");
  expect_wire(SyncRecord{std::nullopt}, "ffffffff");
  expect_wire(SyncRecord{"/"}, "00000001 2f");
}

TEST(Requests, AclAndChildren) {
  expect_wire(GetAclRequest{"/a"}, "00000002 2f61");
  expect_wire(GetAclResponse{kAcl, kStat}, join({kAclWire, kStatWire}));
  expect_wire(SetAclRequest{"/a", kAcl, 2}, join({"00000002 2f61", kAclWire, "00000002"}));
  expect_wire(GetChildrenResponse{{"a", "bc"}}, "00000002 00000001 61 00000002 6263");
  expect_wire(GetChildren2Response{{}, kStat}, join({"00000000", kStatWire}));
}

TEST(Watches, Records) {
  expect_wire(SetWatches{Zxid{1}, {"/d"}, {}, {"/c", "/"}},
              "0000000000000001 00000001 00000002 2f64 00000000 00000002 00000002 2f63 00000001 2f");
  expect_wire(SetWatches2{{Zxid{1}, {}, {"/e"}, {}}, {"/p"}, {"/r"}},
              "0000000000000001 00000000 00000001 00000002 2f65 00000000 00000001 00000002 2f70 00000001 "
              "00000002 2f72");
  expect_wire(AddWatchRequest{"/a", AddWatchMode::kPersistentRecursive}, "00000002 2f61 00000001");
  expect_wire(ErrorResponse{ErrorCode::kBadVersion}, "ffffff99");
  expect_wire(WatcherEvent{EventType::kNodeDeleted, KeeperState::kSyncConnected, "/a"},
              "00000002 00000003 00000002 2f61");
  expect_wire(AuthPacket{0, "digest", "u:p"}, "00000000 00000006 646967657374 00000003 753a70");
}

TEST(MultiRequest, EveryKindOfOperation) {
  const MultiRequest record{{
      {OpCode::kCheck, CheckVersionRequest{"/a", 1}},
      {OpCode::kCreate, CreateRequest{"/b", "", kAcl, CreateMode::kPersistent}},
      {OpCode::kCreate2, CreateRequest{"/c", "", kAcl, CreateMode::kEphemeral}},
      {OpCode::kCreateContainer, CreateRequest{"/d", "", kAcl, CreateMode::kContainer}},
      {OpCode::kCreateTtl, CreateTtlRequest{{"/e", "", kAcl, CreateMode::kPersistentWithTtl}, 1}},
      {OpCode::kDelete, DeleteRequest{"/f", -1}},
      {OpCode::kSetData, SetDataRequest{"/g", "x", 0}},
  }};
  expect_wire(
      record,
      join({"0000000d 00 ffffffff 00000002 2f61 00000001", "00000001 00 ffffffff 00000002 2f62 00000000",
            kAclWire, "00000000", "0000000f 00 ffffffff 00000002 2f63 00000000", kAclWire, "00000001",
            "00000013 00 ffffffff 00000002 2f64 00000000", kAclWire, "00000004",
            "00000015 00 ffffffff 00000002 2f65 00000000", kAclWire, "00000005 0000000000000001",
            "00000002 00 ffffffff 00000002 2f66 ffffffff",
            "00000005 00 ffffffff 00000002 2f67 00000001 78 00000000", "ffffffff 01 ffffffff"}));
  expect_wire(MultiRequest{}, "ffffffff 01 ffffffff");
}

TEST(MultiRequest, OperationOfAnotherKindIsInvalid) {
  EXPECT_EQ(fault_of<MultiRequest>("00000003 00 ffffffff 00000002 2f61 00 ffffffff 01 ffffffff"),
            Errc::kInvalidInput);
}

TEST(MultiRequest, ClosingHeaderOfAnyTypeCloses) {
  EXPECT_TRUE(decode<MultiRequest>(bytes("00000007 01 00000000"))->operations.empty());
}

TEST(MultiResponse, SuccessAndFailure) {
  expect_wire(MultiResponse{{{OpCode::kCreate, ErrorCode::kOk, "/b", {}},
                             {OpCode::kCreate2, ErrorCode::kOk, "/c", kStat},
                             {OpCode::kSetData, ErrorCode::kOk, "", kStat},
                             {OpCode::kDelete, ErrorCode::kOk, "", {}},
                             {OpCode::kCheck, ErrorCode::kOk, "", {}}}},
              join({"00000001 00 00000000 00000002 2f62", "0000000f 00 00000000 00000002 2f63", kStatWire,
                    "00000005 00 00000000", kStatWire, "00000002 00 00000000", "0000000d 00 00000000",
                    "ffffffff 01 ffffffff"}));
  expect_wire(MultiResponse{{{OpCode::kError, ErrorCode::kOk, "", {}},
                             {OpCode::kError, ErrorCode::kNodeExists, "", {}},
                             {OpCode::kError, ErrorCode::kRuntimeInconsistency, "", {}}}},
              "ffffffff 00 00000000 00000000 ffffffff 00 ffffff92 ffffff92 ffffffff 00 fffffffe fffffffe "
              "ffffffff 01 ffffffff");
  EXPECT_EQ(fault_of<MultiResponse>("00000009 00 00000000"), Errc::kInvalidInput);
}

TEST(MultiHeader, Bytes) {
  expect_wire(MultiHeader{OpCode::kDelete, false, ErrorCode::kOk}, "00000002 00 00000000");
}

TEST(Malformed, NullWhereAStringMustBe) {
  EXPECT_EQ(fault_of<ReadRequest>("ffffffff 00"), Errc::kInvalidInput);
  EXPECT_EQ(fault_of<GetChildrenResponse>("00000001 ffffffff"), Errc::kInvalidInput);
}

TEST(Malformed, NullWhereAVectorMustBe) {
  EXPECT_EQ(fault_of<SetWatches>("0000000000000001 ffffffff 00000000 00000000"), Errc::kInvalidInput);
}

TEST(Malformed, NegativeLengths) {
  EXPECT_EQ(fault_of<ReadRequest>("fffffffe 00"), Errc::kInvalidInput);
  EXPECT_EQ(fault_of<GetDataResponse>("80000000"), Errc::kInvalidInput);
  // A negative count other than -1 is an empty vector, as in Java.
  EXPECT_TRUE(decode<GetChildrenResponse>(bytes("fffffffe"))->children.empty());
}

TEST(Malformed, HugeLengthsAreRefusedBeforeAllocation) {
  EXPECT_EQ(fault_of<ReadRequest>("7fffffff 2f"), Errc::kTooLarge);
  EXPECT_EQ(fault_of<GetChildrenResponse>("7fffffff 00000001 61"), Errc::kTruncated);
  // 12 bytes is the least an Acl takes: two of them do not fit into 23.
  EXPECT_EQ(fault_of<GetAclResponse>("00000002 " + std::string(46, '0')), Errc::kTruncated);
}

TEST(MinWireBytes, CountsFixedPartsOnly) {
  EXPECT_EQ(min_wire_bytes<Acl>(), 12U);
  EXPECT_EQ(min_wire_bytes<Stat>(), 68U);
  EXPECT_EQ(min_wire_bytes<std::string>(), 4U);
  EXPECT_EQ(min_wire_bytes<ReadRequest>(), 5U);
}

}  // namespace
}  // namespace wk::jute
