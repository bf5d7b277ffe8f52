#include "server/tree/digest.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

namespace wk::tree {
namespace {

// The expected numbers were read off a running Apache ZooKeeper 3.9.5.

TEST(NodeDigest, ApachesNumbers) {
  EXPECT_EQ(node_digest("", std::nullopt, {}), 0x04128908U);
  EXPECT_EQ(node_digest("/", "", {}), 0x04128908U);
  EXPECT_EQ(node_digest("/zookeeper", "", {}), 0x4DB44D58U);
  EXPECT_EQ(node_digest("/a", "hello", stat_at_creation(Zxid{2}, 1795295334202, 0)), 0xC58BF7ECU);
  StatPersisted root{};
  root.pzxid = Zxid{2};
  root.cversion = 1;
  EXPECT_EQ(node_digest("", "", root), 0x031578F2U);
}

TEST(NodeDigest, EverythingBelowZookeeperIsLeftOut) {
  EXPECT_EQ(node_digest("/zookeeper/config", "x", {}), 0U);
  EXPECT_EQ(node_digest("/zookeeper/quota/a/b", "x", {}), 0U);
  EXPECT_NE(node_digest("/zookeepers", "x", {}), 0U);
}

TEST(NodeDigest, DependsOnEveryNumber) {
  StatPersisted base{};
  const std::uint32_t digest = node_digest("/a", "x", base);
  const auto differs = [&](auto&& change) {
    StatPersisted stat = base;
    change(stat);
    return node_digest("/a", "x", stat) != digest;
  };
  EXPECT_TRUE(differs([](StatPersisted& s) { s.czxid = Zxid{1}; }));
  EXPECT_TRUE(differs([](StatPersisted& s) { s.mzxid = Zxid{1}; }));
  EXPECT_TRUE(differs([](StatPersisted& s) { s.pzxid = Zxid{1}; }));
  EXPECT_TRUE(differs([](StatPersisted& s) { s.ctime_ms = 1; }));
  EXPECT_TRUE(differs([](StatPersisted& s) { s.mtime_ms = 1; }));
  EXPECT_TRUE(differs([](StatPersisted& s) { s.version = 1; }));
  EXPECT_TRUE(differs([](StatPersisted& s) { s.cversion = 1; }));
  EXPECT_TRUE(differs([](StatPersisted& s) { s.aversion = 1; }));
  EXPECT_TRUE(differs([](StatPersisted& s) { s.ephemeral_owner = 1; }));
}

/// The definition: one CRC-32, a bit at a time, over path, data and the 60 bytes of the numbers.
std::uint32_t plain_digest(const std::string& path, const std::string& data, const StatPersisted& stat) {
  std::string all = path + data;
  const auto append = [&all](std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) all.push_back(static_cast<char>(value >> (8 * i)));
  };
  for (const Zxid zxid : {stat.czxid, stat.mzxid, stat.pzxid}) append(zxid.value, 8);
  for (const std::int64_t time_ms : {stat.ctime_ms, stat.mtime_ms})
    append(static_cast<std::uint64_t>(time_ms), 8);
  for (const std::int32_t version : {stat.version, stat.cversion, stat.aversion})
    append(static_cast<std::uint32_t>(version), 4);
  append(static_cast<std::uint64_t>(stat.ephemeral_owner), 8);
  std::uint32_t crc = ~0U;
  for (const char byte : all) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

TEST(NodeDigest, IsOneCrcHoweverLongTheDataIs) {
  std::mt19937_64 random(1);
  std::vector<std::size_t> lengths{0, 1, 7, 1023, 1024, 1025, 65'536, 3'000'001};
  for (int i = 0; i < 200; ++i) lengths.push_back(random() % 4'000);
  for (const std::size_t length : lengths) {
    const std::string path = "/" + std::string(random() % 30, static_cast<char>(random()));
    std::string data(length, '\0');
    for (char& byte : data) byte = static_cast<char>(random());
    const auto any_number = [&random] { return static_cast<std::int64_t>(random()); };
    const auto any_version = [&random] { return static_cast<std::int32_t>(random()); };
    const StatPersisted stat{.czxid = {random()},
                             .mzxid = {random()},
                             .ctime_ms = any_number(),
                             .mtime_ms = any_number(),
                             .version = any_version(),
                             .cversion = any_version(),
                             .aversion = any_version(),
                             .ephemeral_owner = any_number(),
                             .pzxid = {random()}};
    const std::string hashed_path = path == "/" ? "" : path;
    ASSERT_EQ(node_digest(path, data, stat), plain_digest(hashed_path, data, stat)) << length;
    ASSERT_EQ(digest_of_content(path, content_crc(path, data), stat), node_digest(path, data, stat));
  }
}

TEST(DigestLog, KeepsEveryHundredTwentyEighthZxid) {
  DigestLog log;
  EXPECT_FALSE(log.last());
  for (std::uint64_t zxid = 1; zxid <= 300; ++zxid) log.record(Zxid{zxid}, zxid * 10);
  ASSERT_EQ(log.entries().size(), 2U);
  EXPECT_EQ(log.entries()[0], (ZxidDigest{Zxid{128}, 1280}));
  EXPECT_EQ(log.entries()[1], (ZxidDigest{Zxid{256}, 2560}));
  EXPECT_EQ(log.last(), (ZxidDigest{Zxid{300}, 3000}));
}

TEST(DigestLog, ForgetsTheOldest) {
  DigestLog log;
  for (std::uint64_t i = 1; i <= DigestLog::kMaxEntries + 2; ++i)
    log.record(Zxid{i * DigestLog::kInterval}, i);
  EXPECT_EQ(log.entries().size(), DigestLog::kMaxEntries);
  EXPECT_EQ(log.entries().front(), (ZxidDigest{Zxid{3 * DigestLog::kInterval}, 3}));
}

}  // namespace
}  // namespace wk::tree
