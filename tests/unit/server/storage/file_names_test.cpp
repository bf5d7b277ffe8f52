#include "server/storage/file_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wk::storage {
namespace {

using testing::ElementsAre;

TEST(FileNames, LogsAreNamedAfterTheirFirstZxidInLowerCase) {
  EXPECT_EQ(log_name(Zxid{0x1a}), "log.1a");
  EXPECT_EQ(log_name(Zxid{0x200000000}), "log.200000000");
  EXPECT_EQ(parse_log_name("log.1a"), Zxid{0x1a});
  EXPECT_EQ(parse_log_name("log.00FF"), Zxid{0xff});
  EXPECT_EQ(parse_log_name("log.7fffffffffffffff"), Zxid{0x7fffffffffffffff});
}

TEST(FileNames, WhatIsNotExactlyALogIsNone) {
  for (const char* name : {"log.", "log", "log.1.bak", "log.1.fixed", "log.xyz", "log.+1", "log. 1",
                           "log.0x1", "log.ffffffffffffffff", "log.11111111111111111", "xlog.1", "tmp.log.1"})
    EXPECT_EQ(parse_log_name(name), std::nullopt) << name;
}

TEST(FileNames, SnapshotsCarryTheirCompression) {
  EXPECT_EQ(snapshot_name(Zxid{10}, Compression::kNone), "snapshot.a");
  EXPECT_EQ(snapshot_name(Zxid{10}, Compression::kGzip), "snapshot.a.gz");
  EXPECT_EQ(snapshot_name(Zxid{10}, Compression::kSnappy), "snapshot.a.snappy");
  for (const auto compression : {Compression::kNone, Compression::kGzip, Compression::kSnappy}) {
    const auto parsed = parse_snapshot_name(snapshot_name(Zxid{0x10f}, compression));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->zxid, Zxid{0x10f});
    EXPECT_EQ(parsed->compression, compression);
  }
  for (const char* name : {"snapshot.", "snapshot.a.tmp", "snapshot.a.gz.bak", "snapshot..gz", "snapshot.g",
                           "snapshot.ffffffffffffffff", "snapshot.a.GZ", "log.a"})
    EXPECT_FALSE(parse_snapshot_name(name)) << name;
}

TEST(FileNames, UnfinishedSnapshotsAreNoDataForAnybody) {
  const std::string name = unfinished_snapshot_name(Zxid{10}, Compression::kGzip);
  EXPECT_EQ(name, "tmp.snapshot.a.gz");
  EXPECT_TRUE(is_unfinished_snapshot(name));
  EXPECT_FALSE(is_unfinished_snapshot("snapshot.a"));
  EXPECT_FALSE(is_unfinished_snapshot("tmp.other"));
}

TEST(FileNames, ListsAreSortedByZxidAndTellTheLookAlikes) {
  const std::vector<DirectoryEntry> entries{
      {"acceptedEpoch", 1, true}, {"log.10", 5, true},          {"log.9", 5, true},
      {"log.1.bak", 5, true},     {"log.1", 5, true},           {"log.2", 0, false},
      {"snapshot.9", 7, true},    {"snapshot.10.gz", 7, true},  {"snapshot.10", 7, true},
      {"snapshot.z", 7, true},    {"watchkeeper.lock", 0, true}};
  std::vector<std::string> logs;
  for (const LogName& log : logs_of(entries)) logs.push_back(log.name);
  EXPECT_THAT(logs, ElementsAre("log.1", "log.9", "log.10"));
  std::vector<std::string> snapshots;
  for (const SnapshotName& snapshot : snapshots_of(entries)) snapshots.push_back(snapshot.name);
  EXPECT_THAT(snapshots, ElementsAre("snapshot.10", "snapshot.10.gz", "snapshot.9"));
  EXPECT_EQ(snapshots_of(entries)[0].size, 7u);
  EXPECT_THAT(look_alikes_of(entries), ElementsAre("log.1.bak", "log.2", "snapshot.z"));
}

}  // namespace
}  // namespace wk::storage
