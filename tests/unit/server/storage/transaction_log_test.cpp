#include "server/storage/transaction_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "tests/unit/server/storage/log_fixture.h"

namespace wk::storage {
namespace {

class TransactionLogTest : public testing::Test {
 protected:
  TransactionLogTest() { EXPECT_TRUE(files_.create_directories(kFolder)); }

  void append(TransactionLog& log, std::uint64_t first, std::uint64_t last, std::size_t size = 60) {
    for (std::uint64_t zxid = first; zxid <= last; ++zxid) {
      const auto appended = log.append(Zxid{zxid}, payload(zxid, size));
      ASSERT_TRUE(appended) << appended.error().message;
    }
  }
  std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const DirectoryEntry& entry : *files_.list(kFolder)) names.push_back(entry.name);
    return names;
  }
  std::size_t size_of(const std::string& name) { return files_.image().at(join(kFolder, name)).size(); }

  MemoryFileSystem files_;
};

TEST_F(TransactionLogTest, FirstFileIsApachesGoldenVector) {
  TransactionLog log(files_, kFolder, Zxid{0}, {});
  const Bytes create_session = from_hex(R"(
      010000125ada0000 00000000 0000000000000001 000001a1fff0ceb3 fffffff6
      00007530
      00000002 0000000051c6d660)");
  ASSERT_TRUE(log.append(Zxid{1}, create_session));
  ASSERT_TRUE(log.sync());
  const Bytes expected = from_hex(R"(
      5a4b4c47 00000002 0000000000000000
      00000000ed120c42 00000030
        010000125ada0000 00000000 0000000000000001 000001a1fff0ceb3 fffffff6
        00007530
        00000002 0000000051c6d660
      42)");
  Bytes file = files_.image().at(kFolder + "/log.1");
  EXPECT_EQ(file.size(), 67'108'880u);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), file.begin()));
  EXPECT_TRUE(std::all_of(file.begin() + static_cast<std::ptrdiff_t>(expected.size()), file.end(),
                          [](std::byte byte) { return byte == std::byte{0}; }));
}

TEST_F(TransactionLogTest, NothingIsOpenedBeforeTheFirstAppendIsWritten) {
  TransactionLog log(files_, kFolder, Zxid{4}, {});
  EXPECT_TRUE(log.sync());
  EXPECT_TRUE(log.roll());
  EXPECT_TRUE(names().empty());
  EXPECT_EQ(log.last_zxid(), Zxid{4});
  EXPECT_EQ(log.file_bytes(), 0u);
  append(log, 5, 5);
  EXPECT_TRUE(log.sync());
  EXPECT_THAT(names(), testing::ElementsAre("log.5"));
}

TEST_F(TransactionLogTest, AppendedIsNotAcknowledgedBeforeSync) {
  TransactionLog log(files_, kFolder, Zxid{0}, {});
  append(log, 1, 3);
  EXPECT_EQ(log.last_zxid(), Zxid{3});
  EXPECT_EQ(log.synced_zxid(), Zxid{0});
  ASSERT_TRUE(log.sync());
  EXPECT_EQ(log.synced_zxid(), Zxid{3});
  EXPECT_EQ(log.stats().appends, 3u);
  EXPECT_EQ(log.stats().payload_bytes, 180u);
  EXPECT_EQ(log.stats().writes, 1u) << "one write for the whole batch";
  EXPECT_EQ(log.stats().syncs, 1u);
  ASSERT_TRUE(log.sync());
  EXPECT_EQ(log.stats().syncs, 1u) << "nothing new, nothing to sync";
}

TEST_F(TransactionLogTest, FileNameHeaderAndFolderAreDurableBeforeTheFirstRecord) {
  TransactionLog log(files_, kFolder, Zxid{0}, {.preallocation_bytes = 8192});
  append(log, 1, 1);
  ASSERT_TRUE(log.sync());
  using Kind = MemoryFileSystem::Change::Kind;
  std::vector<Kind> kinds;
  for (const auto& change : files_.changes()) kinds.push_back(change.kind);
  EXPECT_THAT(kinds, testing::ElementsAre(Kind::kCreate, Kind::kWrite, Kind::kResize, Kind::kSync,
                                          Kind::kSyncFolder, Kind::kWrite, Kind::kSync));
}

