#include "server/tree/digest.h"

#include <gtest/gtest.h>

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
