// Data directories, epoch files and purge.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <stop_token>

#include "server/storage/data_directories.h"
#include "server/storage/epoch_files.h"
#include "server/storage/purge.h"
#include "tests/unit/server/storage/log_fixture.h"
#include "tests/unit/server/storage/snapshot_fixture.h"

namespace wk::storage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(DataDirectories, CreatesWhatIsMissing) {
  MemoryFileSystem files;
  const auto directories = DataDirectories::open(files, {.data_dir = "/data", .data_log_dir = "/log"});
  ASSERT_TRUE(directories) << directories.error().message;
  EXPECT_EQ(directories->snapshots(), "/data/version-2");
  EXPECT_EQ(directories->logs(), "/log/version-2");
  EXPECT_EQ(directories->initialize_path(), "/log/initialize");
  EXPECT_TRUE(*files.exists("/data/version-2"));
  EXPECT_TRUE(*files.exists("/log/version-2"));
}

TEST(DataDirectories, WithoutAutocreateAMissingOneIsAnError) {
  MemoryFileSystem files;
  const auto missing = DataDirectories::open(files, {.data_dir = "/data", .create_missing = false});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("missing data directory /data/version-2 (dataDir)"));
  EXPECT_FALSE(*files.exists("/data"));
}

TEST(DataDirectories, FolderThatCannotBeWrittenIsAnError) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("/data/version-2"));
  files.read_only_folders.insert("/data/version-2");
  const auto refused = DataDirectories::open(files, {.data_dir = "/data"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kNotAllowed);
  EXPECT_THAT(refused.error().message, HasSubstr("cannot write to data directory /data/version-2 (dataDir)"));
}

TEST(DataDirectories, SecondServerIsKeptOut) {
  MemoryFileSystem files;
  {
    const auto first = DataDirectories::open(files, {.data_dir = "/data", .data_log_dir = "/log"});
    ASSERT_TRUE(first);
    for (const auto& settings : {DataDirectorySettings{.data_dir = "/data"},
                                 DataDirectorySettings{.data_dir = "/other", .data_log_dir = "/log"},
                                 DataDirectorySettings{.data_dir = "/data", .data_log_dir = "/other-log"}}) {
      const auto second = DataDirectories::open(files, settings);
      ASSERT_FALSE(second);
      EXPECT_THAT(second.error().message, HasSubstr("is held by another process"));
    }
  }
  EXPECT_TRUE(DataDirectories::open(files, {.data_dir = "/data"})) << "free again";
}

TEST(DataDirectories, MisplacedFilesAreAnErrorOnlyWhenTheFoldersDiffer) {
  const Image both{{"/data/version-2/snapshot.0", {}}, {"/data/version-2/log.1", {}}};
  MemoryFileSystem same(both);
  EXPECT_TRUE(DataDirectories::open(same, {.data_dir = "/data", .data_log_dir = "/data"}));
  MemoryFileSystem logs_misplaced(both);
  EXPECT_THAT(
      DataDirectories::open(logs_misplaced, {.data_dir = "/data", .data_log_dir = "/log"}).error().message,
      HasSubstr("Snapshot directory has log files. Check if dataLogDir and dataDir configuration is correct: "
                "/data/version-2 holds log.1"));
  MemoryFileSystem snapshots_misplaced(both);
  EXPECT_THAT(DataDirectories::open(snapshots_misplaced, {.data_dir = "/new", .data_log_dir = "/data"})
                  .error()
                  .message,
              HasSubstr("Log directory has snapshot files."));
}

TEST(DataDirectories, UnfinishedSnapshotsGoAndLookAlikesAreTold) {
  MemoryFileSystem files(Image{{"/data/version-2/tmp.snapshot.5.gz", {}},
                               {"/data/version-2/log.1.bak", {}},
                               {"/data/version-2/log.1", {}},
                               {"/data/version-2/tmp.mine", {}}});
  const auto directories = DataDirectories::open(files, {.data_dir = "/data"});
  ASSERT_TRUE(directories);
  EXPECT_THAT(directories->findings(),
              ElementsAre(HasSubstr("tmp.snapshot.5.gz: snapshot left unfinished by a crash; removed"),
                          HasSubstr("log.1.bak: not read, though Apache ZooKeeper would take it for data")));
  EXPECT_FALSE(*files.exists("/data/version-2/tmp.snapshot.5.gz"));
  EXPECT_TRUE(*files.exists("/data/version-2/tmp.mine"));
  EXPECT_EQ(files.changes().back().kind, MemoryFileSystem::Change::Kind::kSyncFolder);
}

