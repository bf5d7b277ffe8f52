// R3: a crash at every write, resize, sync, creation, rename, removal and sync of a folder, with every sector
// of what is unsynced lost or kept alone, every folder change lost or kept, writes torn at any byte, and
// random mixtures: no acknowledged transaction is lost, no restart is refused, and the next run can go on.
#include <gtest/gtest.h>

#include <algorithm>

#include "server/storage/data_directories.h"
#include "server/storage/epoch_files.h"
#include "server/storage/log_reader.h"
#include "server/storage/purge.h"
#include "server/storage/transaction_log.h"
#include "tests/unit/server/storage/log_fixture.h"
#include "tests/unit/server/storage/snapshot_fixture.h"

namespace wk::storage {
namespace {

const std::string kDataDir = "/data";

/// Sizes that make records cross sectors, fill them exactly, and leave them room.
std::size_t size_of(std::uint64_t zxid) {
  static constexpr std::size_t kSizes[] = {60, 499, 33, 1100, 45, 256, 700, 32};
  return kSizes[zxid % std::size(kSizes)];
}

Bytes transaction(std::uint64_t zxid) {
  // Every third one has data of zeros, which looks like sectors that were never written.
  return zxid % 3 == 0 ? payload(zxid, size_of(zxid), std::byte{0}) : payload(zxid, size_of(zxid));
}

/// A member without a tree: its state is the zxid of its last transaction.
class Member {
 public:
  explicit Member(MemoryFileSystem& files) : files_(files) {}

  /// Starts as a server does. \return what went wrong, nothing when it serves
  std::optional<std::string> start() {
    auto directories = DataDirectories::open(files_, {.data_dir = kDataDir});
    if (!directories) return directories.error().message;
    directories_.emplace(std::move(*directories));
    Collector collector;
    const auto newest = read_newest_snapshot(files_, directories_->snapshots(), collector);
    if (!newest) return newest.error().message;
    const std::uint64_t snapshot = newest->content ? newest->content->name.zxid.value : 0;
    if (newest->content && collector.read.nodes.at(4).data != std::to_string(snapshot))
      return "the snapshot does not hold the state of its name";
    auto reader = LogReader::open(files_, directories_->logs(), Zxid{snapshot + 1},
                                  {.continues_state = newest->content.has_value()});
    if (!reader) return reader.error().message;
    last_ = snapshot;
    for (;;) {
      const auto record = reader->next();
      if (!record) return record.error().message;
      if (!*record) break;
      if ((*record)->zxid.value != last_ + 1) return "a transaction is missing";
      ++last_;
      const Bytes expected = transaction(last_);
      if (!std::ranges::equal((*record)->payload, expected)) return "a transaction is not what was appended";
    }
    if (const auto mended = mend_log(files_, directories_->logs(), reader->end()); !mended)
      return mended.error().message;
    const auto epochs = recover_epochs(files_, directories_->snapshots(), Zxid{0});
    if (!epochs) return epochs.error().message;
    epoch_ = epochs->current.value;
    log_.emplace(files_, directories_->logs(), Zxid{last_},
                 TransactionLogSettings{.preallocation_bytes = 6000});
    return std::nullopt;
  }

  [[nodiscard]] std::uint64_t last() const { return last_; }
  [[nodiscard]] std::uint32_t epoch() const { return epoch_; }

  void append(int count) {
    for (int i = 0; i < count; ++i) {
      ++last_;
      ASSERT_TRUE(log_->append(Zxid{last_}, transaction(last_)));
    }
  }
  /// Acknowledges everything that is durable.
  void sync() {
    ASSERT_TRUE(log_->sync());
    files_.mark(log_->synced_zxid().value);
  }
  Result<void> try_sync() { return log_->sync(); }
  void snapshot(Compression compression) {
    ASSERT_TRUE(log_->roll());
    files_.mark(log_->synced_zxid().value);
    OwnedSnapshot tree = empty_tree();
    tree.nodes.push_back({"/last", std::to_string(last_), {}});
    ASSERT_TRUE(write_snapshot(files_, directories_->snapshots(), Zxid{last_}, compression,
                               encode(tree, kDefaultTail)));
  }
  void purge_old() {
    ASSERT_TRUE(purge(files_, directories_->snapshots(), directories_->logs(), kRetainedSnapshotsMin,
                      kSnapshotFieldBytesMaxDefault));
  }
  void set_epoch(std::uint32_t epoch) {
    ASSERT_TRUE(write_epoch(files_, directories_->snapshots(), EpochFile::kAccepted, Epoch{epoch}));
    ASSERT_TRUE(write_epoch(files_, directories_->snapshots(), EpochFile::kCurrent, Epoch{epoch}));
    epoch_ = epoch;
  }

