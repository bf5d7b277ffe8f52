#include "jute/views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bytes.h"

namespace wk::jute {
namespace {

using ::testing::ElementsAre;

template <typename T>
std::string encode(const T& record) {
  std::vector<std::byte> output;
  Writer out(output);
  write(out, record);
  EXPECT_TRUE(out.status());
  return hex(output);
}

TEST(ListView, WalksWhatItHasChecked) {
  const auto wire = bytes("00000003 00000002 2f61 00000000 00000001 62 ff");
  const auto list = decode<PathListView>(wire);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->size(), 3U);
  EXPECT_THAT(std::vector<std::string>(list->begin(), list->end()), ElementsAre("/a", "", "b"));
  EXPECT_EQ(encode(*list), hex(bytes("00000003 00000002 2f61 00000000 00000001 62")));
}

TEST(ListView, WalksWhatWasCheckedWithARaisedLimit) {
  std::vector<std::byte> wire;
  Writer out(wire, kLongestString);
  out.write_count(1);
  out.write_string(std::string(3'000'000, 'x'));
  Reader in(wire, 10'000'000);
  PathListView list;
  read(in, list);
  ASSERT_TRUE(in.ok());
  EXPECT_EQ((*list.begin()).size(), 3'000'000U);
}

TEST(ListView, EmptyHasNothingToWalk) {
  const PathListView list;
  EXPECT_TRUE(list.empty());
  EXPECT_TRUE(list.begin() == list.end());
}

TEST(ListView, NullIsNotEmpty) {
  struct {
    std::optional<AclListView> acl{};
  } record;
  const auto null = bytes("ffffffff");
  Reader in(null);
  read(in, record.acl);
  EXPECT_TRUE(in.ok());
  EXPECT_FALSE(record.acl);
  EXPECT_EQ(encode(record.acl), "ff ff ff ff");

  const auto odd = bytes("fffffffe");  // Java reads every other negative count as an empty vector.
  Reader again(odd);
  read(again, record.acl);
  ASSERT_TRUE(record.acl);
  EXPECT_TRUE(record.acl->empty());

  const auto fault = decode<PathListView>(null);
  ASSERT_FALSE(fault);
  EXPECT_EQ(fault.error().code, Errc::kInvalidInput);
}

TEST(ListView, NullElementsFaultWhereTheyMustNotBe) {
  const auto wire = bytes("00000001 ffffffff");
  EXPECT_FALSE(decode<PathListView>(wire));
}

TEST(ListView, CountsThatCannotFitFault) {
  const auto fault = decode<PathListView>(bytes("7fffffff 00000000"));
  ASSERT_FALSE(fault);
  EXPECT_EQ(fault.error().code, Errc::kTruncated);
}

TEST(CreateRequestView, ReadsWithoutCopying) {
  const auto wire = bytes("00000002 2f61 ffffffff 00000001 0000001f 00000005 776f726c64 ffffffff 00000003");
  const auto request = decode<CreateRequestView>(wire);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->path, "/a");
  EXPECT_EQ(static_cast<const void*>(request->path->data()), wire.data() + 4);
  EXPECT_EQ(request->data, std::nullopt);
  ASSERT_TRUE(request->acl);
  EXPECT_EQ(*request->acl->begin(), (AclView{kPermAll, {"world", std::nullopt}}));
  EXPECT_EQ(request->mode, CreateMode::kEphemeralSequential);
}

TEST(CreateRequestView, EveryCutFaults) {
  const auto wire =
      bytes("00000002 2f61 00000001 78 00000001 0000001f 00000005 776f726c64 00000000 00000003");
  for (std::size_t length = 0; length < wire.size(); ++length)
    EXPECT_FALSE(decode<CreateRequestView>(std::span(wire).first(length))) << length;
}

TEST(CreateTtlRequestView, EndsWithTheTimeToLive) {
  const auto wire = bytes("00000002 2f61 00000000 00000000 00000005 000000000000ea60");
  const auto request = decode<CreateTtlRequestView>(wire);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->create.data, "");
  EXPECT_TRUE(request->create.acl->empty());
  EXPECT_EQ(request->create.mode, CreateMode::kPersistentWithTtl);
  EXPECT_EQ(request->ttl_ms, 60000);
}

TEST(SetWatches2View, HoldsFiveLists) {
  const auto wire = bytes(
      "0000000000000009 00000001 00000002 2f61 00000000 00000001 00000002 2f62 00000001 00000002 2f63 "
      "00000001 "
      "00000002 2f64");
  const auto request = decode<SetWatches2View>(wire);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->standard.relative_zxid, Zxid{9});
  EXPECT_EQ(*request->standard.data_watches->begin(), "/a");
  EXPECT_TRUE(request->standard.exist_watches->empty());
  EXPECT_EQ(*request->standard.child_watches->begin(), "/b");
  EXPECT_EQ(*request->persistent_watches->begin(), "/c");
  EXPECT_EQ(*request->persistent_recursive_watches->begin(), "/d");
}

TEST(ReconfigRequestView, KeepsNullApartFromEmpty) {
  const auto wire = bytes("00000000 ffffffff 00000001 78 ffffffffffffffff");
  const auto request = decode<ReconfigRequestView>(wire);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->joining_servers, "");
  EXPECT_EQ(request->leaving_servers, std::nullopt);
  EXPECT_EQ(request->new_members, "x");
  EXPECT_EQ(request->current_config_id, -1);
}

TEST(ConnectRequestView, ReadOnlyByteIsOptional) {
  const auto wire = bytes("00000000 0000000000000005 00001770 0000000000000000 00000002 0102 01");
  const auto request = decode<ConnectRequestView>(wire);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->password, "\x01\x02");
  EXPECT_EQ(request->read_only, true);
  const auto older = decode<ConnectRequestView>(std::span(wire).first(wire.size() - 1));
  ASSERT_TRUE(older);
  EXPECT_EQ(older->read_only, std::nullopt);
}

}  // namespace
}  // namespace wk::jute