TEST(EpochFiles, AreDecimalWithoutALineFeed) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories(kFolder));
  EXPECT_EQ(*read_epoch(files, kFolder, EpochFile::kAccepted), std::nullopt);
  ASSERT_TRUE(write_epoch(files, kFolder, EpochFile::kAccepted, Epoch{42}));
  ASSERT_TRUE(write_epoch(files, kFolder, EpochFile::kCurrent, Epoch{0xffffffff}));
  EXPECT_EQ(files.image(), (Image{{kFolder + "/acceptedEpoch", bytes_of("42")},
                                  {kFolder + "/currentEpoch", bytes_of("4294967295")}}));
  EXPECT_EQ(*read_epoch(files, kFolder, EpochFile::kAccepted), Epoch{42});
  EXPECT_EQ(*read_epoch(files, kFolder, EpochFile::kCurrent), Epoch{0xffffffff});
}

TEST(EpochFiles, OnlyTheFirstLineCounts) {
  for (const char* text : {"7", "7\n", "7\r\n", "7\nrest"}) {
    MemoryFileSystem files(Image{{kFolder + "/currentEpoch", bytes_of(text)}});
    EXPECT_EQ(*read_epoch(files, kFolder, EpochFile::kCurrent), Epoch{7}) << text;
  }
}

TEST(EpochFiles, WhatIsNoEpochIsRefused) {
  for (const char* text : {"", "x", "-1", " 1", "1 ", "0x1", "4294967296", "\n1", "1\x01"}) {
    MemoryFileSystem files(Image{{kFolder + "/currentEpoch", bytes_of(text)}});
    const auto read = read_epoch(files, kFolder, EpochFile::kCurrent);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Errc::kInvalidInput);
    EXPECT_THAT(read.error().message, HasSubstr("in /data/version-2/currentEpoch, which is not an epoch"));
  }
}

struct EpochCase {
  const char* current;
  const char* pending;
  const char* accepted;
  std::uint64_t last;
  const char* answer;  ///< "accepted current", or a part of the error
};

TEST(EpochFiles, AreMadeConsistentWithTheLogAtStart) {
  const std::vector<EpochCase> cases{
      {"3", nullptr, "3", 0x300000007, "3 3"},
      {"3", nullptr, "5", 0x300000007, "5 3"},
      {nullptr, nullptr, nullptr, 0x300000007, "3 3"},
      {nullptr, nullptr, nullptr, 0, "0 0"},
      {"4", nullptr, nullptr, 0x300000007,
       "the accepted epoch, 3, in /data/version-2/acceptedEpoch is older"},
      {"2", "3", "3", 0x300000007, "3 3"},
      {"2", nullptr, "3", 0x300000007,
       "the current epoch, 2, in /data/version-2/currentEpoch is older than the last"},
      {"2", "junk", "3", 0x300000007, "found \"junk\" in /data/version-2/currentEpoch.tmp"},
      {"3", "junk", "3", 0x300000007, "3 3"},
      {"3", nullptr, "2", 0x300000007, "the accepted epoch, 2"},
  };
  for (const EpochCase& one : cases) {
    Image image{{kFolder + "/x", {}}};
    if (one.current != nullptr) image[kFolder + "/currentEpoch"] = bytes_of(one.current);
    if (one.pending != nullptr) image[kFolder + "/currentEpoch.tmp"] = bytes_of(one.pending);
    if (one.accepted != nullptr) image[kFolder + "/acceptedEpoch"] = bytes_of(one.accepted);
    MemoryFileSystem files(image);
    const auto epochs = recover_epochs(files, kFolder, Zxid{one.last});
    if (!epochs) {
      EXPECT_THAT(epochs.error().message, HasSubstr(one.answer));
      continue;
    }
    EXPECT_EQ(std::to_string(epochs->accepted.value) + " " + std::to_string(epochs->current.value),
              one.answer);
    EXPECT_EQ(*read_epoch(files, kFolder, EpochFile::kAccepted), epochs->accepted) << "on disk, too";
    EXPECT_EQ(*read_epoch(files, kFolder, EpochFile::kCurrent), epochs->current);
  }
}