 private:
  MemoryFileSystem& files_;
  std::optional<DataDirectories> directories_{};
  std::optional<TransactionLog> log_{};
  std::uint64_t last_ = 0;
  std::uint32_t epoch_ = 0;
};

/// Last acknowledged transaction among the first `count` changes.
std::uint64_t acknowledged(const MemoryFileSystem& files, std::size_t count) {
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < count; ++i)
    if (files.changes()[i].kind == MemoryFileSystem::Change::Kind::kMark)
      last = std::max(last, files.changes()[i].mark);
  return last;
}

std::string describe(std::size_t count, const CrashChoice& choice) {
  return "crash after change " + std::to_string(count) + ", choice " +
         std::to_string(static_cast<int>(choice.kind)) + " " + std::to_string(choice.index) +
         (choice.folders ? "" : " without folder changes");
}

/// Crashes `files`' run everywhere and restarts; on every `every`-th disk the new run is crashed everywhere,
/// too. \return disks that were started from
std::size_t crash_everywhere(const MemoryFileSystem& files, std::uint64_t acknowledged_before,
                             std::size_t every, int seeds) {
  std::size_t disks = 0;
  for (std::size_t count = 0; count <= files.changes().size(); ++count) {
    auto choices = crash_choices(files.initial(), files.changes(), count);
    for (int seed = 0; seed < seeds; ++seed)
      choices.push_back({CrashChoice::Kind::kRandom, count * 1000 + static_cast<std::size_t>(seed)});
    const std::uint64_t promised = std::max(acknowledged_before, acknowledged(files, count));
    for (const CrashChoice& choice : choices) {
      MemoryFileSystem disk(crash_image(files.initial(), files.changes(), count, choice));
      Member member(disk);
      const auto fault = member.start();
      ++disks;
      if (fault || member.last() < promised) {
        ADD_FAILURE() << describe(count, choice) << ": "
                      << fault.value_or("acknowledged transaction " + std::to_string(promised) +
                                        " is lost, the last is " + std::to_string(member.last()));
        return disks;
      }
      if (every == 0 || disks % every != 0) continue;
      const std::uint64_t kept = member.last();
      disk.mark(kept);  // what a recovered member serves to clients must not go away again
      member.append(3);
      member.sync();
      member.append(2);
      member.sync();
      crash_everywhere(disk, 0, 0, 1);
      if (testing::Test::HasFailure()) {
        ADD_FAILURE() << "that was the second " << describe(count, choice);
        return disks;
      }
    }
  }
  return disks;
}

TEST(Crash, AppendsRollsAndPaddingLoseNothingAcknowledged) {
  MemoryFileSystem files;
  Member member(files);
  ASSERT_EQ(member.start(), std::nullopt);
  member.append(1);
  member.sync();
  member.append(6);
  member.sync();
  member.append(4);
  member.sync();
  member.append(3);
  member.snapshot(Compression::kNone);
  member.append(5);
  member.sync();
  member.append(2);
  const std::size_t disks = crash_everywhere(files, 0, 23, 4);
  EXPECT_GT(disks, 800u);
  RecordProperty("disks", static_cast<int>(disks));
}

TEST(Crash, SnapshotsPurgeAndEpochsNeverLeaveAFolderThatDoesNotStart) {
  MemoryFileSystem files;
  Member member(files);
  ASSERT_EQ(member.start(), std::nullopt);
  for (int round = 0; round < 5; ++round) {
    member.append(2);
    member.sync();
    member.snapshot(static_cast<Compression>(round % 3));
    member.set_epoch(static_cast<std::uint32_t>(round + 1));
  }
  member.append(1);
  member.sync();
  member.purge_old();
  member.append(1);
  member.sync();
  EXPECT_EQ(files.image().size(), 3u + 4u + 2u) << "snapshots, logs, epochs";
  const std::size_t disks = crash_everywhere(files, 0, 61, 2);
  EXPECT_GT(disks, 1000u);
  RecordProperty("disks", static_cast<int>(disks));
}

TEST(Crash, RestartsInBetweenAndBatchesLongerThanThePaddingLoseNothing) {
  MemoryFileSystem files;
  for (int run = 0; run < 3; ++run) {
    Member member(files);
    ASSERT_EQ(member.start(), std::nullopt);
    EXPECT_EQ(member.last(), static_cast<std::uint64_t>(run * 25));
    member.append(20);
    member.sync();
    member.append(5);
    member.sync();
  }
  EXPECT_GT(crash_everywhere(files, 0, 0, 3), 800u);
}

// A process whose sync fails ends, but the kernel still shows the next one what it could not write.
TEST(Crash, WhatARestartReadsThoughItWasNeverSyncedStays) {
  MemoryFileSystem files;
  {
    Member member(files);
    ASSERT_EQ(member.start(), std::nullopt);
    member.append(5);
    member.sync();
    member.append(4);
    files.before = [](std::string_view call, const std::string&) -> Result<void> {
      if (call == "sync") return Error{Errc::kIo, "input/output error"};
      return {};
    };
    EXPECT_FALSE(member.try_sync());
    files.before = nullptr;
  }
  Member member(files);
  ASSERT_EQ(member.start(), std::nullopt);
  EXPECT_EQ(member.last(), 9U);
  files.mark(9);  // it is served from here on
  member.append(2);
  member.sync();
  EXPECT_GT(crash_everywhere(files, 0, 0, 3), 100U);
}

// A learner is told to cut its log: a crash leaves more than is wanted or exactly it, and always a log that
// starts.
TEST(Crash, TruncationEndsAtOrAfterTheWantedTransaction) {
  // Three files of five transactions each.
  Image image;
  for (std::uint64_t begin : {1u, 6u, 11u}) {
    std::vector<Bytes> all;
    for (std::uint64_t zxid = begin; zxid < begin + 5; ++zxid) all.push_back(transaction(zxid));
    image[kFolder + "/" + log_name(Zxid{begin})] = log_file(all, 8192);
  }
  MemoryFileSystem files(image);
  ASSERT_TRUE(truncate_log(files, kFolder, Zxid{4}, {}));
  for (std::size_t count = 0; count <= files.changes().size(); ++count)
    for (const CrashChoice& choice : crash_choices(files.initial(), files.changes(), count)) {
      MemoryFileSystem disk(crash_image(files.initial(), files.changes(), count, choice));
      Member restarted(disk);
      const auto fault = restarted.start();
      ASSERT_EQ(fault, std::nullopt) << describe(count, choice);
      EXPECT_GE(restarted.last(), 4u) << describe(count, choice);
      if (count == files.changes().size()) {
        EXPECT_EQ(restarted.last(), 4u);
      }
    }
}

// R5: the disk fills up in the middle of anything; afterwards every crash is survived as well.
TEST(Crash, FullDiskAndItsEndLoseNothingAcknowledged) {
  for (const std::size_t sectors : {1u, 2u, 3u, 4u, 5u}) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.create_directories(kFolder));
    files.sectors_max = sectors;
    TransactionLog log(files, kFolder, Zxid{0}, {.preallocation_bytes = 6000});
    for (std::uint64_t zxid = 1; zxid <= 12; ++zxid) {
      ASSERT_TRUE(log.append(Zxid{zxid}, transaction(zxid)));
      if (zxid == 9) files.sectors_max.reset();
      if (const auto synced = log.sync(); !synced) {
        EXPECT_EQ(synced.error().code, Errc::kNoSpace);
        EXPECT_LT(zxid, 9u);
      }
      files.mark(log.synced_zxid().value);
    }
    EXPECT_EQ(log.synced_zxid(), Zxid{12});
    EXPECT_GT(log.stats().no_space, 0u);
    crash_everywhere(files, 0, 0, 6);
  }
}

