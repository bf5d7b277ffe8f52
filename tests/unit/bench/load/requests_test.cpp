#include "bench/load/requests.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "jute/codes.h"
#include "jute/records.h"

namespace wk::bench {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kHeaderBytes = 8;
constexpr std::uint32_t kRun = 0xabc;

Plan small_plan() {
  Plan plan;
  plan.keys = 20;
  plan.data_bytes = 3;
  plan.root = "/r";
  return plan;
}

/// One frame, taken apart again.
struct Frame {
  Operation operation{};
  jute::RequestHeader header{};
  std::vector<std::byte> body{};
};

Frame next(RequestMaker& maker, Operation wanted, std::int32_t xid, FastRandom& random) {
  std::vector<std::byte> output(2);  // Frames are appended to what is there.
  Frame frame;
  frame.operation = maker.append(wanted, xid, random, output);
  const auto bytes = std::span<const std::byte>(output).subspan(2);
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    length = length << 8U | std::to_integer<std::size_t>(bytes[i]);
  EXPECT_EQ(length + kLengthBytes, bytes.size());
  frame.header = *jute::decode<jute::RequestHeader>(bytes.subspan(kLengthBytes));
  const auto body = bytes.subspan(kLengthBytes + kHeaderBytes);
  frame.body.assign(body.begin(), body.end());
  return frame;
}

TEST(RequestMaker, ReadsChooseAmongAllKeys) {
  const Plan plan = small_plan();
  RequestMaker maker(plan, 0, kRun);
  FastRandom random(1);
  std::set<std::string> paths;
  for (int i = 0; i < 500; ++i) {
    const Frame frame = next(maker, Operation::kGet, i, random);
    EXPECT_EQ(frame.header.xid, i);
    EXPECT_EQ(frame.header.op, jute::OpCode::kGetData);
    const auto request = jute::decode<jute::ReadRequest>(frame.body);
    ASSERT_TRUE(request);
    EXPECT_FALSE(request->watch);
    paths.insert(request->path);
  }
  EXPECT_EQ(paths.size(), 20U);
  EXPECT_EQ(*paths.begin(), "/r/k0000000");
  EXPECT_EQ(*paths.rbegin(), "/r/k0000019");
  EXPECT_EQ(*paths.begin(), key_path("/r", 0));
}

TEST(RequestMaker, WritesCarryTheData) {
  RequestMaker maker(small_plan(), 0, kRun);
  FastRandom random(1);
  const auto request = jute::decode<jute::SetDataRequest>(next(maker, Operation::kSet, 1, random).body);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->data, "xxx");
  EXPECT_EQ(request->version, -1);
}

TEST(RequestMaker, CreatesHaveNamesOfTheirOwnAndDeletesFollowThem) {
  RequestMaker maker(small_plan(), 7, kRun);
  FastRandom random(1);
  for (const auto* const name : {"/r/c00007/00000abc-0000000000", "/r/c00007/00000abc-0000000001"}) {
    const auto request = jute::decode<jute::CreateRequest>(next(maker, Operation::kCreate, 1, random).body);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->path, name);
    EXPECT_EQ(request->mode, jute::CreateMode::kPersistent);
  }
  const Frame first = next(maker, Operation::kDelete, 1, random);
  EXPECT_EQ(first.operation, Operation::kDelete);
  EXPECT_EQ(jute::decode<jute::DeleteRequest>(first.body)->path, "/r/c00007/00000abc-0000000000");
  EXPECT_EQ(next(maker, Operation::kDelete, 1, random).operation, Operation::kDelete);
  EXPECT_EQ(next(maker, Operation::kDelete, 1, random).operation, Operation::kCreate)
      << "nothing is left to delete";
}

TEST(Chooser, KeepsTheShares) {
  Mix mix{};
  mix.at(static_cast<std::size_t>(Operation::kGet)) = 90;
  mix.at(static_cast<std::size_t>(Operation::kSet)) = 10;
  const Chooser chooser(mix);
  FastRandom random(3);
  std::array<int, kOperationNames.size()> counts{};
  for (int i = 0; i < 100'000; ++i) ++counts.at(static_cast<std::size_t>(chooser.choose(random)));
  EXPECT_NEAR(counts.at(static_cast<std::size_t>(Operation::kSet)), 10'000, 400);
  EXPECT_EQ(counts.at(static_cast<std::size_t>(Operation::kGet)) +
                counts.at(static_cast<std::size_t>(Operation::kSet)),
            100'000);
}

TEST(FastRandom, StaysBelowItsBound) {
  FastRandom random(5);
  std::array<int, 3> counts{};
  for (int i = 0; i < 3000; ++i) ++counts.at(random.below(3));
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.share(), 1.0);
}

}  // namespace
}  // namespace wk::bench