constexpr std::size_t kFieldMax = kSnapshotFieldBytesMaxDefault;

class PurgeTest : public testing::Test {
 protected:
  PurgeTest() { EXPECT_TRUE(files_.create_directories(kFolder)); }
  void add_snapshot(std::uint64_t zxid, bool damaged = false) {
    Bytes bytes = encode(rich_tree(), kDefaultTail);
    if (damaged) bytes[150] ^= std::byte{1};
    ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{zxid}, Compression::kNone, bytes));
  }
  void add_log(std::uint64_t first) { ASSERT_TRUE(files_.create(join(kFolder, log_name(Zxid{first})))); }
  std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const DirectoryEntry& entry : *files_.list(kFolder)) names.push_back(entry.name);
    return names;
  }
  MemoryFileSystem files_;
};

TEST_F(PurgeTest, KeepsTheNewestSnapshotsAndTheLogsThatTheyNeed) {
  for (const std::uint64_t zxid : {1u, 4u, 5u, 8u, 12u}) add_snapshot(zxid);
  for (const std::uint64_t first : {1u, 2u, 4u, 6u, 9u, 13u}) add_log(first);
  const auto report = purge(files_, kFolder, kFolder, 3, kFieldMax);
  ASSERT_TRUE(report);
  EXPECT_THAT(names(),
              ElementsAre("log.4", "log.6", "log.9", "log.d", "snapshot.5", "snapshot.8", "snapshot.c"));
  EXPECT_THAT(report->removed, ElementsAre("/data/version-2/snapshot.1", "/data/version-2/snapshot.4",
                                           "/data/version-2/log.1", "/data/version-2/log.2"));
  EXPECT_THAT(report->findings, IsEmpty());
  using Kind = MemoryFileSystem::Change::Kind;
  std::vector<Kind> last;
  for (auto change = files_.changes().end() - 6; change != files_.changes().end(); ++change)
    last.push_back(change->kind);
  EXPECT_THAT(last, ElementsAre(Kind::kRemove, Kind::kRemove, Kind::kSyncFolder, Kind::kRemove, Kind::kRemove,
                                Kind::kSyncFolder))
      << "no snapshot comes back whose logs are gone";
  EXPECT_THAT(purge(files_, kFolder, kFolder, 3, kFieldMax)->removed, IsEmpty()) << "nothing left to do";
}

TEST_F(PurgeTest, LogThatBeginsAtTheSnapshotNeedsNoEarlierOne) {
  for (const std::uint64_t zxid : {5u, 8u, 12u}) add_snapshot(zxid);
  for (const std::uint64_t first : {1u, 5u, 6u}) add_log(first);
  ASSERT_TRUE(purge(files_, kFolder, kFolder, 3, kFieldMax));
  EXPECT_THAT(names(), ElementsAre("log.5", "log.6", "snapshot.5", "snapshot.8", "snapshot.c"));
}

TEST_F(PurgeTest, DamagedSnapshotsDoNotCount) {
  for (const std::uint64_t zxid : {1u, 4u, 5u}) add_snapshot(zxid);
  add_snapshot(8, true);
  add_snapshot(9, true);
  add_snapshot(12);
  add_log(1);
  add_log(2);
  const auto report = purge(files_, kFolder, kFolder, 3, kFieldMax);
  ASSERT_TRUE(report);
  EXPECT_THAT(names(),
              ElementsAre("log.2", "snapshot.4", "snapshot.5", "snapshot.8", "snapshot.9", "snapshot.c"));
  EXPECT_THAT(report->findings,
              ElementsAre(HasSubstr("snapshot.9 at byte"), HasSubstr("snapshot.8 at byte")));
}