// The core forgets what a full disk refused and gives the zxids to other transactions: after that no crash
// brings the refused ones back.
TEST(Crash, RefusedTransactionsNeverStandInForTheirSuccessors) {
  const auto refused = [](std::uint64_t zxid) { return payload(zxid, size_of(zxid), std::byte{0x11}); };
  const auto successor = [](std::uint64_t zxid) { return payload(zxid, size_of(zxid + 3), std::byte{0x22}); };
  for (const std::size_t sectors : {0u, 1u, 2u, 3u, 5u, 8u}) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.create_directories(kFolder));
    files.sectors_max = sectors;
    TransactionLog log(files, kFolder, Zxid{0}, {.preallocation_bytes = 6000});
    Result<void> synced{};
    for (std::uint64_t zxid = 1; synced; ++zxid) {
      ASSERT_LT(zxid, 40u) << "the disk does not fill up";
      ASSERT_TRUE(log.append(Zxid{zxid}, refused(zxid)));
      if (zxid % 3 == 0) synced = log.sync();
      files.mark(log.synced_zxid().value);
    }
    EXPECT_EQ(synced.error().code, Errc::kNoSpace);
    const std::uint64_t kept = log.synced_zxid().value;
    log.abandon_unsynced();
    const std::size_t abandoned = files.changes().size();
    files.sectors_max.reset();
    for (std::uint64_t zxid = kept + 1; zxid <= kept + 6; ++zxid) {
      ASSERT_TRUE(log.append(Zxid{zxid}, successor(zxid)));
      if (zxid % 2 == 0) {
        ASSERT_TRUE(log.sync());
      }
      files.mark(log.synced_zxid().value);
    }
    for (std::size_t count = 0; count <= files.changes().size(); ++count)
      for (const CrashChoice& choice : crash_choices(files.initial(), files.changes(), count)) {
        MemoryFileSystem disk(crash_image(files.initial(), files.changes(), count, choice));
        ASSERT_TRUE(disk.create_directories(kFolder));
        const ReadLog read = read_log(disk);
        ASSERT_FALSE(read.error) << describe(count, choice) << ": " << read.error->message;
        ASSERT_GE(read.zxids.size(), acknowledged(files, count)) << describe(count, choice);
        for (std::uint64_t zxid = 1; zxid <= read.zxids.size(); ++zxid) {
          const bool replaced = count >= abandoned && zxid > kept;
          ASSERT_EQ(read.payloads[zxid - 1], replaced ? successor(zxid) : refused(zxid))
              << describe(count, choice) << ", transaction " << zxid;
        }
      }
  }
}

}  // namespace
}  // namespace wk::storage