// Sizes seen at Apache 3.9.5 with preAllocSize=64: 65,552, 131,072, 196,608.
TEST_F(TransactionLogTest, PaddingGrowsAsApaches) {
  constexpr std::uint64_t k64 = 65536;
  EXPECT_EQ(padded_log_size(16, 16, k64), 65'552u);
  EXPECT_EQ(padded_log_size(61'000, 65'552, k64), 65'552u);
  EXPECT_EQ(padded_log_size(61'455, 65'552, k64), 65'552u);
  EXPECT_EQ(padded_log_size(61'456, 65'552, k64), 131'088u);
  EXPECT_EQ(padded_log_size(65'553, 65'552, k64), 131'072u);
  EXPECT_EQ(padded_log_size(131'073, 131'072, k64), 196'608u);
  EXPECT_EQ(padded_log_size(5'000, 16, 0), 16u);

  TransactionLog log(files_, kFolder, Zxid{0}, {.preallocation_bytes = k64});
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t zxid = 1; zxid <= 20; ++zxid) {
    append(log, zxid, zxid, 10'000);
    ASSERT_TRUE(log.sync());
    if (sizes.empty() || sizes.back() != size_of("log.1")) sizes.push_back(size_of("log.1"));
    EXPECT_EQ(log.file_bytes(), sizes.back());
  }
  EXPECT_EQ(sizes[0], 65'552u);
  EXPECT_EQ(sizes[1], 70'107u) << "the seventh record passes the padding";
  EXPECT_EQ(sizes[2], 131'072u);
}

TEST_F(TransactionLogTest, WithoutPreallocationTheFileEndsWithItsLastRecord) {
  TransactionLog log(files_, kFolder, Zxid{0}, {.preallocation_bytes = 0});
  append(log, 1, 10);
  ASSERT_TRUE(log.sync());
  EXPECT_EQ(files_.image().at(kFolder + "/log.1"), log_file(payloads(1, 10)));
}

TEST_F(TransactionLogTest, RollSyncsAndOpensAFileNamedAfterTheNextTransaction) {
  TransactionLog log(files_, kFolder, Zxid{0}, {.preallocation_bytes = 4096});
  append(log, 1, 9);
  ASSERT_TRUE(log.roll());
  EXPECT_EQ(log.synced_zxid(), Zxid{9});
  EXPECT_EQ(log.file_bytes(), 0u);
  append(log, 10, 12);
  ASSERT_TRUE(log.sync());
  EXPECT_THAT(names(), testing::ElementsAre("log.1", "log.a"));
  EXPECT_EQ(files_.image().at(kFolder + "/log.1").size(), 4112u);
  EXPECT_EQ(files_.image().at(kFolder + "/log.a").size(), 4112u);
  EXPECT_EQ(log.file_bytes(), 4112u);
  const ReadLog read = read_log(files_);
  EXPECT_EQ(read.zxids, range(1, 12));
  EXPECT_TRUE(read.end.findings.empty());
}

TEST_F(TransactionLogTest, SizeLimitRollsAfterASync) {
  TransactionLog log(files_, kFolder, Zxid{0}, {.preallocation_bytes = 0, .file_bytes_max = 200});
  append(log, 1, 2);
  ASSERT_TRUE(log.sync());
  append(log, 3, 3);
  ASSERT_TRUE(log.sync());
  append(log, 4, 4);
  ASSERT_TRUE(log.sync());
  EXPECT_THAT(names(), testing::ElementsAre("log.1", "log.4"));
  EXPECT_EQ(read_log(files_).zxids, range(1, 4));
}

TEST_F(TransactionLogTest, FileOfExactlyTheSizeLimitIsRolled) {
  const std::size_t two_records = log_file(payloads(1, 2)).size();
  TransactionLog log(files_, kFolder, Zxid{0}, {.preallocation_bytes = 0, .file_bytes_max = two_records});
  for (std::uint64_t zxid = 1; zxid <= 5; ++zxid) {
    append(log, zxid, zxid);
    ASSERT_TRUE(log.sync());
  }
  EXPECT_THAT(names(), testing::ElementsAre("log.1", "log.3", "log.5"));
}

TEST_F(TransactionLogTest, AnotherEpochStartsAtAnyCounter) {
  TransactionLog log(files_, kFolder, Zxid{0}, {});
  append(log, 1, 2);
  append(log, 0x200000001, 0x200000003);
  append(log, 0x500000000, 0x500000001);
  ASSERT_TRUE(log.sync());
  EXPECT_THAT(read_log(files_).zxids,
              testing::ElementsAre(1, 2, 0x200000001, 0x200000002, 0x200000003, 0x500000000, 0x500000001));
}

TEST_F(TransactionLogTest, LargeBatchesAreWrittenInPartsAndSyncedBeforeTheLimit) {
  TransactionLog log(files_, kFolder, Zxid{0}, {.preallocation_bytes = 4096});
  append(log, 1, 12, 400'000);
  EXPECT_GE(log.stats().forced_syncs, 2u);
  EXPECT_GT(log.synced_zxid(), Zxid{0});
  ASSERT_TRUE(log.sync());
  std::size_t unsynced = 0;
  for (const auto& change : files_.changes()) {
    if (change.kind == MemoryFileSystem::Change::Kind::kWrite) unsynced += change.bytes.size();
    if (change.kind == MemoryFileSystem::Change::Kind::kSync) unsynced = 0;
    EXPECT_LE(unsynced, kUnsyncedBytesMax);
  }
  EXPECT_EQ(read_log(files_).zxids, range(1, 12));
}

TEST_F(TransactionLogTest, WithoutForceSyncNothingIsSynced) {
  TransactionLog log(files_, kFolder, Zxid{0}, {.force_sync = false});
  append(log, 1, 3);
  ASSERT_TRUE(log.roll());
  EXPECT_EQ(log.synced_zxid(), Zxid{3});
  for (const auto& change : files_.changes()) EXPECT_NE(change.kind, MemoryFileSystem::Change::Kind::kSync);
  EXPECT_EQ(read_log(files_).zxids, range(1, 3));
}

TEST_F(TransactionLogTest, FullDiskRefusesAndHealsWithoutLosingAnything) {
  files_.sectors_max = 4;  // header and three more
  TransactionLog log(files_, kFolder, Zxid{0}, {.preallocation_bytes = 65536});
  append(log, 1, 10);
  ASSERT_TRUE(log.sync());
  append(log, 11, 20, 200);
  const auto refused = log.sync();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kNoSpace);
  EXPECT_FALSE(log.failed());
  EXPECT_EQ(log.synced_zxid(), Zxid{10});
  EXPECT_EQ(files_.image().at(kFolder + "/log.1"), log_file(payloads(1, 10))) << "cut back to whole records";
  EXPECT_EQ(log.sync().error().code, Errc::kNoSpace) << "still full";
  EXPECT_EQ(log.stats().no_space, 2u);
  EXPECT_EQ(read_log(files_).zxids, range(1, 10));

  files_.sectors_max.reset();
  append(log, 21, 21);
  ASSERT_TRUE(log.sync());
  EXPECT_EQ(log.synced_zxid(), Zxid{21});
  const ReadLog read = read_log(files_);
  EXPECT_EQ(read.zxids, range(1, 21));
  EXPECT_TRUE(read.end.findings.empty());
  EXPECT_EQ(read.payloads[10], payload(11, 200));
}

TEST_F(TransactionLogTest, FullDiskAtTheFirstRecordLeavesNoFile) {
  files_.sectors_max = 0;
  TransactionLog log(files_, kFolder, Zxid{0}, {});
  append(log, 1, 1);
  EXPECT_EQ(log.sync().error().code, Errc::kNoSpace);
  EXPECT_EQ(log.stats().no_space, 1u);
  EXPECT_TRUE(names().empty());
  files_.sectors_max.reset();
  ASSERT_TRUE(log.sync());
  EXPECT_EQ(read_log(files_).zxids, range(1, 1));
}

// At every call of a roll that opens something: the log's name, and the folder that keeps it.
TEST_F(TransactionLogTest, WithoutADescriptorARollIsRefusedAndHeals) {
  for (const std::string_view refused : {"create", "sync folder"}) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.create_directories(kFolder));
    TransactionLog log(files, kFolder, Zxid{0}, {});
    ASSERT_TRUE(log.append(Zxid{1}, payload(1)));
    ASSERT_TRUE(log.roll());
    files.before = [&](std::string_view call, const std::string&) -> Result<void> {
      if (call != refused) return {};
      return Error{Errc::kNoSpace, "Too many open files"};
    };
    ASSERT_TRUE(log.append(Zxid{2}, payload(2)));
    for (int i = 0; i < 2; ++i) {
      const auto failed = log.sync();
      ASSERT_FALSE(failed);
      EXPECT_EQ(failed.error().code, Errc::kNoSpace) << refused;
    }
    EXPECT_FALSE(log.failed()) << refused;
    EXPECT_EQ(log.synced_zxid(), Zxid{1});
    EXPECT_EQ(log.stats().no_space, 2U);
    EXPECT_EQ(files.image().size(), 1U) << "the file that was begun stayed";
    files.before = nullptr;
    ASSERT_TRUE(log.sync());
    EXPECT_EQ(read_log(files).zxids, range(1, 2));
  }
}

TEST_F(TransactionLogTest, FullDiskBoundsWhatIsGathered) {
  files_.sectors_max = 2;
  TransactionLog log(files_, kFolder, Zxid{0}, {});
  std::uint64_t taken = 0;
  Result<void> appended{};
  for (std::uint64_t zxid = 1; zxid <= 100 && appended; ++zxid) {
    appended = log.append(Zxid{zxid}, payload(zxid, 100'000));
    if (appended) taken = zxid;
  }
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code, Errc::kNoSpace);
  EXPECT_LE(taken * 100'013, TransactionLog::kGatheredBytesMax);
  EXPECT_EQ(log.last_zxid(), Zxid{taken}) << "the refused one is not in the log";
  files_.sectors_max.reset();
  ASSERT_TRUE(log.append(Zxid{taken + 1}, payload(taken + 1, 100'000)));
  ASSERT_TRUE(log.sync());
  EXPECT_EQ(read_log(files_).zxids, range(1, taken + 1));
}

TEST_F(TransactionLogTest, AbandonedTransactionsMakeRoomForOthersWithTheirZxids) {
  files_.sectors_max = 4;
  TransactionLog log(files_, kFolder, Zxid{0}, {.preallocation_bytes = 65536});
  append(log, 1, 10);
  ASSERT_TRUE(log.sync());
  append(log, 11, 20, 200);
  ASSERT_EQ(log.sync().error().code, Errc::kNoSpace);
  append(log, 21, 22, 200);
  log.abandon_unsynced();
  EXPECT_EQ(log.last_zxid(), Zxid{10});
  EXPECT_EQ(log.synced_zxid(), Zxid{10});
  ASSERT_TRUE(log.sync()) << "nothing is left to write";
  EXPECT_EQ(files_.image().at(kFolder + "/log.1"), log_file(payloads(1, 10)));

  files_.sectors_max.reset();
  append(log, 11, 12, 300);
  ASSERT_TRUE(log.sync());
  EXPECT_THAT(names(), testing::ElementsAre("log.1"));
  const ReadLog read = read_log(files_);
  EXPECT_EQ(read.zxids, range(1, 12));
  EXPECT_EQ(read.payloads[10], payload(11, 300));
  EXPECT_TRUE(read.end.findings.empty());
}

TEST_F(TransactionLogTest, WhatIsOnlyGatheredEndsWithTheLog) {
  {
    TransactionLog log(files_, kFolder, Zxid{0}, {});
    append(log, 1, 3);
    ASSERT_TRUE(log.sync());
    append(log, 4, 9);
  }
  EXPECT_EQ(read_log(files_).zxids, range(1, 3));
  TransactionLog next(files_, kFolder, Zxid{3}, {});
  append(next, 4, 4, 90);
  ASSERT_TRUE(next.sync());
  EXPECT_EQ(read_log(files_).payloads[3], payload(4, 90));
}

TEST_F(TransactionLogTest, FailedSyncIsFinalEvenForLackOfSpace) {
  for (const Errc code : {Errc::kIo, Errc::kNoSpace}) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.create_directories(kFolder));
    TransactionLog log(files, kFolder, Zxid{0}, {});
    ASSERT_TRUE(log.append(Zxid{1}, payload(1)));
    ASSERT_TRUE(log.sync());
    ASSERT_TRUE(log.append(Zxid{2}, payload(2)));
    int syncs = 0;
    files.before = [&](std::string_view call, const std::string&) -> Result<void> {
      if (call != "sync") return {};
      ++syncs;
      return Error{code, "cannot sync: the disk is gone"};
    };
    const auto failed = log.sync();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::kIo);
    EXPECT_TRUE(log.failed());
    EXPECT_EQ(log.synced_zxid(), Zxid{1});
    for (const auto& answer : {log.sync(), log.append(Zxid{3}, payload(3)), log.roll()}) {
      ASSERT_FALSE(answer);
      EXPECT_EQ(answer.error().message, "cannot sync: the disk is gone");
    }
    EXPECT_EQ(syncs, 1) << "never tried again";
  }
}

// Every call to the disk fails once, in turn: whatever was acknowledged is there, whatever failed is told.
TEST_F(TransactionLogTest, EveryFailingCallIsReportedAndNothingAcknowledgedIsLost) {
  for (int failing = 0;; ++failing) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.create_directories(kFolder));
    int calls = 0;
    bool fired = false;
    files.before = [&](std::string_view, const std::string&) -> Result<void> {
      if (calls++ != failing) return {};
      fired = true;
      return Error{Errc::kIo, "input/output error"};
    };
    TransactionLog log(files, kFolder, Zxid{0}, {.preallocation_bytes = 4096});
    std::uint64_t zxid = 0;
    bool told = false;
    for (int batch = 0; batch < 4 && !told; ++batch) {
      for (int i = 0; i < 3; ++i) {
        ++zxid;
        told = told || !log.append(Zxid{zxid}, payload(zxid, 400));
      }
      told = told || !(batch == 2 ? log.roll() : log.sync());
    }
    files.before = nullptr;
    const ReadLog read = read_log(files);
    ASSERT_FALSE(read.error) << failing << ": " << read.error->message;
    EXPECT_GE(read.zxids.size(), log.synced_zxid().value) << failing;
    EXPECT_EQ(told, fired) << failing;
    EXPECT_EQ(log.failed(), fired) << failing;
    if (!fired) {
      EXPECT_GT(failing, 12);
      EXPECT_EQ(read.zxids, range(1, 12));
      break;
    }
  }
}

TEST_F(TransactionLogTest, FileWithTransactionsIsNeverOverwritten) {
  {
    TransactionLog log(files_, kFolder, Zxid{0}, {});
    append(log, 1, 3);
    ASSERT_TRUE(log.sync());
  }
  TransactionLog wrong(files_, kFolder, Zxid{0}, {});
  append(wrong, 1, 1);
  const auto refused = wrong.sync();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kInvalidInput);
  EXPECT_THAT(refused.error().message,
              testing::HasSubstr("/data/version-2/log.1 exists and holds transactions"));
  EXPECT_EQ(read_log(files_).zxids, range(1, 3));
}

TEST_F(TransactionLogTest, FileWithOnlyAHeaderIsTakenOver) {
  MemoryFileSystem files(Image{{kFolder + "/log.1", log_file({}, 4096)}});
  TransactionLog log(files, kFolder, Zxid{0}, {});
  ASSERT_TRUE(log.append(Zxid{1}, payload(1)));
  ASSERT_TRUE(log.sync());
  EXPECT_EQ(read_log(files).zxids, range(1, 1));
}

// What a crash leaves right behind a new file's creation. The files before it are not looked at, and what
// they hold may be longer than the default limit.
TEST_F(TransactionLogTest, FileOfACrashIsTakenOverBehindAFileWithLongRecords) {
  constexpr std::size_t kLong = kPayloadBytesMaxDefault + 1;
  for (const Bytes& left : {log_file({}, 4096), Bytes{}, Bytes(4096)}) {
    MemoryFileSystem files(
        Image{{kFolder + "/log.1", log_file(payloads(1, 2, kLong))}, {kFolder + "/log.3", left}});
    TransactionLog log(files, kFolder, Zxid{2}, {.payload_bytes_max = kLong});
    ASSERT_TRUE(log.append(Zxid{3}, payload(3)));
    const auto synced = log.sync();
    ASSERT_TRUE(synced) << synced.error().message;
    EXPECT_EQ(read_log(files, 1, {.payload_bytes_max = kLong}).zxids, range(1, 3));
  }
}

// Records above the default limit are transactions, and whatever they are called, those of a file stay.
TEST_F(TransactionLogTest, FileWithLongOrEarlierTransactionsIsNeverOverwritten) {
  constexpr std::size_t kLong = kPayloadBytesMaxDefault + 1;
  for (const Bytes& file : {log_file({payload(3, kLong)}), log_file(payloads(1, 2))}) {
    MemoryFileSystem files(Image{{kFolder + "/log.3", file}});
    TransactionLog log(files, kFolder, Zxid{2}, {.payload_bytes_max = kLong});
    ASSERT_TRUE(log.append(Zxid{3}, payload(3)));
    const auto refused = log.sync();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, testing::HasSubstr("log.3 exists and holds transactions"));
    EXPECT_EQ(files.image().at(kFolder + "/log.3"), file);
  }
}

TEST_F(TransactionLogTest, FileThatCannotBeReadIsToldAsWhatItIs) {
  Bytes foreign = log_file({});
  foreign[0] = std::byte{'X'};
  MemoryFileSystem files(Image{{kFolder + "/log.3", foreign}});
  TransactionLog log(files, kFolder, Zxid{2}, {});
  ASSERT_TRUE(log.append(Zxid{3}, payload(3)));
  const auto refused = log.sync();
  ASSERT_FALSE(refused);
  EXPECT_THAT(
      refused.error().message,
      testing::HasSubstr("log.3 at byte 0: it begins with 0x584b4c47, which is not a transaction log"));
  EXPECT_EQ(files.image().at(kFolder + "/log.3"), foreign);
}

/// Appends to a log that ends with transaction 5, with the logger where a death test sees it.
void append_to_five(Zxid zxid, const Bytes& bytes) {
  if (start_logging("critical", LogFormat::kText).has_error()) return;
  MemoryFileSystem files;
  if (!files.create_directories(kFolder)) return;
  TransactionLog log(files, kFolder, Zxid{5}, {});
  [[maybe_unused]] const auto appended = log.append(zxid, bytes);
}

TEST(TransactionLogDeathTest, ZxidsMustFollowEachOther) {
  EXPECT_DEATH(append_to_five(Zxid{5}, payload(5)), "0x5 would follow 0x5");
  EXPECT_DEATH(append_to_five(Zxid{7}, payload(7)), "0x7 would follow 0x5");
  EXPECT_DEATH(append_to_five(Zxid{6}, payload(7)), "does not begin with the header of its transaction");
  EXPECT_DEATH(append_to_five(Zxid{6}, Bytes(31)), "does not begin with the header of its transaction");
}

}  // namespace
}  // namespace wk::storage