// With a raised jute.maxbuffer a znode may be longer than what snapshots hold by default.
TEST_F(PurgeTest, SnapshotsCountWhoseZnodesAreAsLongAsTheLimitAllows) {
  OwnedSnapshot tree = empty_tree();
  tree.nodes.push_back({"/long", std::string(3'000'000, 'x'), {}});
  for (const std::uint64_t zxid : {1u, 4u, 5u, 8u})
    ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{zxid}, Compression::kNone, encode(tree, kDefaultTail)));
  add_log(1);
  EXPECT_THAT(purge(files_, kFolder, kFolder, 3, kFieldMax)->removed, IsEmpty());
  EXPECT_THAT(purge(files_, kFolder, kFolder, 3, 10'000'000)->removed,
              ElementsAre("/data/version-2/snapshot.1"));
}

// At each call to the disk in turn: what is there afterwards is always a folder that a start can use, and the
// next purge does the rest.
TEST_F(PurgeTest, IsGivenUpBetweenPiecesAndBetweenFiles) {
  for (const std::uint64_t zxid : {1u, 4u, 5u, 8u, 12u}) add_snapshot(zxid);
  for (const std::uint64_t first : {1u, 2u, 4u, 6u, 9u, 13u}) add_log(first);
  const auto all = names();
  int calls_in_all = 0;
  {
    MemoryFileSystem files(files_.image());
    files.before = [&](std::string_view, const std::string&) -> Result<void> {
      ++calls_in_all;
      return {};
    };
    ASSERT_TRUE(purge(files, kFolder, kFolder, 3, kFieldMax));
  }
  std::set<std::size_t> left;
  for (int last = 1; last < calls_in_all; ++last) {
    MemoryFileSystem files(files_.image());
    std::stop_source stop;
    int calls = 0;
    int reads_behind = 0;
    files.before = [&](std::string_view call, const std::string&) -> Result<void> {
      if (stop.stop_requested() && call == "read") ++reads_behind;
      if (++calls == last) stop.request_stop();
      return {};
    };
    const auto report = purge(files, kFolder, kFolder, 3, kFieldMax, stop.get_token());
    files.before = nullptr;
    EXPECT_LE(reads_behind, 1) << last;
    if (!report) {
      EXPECT_EQ(report.error().code, Errc::kCancelled) << last;
    }
    const auto entries = files.list(kFolder);
    left.insert(entries->size());
    EXPECT_EQ(snapshots_of(*entries).front().zxid, Zxid{12}) << last;
    ASSERT_TRUE(purge(files, kFolder, kFolder, 3, kFieldMax));
    EXPECT_EQ(files.list(kFolder)->size(), 7U) << last;
  }
  EXPECT_THAT(left, testing::IsSupersetOf({all.size(), all.size() - 1, all.size() - 2, all.size() - 3}));
}

TEST_F(PurgeTest, WithoutAUsableSnapshotNothingIsRemoved) {
  for (const std::uint64_t zxid : {1u, 4u, 5u, 6u}) add_snapshot(zxid, true);
  add_log(1);
  add_log(2);
  const auto before = names();
  ASSERT_TRUE(purge(files_, kFolder, kFolder, 3, kFieldMax));
  EXPECT_EQ(names(), before);
}

TEST_F(PurgeTest, LooksOfLogsInAnotherFolderAndStrangersStay) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("/s"));
  ASSERT_TRUE(files.create_directories("/l"));
  for (const std::uint64_t zxid : {1u, 2u, 3u, 4u, 5u})
    ASSERT_TRUE(
        write_snapshot(files, "/s", Zxid{zxid}, Compression::kGzip, encode(empty_tree(), kDefaultTail)));
  for (const char* path :
       {"/l/log.1", "/l/log.2", "/l/log.3", "/l/log.1.bak", "/s/currentEpoch", "/s/snapshot.0.old"})
    ASSERT_TRUE(files.create(path));
  ASSERT_TRUE(purge(files, "/s", "/l", 3, kFieldMax));
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : files.image()) paths.push_back(path);
  EXPECT_THAT(paths, ElementsAre("/l/log.1.bak", "/l/log.3", "/s/currentEpoch", "/s/snapshot.0.old",
                                 "/s/snapshot.3.gz", "/s/snapshot.4.gz", "/s/snapshot.5.gz"));
}

}  // namespace
}  // namespace wk::storage
