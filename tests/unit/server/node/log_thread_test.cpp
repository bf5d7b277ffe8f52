// The log thread on a file system in memory. Order is made with the file system's hooks, not with time; only
// the look for room on a full disk waits as the product does.
#include "server/node/log_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/server/storage/log_fixture.h"

namespace wk::node {
namespace {

using storage::kFolder;
using storage::MemoryFileSystem;

constexpr std::chrono::seconds kPatience{20};

/// Keeps what the thread tells, and lets a test wait for it.
class Told {
 public:
  LogThread::Events events() {
    return {.synced = [this](const LogSyncReport& report) { keep([&] { reports_.push_back(report); }); },
            .space_exhausted =
                [this](Zxid durable, const Error& why) {
                  keep([&] {
                    exhausted_.push_back(durable);
                    why_.push_back(why.message);
                  });
                },
            .space_back = [this] { keep([&] { ++back_; }); },
            .failed = [this](const Error& error) { keep([&] { failed_ = error; }); }};
  }
  void wait_until_synced(std::uint64_t zxid) {
    wait([&] { return !reports_.empty() && reports_.back().zxid >= Zxid{zxid}; });
  }
  void wait_until_exhausted() {
    wait([&] { return !exhausted_.empty(); });
  }
  void wait_until_back() {
    wait([&] { return back_ > 0; });
  }
  void wait_until_failed() {
    wait([&] { return failed_.has_value(); });
  }
  std::vector<LogSyncReport> reports() {
    const std::lock_guard lock(mutex_);
    return reports_;
  }
  std::vector<Zxid> exhausted() {
    const std::lock_guard lock(mutex_);
    return exhausted_;
  }
  std::vector<std::string> why() {
    const std::lock_guard lock(mutex_);
    return why_;
  }
  std::optional<Error> failed() {
    const std::lock_guard lock(mutex_);
    return failed_;
  }

 private:
  template <typename F>
  void keep(F&& change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  template <typename F>
  void wait(F&& condition) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, kPatience, condition)) << "the log thread does not tell";
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<LogSyncReport> reports_;
  std::vector<Zxid> exhausted_;
  std::vector<std::string> why_;
  int back_ = 0;
  std::optional<Error> failed_;
};

replica::Output output_of(std::uint64_t first, std::uint64_t last, std::size_t size = 60) {
  replica::Output output;
  for (std::uint64_t zxid = first; zxid <= last; ++zxid) {
    const storage::Bytes bytes = storage::payload(zxid, size);
    output.appends.push_back({Zxid{zxid}, output.log_bytes.size(), bytes.size()});
    output.log_bytes.insert(output.log_bytes.end(), bytes.begin(), bytes.end());
  }
  return output;
}

/// An empty folder is one with a file that nobody reads.
const std::string kMarker = kFolder + "/.kept";
MemoryFileSystem empty_folder() { return MemoryFileSystem(storage::Image{{kMarker, {}}}); }

std::vector<std::string> names(const MemoryFileSystem& files) {
  std::vector<std::string> all;
  for (const auto& [path, content] : files.image())
    if (path != kMarker) all.push_back(path.substr(kFolder.size() + 1));
  return all;
}

constexpr storage::TransactionLogSettings kSettings{.preallocation_bytes = 64UL << 10};

TEST(LogThread, TellsWhatIsDurable) {
  MemoryFileSystem files = empty_folder();
  Told told;
  LogThread log(files, kFolder, Zxid{}, kSettings, told.events());
  replica::Output output = output_of(1, 3);
  log.append(output);
  EXPECT_TRUE(output.appends.empty()) << "the bytes were not taken";
  EXPECT_TRUE(output.log_bytes.empty());
  told.wait_until_synced(3);
  const auto reports = told.reports();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].records, 3U);
  EXPECT_EQ(reports[0].bytes, 180U);
  EXPECT_EQ(reports[0].file_bytes, 65552U);  // Header and padding, as Apache counts.
  log.stop();
  EXPECT_EQ(log.queued(), 0U);
  const auto read = storage::read_log(files);
  EXPECT_EQ(read.zxids, storage::range(1, 3));
  EXPECT_EQ(read.payloads, storage::payloads(1, 3));
}

TEST(LogThread, StopWritesWhatIsQueued) {
  MemoryFileSystem files = empty_folder();
  Told told;
  LogThread log(files, kFolder, Zxid{}, kSettings, told.events());
  for (std::uint64_t zxid = 1; zxid <= 200; ++zxid) {
    replica::Output output = output_of(zxid, zxid);
    log.append(output);
  }
  log.stop();
  EXPECT_EQ(told.reports().back().zxid, Zxid{200});
  EXPECT_EQ(storage::read_log(files).zxids, storage::range(1, 200));
}

TEST(LogThread, WhatComesDuringASyncIsOneBatch) {
  MemoryFileSystem files = empty_folder();
  std::promise<void> first_sync, go_on;
  bool held = false;  // the log's thread alone
  files.before = [&](std::string_view call, const std::string& path) -> Result<void> {
    // The sync of the first record, not those that make the file's name and header durable.
    if (call == "sync" && path.ends_with("log.1") && !held && files.image().at(path)[20] != std::byte{}) {
      held = true;
      first_sync.set_value();
      go_on.get_future().wait();
    }
    return {};
  };
  Told told;
  LogThread log(files, kFolder, Zxid{}, kSettings, told.events());
  replica::Output first = output_of(1, 1);
  log.append(first);
  ASSERT_EQ(first_sync.get_future().wait_for(kPatience), std::future_status::ready);
  for (std::uint64_t zxid = 2; zxid <= 41; ++zxid) {
    replica::Output output = output_of(zxid, zxid);
    log.append(output);
  }
  EXPECT_EQ(log.queued(), 41U);
  go_on.set_value();
  told.wait_until_synced(41);
  const auto reports = told.reports();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].zxid, Zxid{1});
  EXPECT_EQ(reports[1].records, 40U);
  log.stop();
}

/// A file system whose calls of that name take that long, and the longest report of a batch on it.
LogSyncReport report_of_a_slow(std::string_view slow, std::chrono::milliseconds takes,
                               replica::Output output) {
  MemoryFileSystem files = empty_folder();
  const std::string log_path = kFolder + "/log.1";
  files.before = [&](std::string_view call, const std::string& path) -> Result<void> {
    if (call != slow || path != log_path) return {};
    const auto until = std::chrono::steady_clock::now() + takes;
    while (std::chrono::steady_clock::now() < until) {
    }
    return {};
  };
  Told told;
  LogThread log(files, kFolder, Zxid{}, kSettings, told.events());
  const std::uint64_t last = output.appends.back().zxid.value;
  log.append(output);
  told.wait_until_synced(last);
  return told.reports().back();
}

// Header and records: two writes; the header's sync belongs to making the file.
TEST(LogThread, WritingIsNoSyncing) {
  constexpr std::chrono::milliseconds kSlow{20};
  const LogSyncReport report = report_of_a_slow("write", kSlow, output_of(1, 3));
  EXPECT_GE(report.written - report.taken, 2 * kSlow);
  ASSERT_TRUE(report.sync);
  EXPECT_EQ(report.synced - report.written, *report.sync);
  EXPECT_TRUE(report.earlier_syncs.empty());
}

TEST(LogThread, EverySyncOfALongBatchIsTold) {
  constexpr std::chrono::milliseconds kSlow{20};
  const LogSyncReport report = report_of_a_slow("sync", kSlow, output_of(1, 3, 600UL << 10));
  ASSERT_TRUE(report.sync);
  EXPECT_GE(*report.sync, kSlow);
  ASSERT_EQ(report.earlier_syncs.size(), 2U);
  for (const std::chrono::nanoseconds sync : report.earlier_syncs) EXPECT_GE(sync, kSlow);
  EXPECT_GE(report.synced - report.written, 3 * kSlow);
}

TEST(LogThread, WithoutForcedSyncsNoneIsTold) {
  MemoryFileSystem files = empty_folder();
  Told told;
  LogThread log(files, kFolder, Zxid{}, {.preallocation_bytes = 0, .force_sync = false}, told.events());
  replica::Output output = output_of(1, 3);
  log.append(output);
  told.wait_until_synced(3);
  EXPECT_FALSE(told.reports().back().sync);
}

TEST(LogThread, RollStandsBetweenTheBatchesAroundIt) {
  MemoryFileSystem files = empty_folder();
  Told told;
  LogThread log(files, kFolder, Zxid{}, kSettings, told.events());
  replica::Output before = output_of(1, 5), after = output_of(6, 9);
  log.append(before);
  log.roll();
  log.append(after);
  log.stop();
  EXPECT_EQ(names(files), (std::vector<std::string>{"log.1", "log.6"}));
  EXPECT_EQ(storage::read_log(files).zxids, storage::range(1, 9));
}

TEST(LogThread, GoesOnBehindARecoveredLog) {
  MemoryFileSystem files(storage::Image{{kFolder + "/log.1", storage::log_file(storage::payloads(1, 4))}});
  Told told;
  LogThread log(files, kFolder, Zxid{4}, kSettings, told.events());
  replica::Output output = output_of(5, 6);
  log.append(output);
  log.stop();
  EXPECT_EQ(storage::read_log(files).zxids, storage::range(1, 6));
}

TEST(LogThread, FullDiskThrowsAwayWhatIsNotDurableAndComesBack) {
  MemoryFileSystem files = empty_folder();
  files.sectors_max = 64;
  Told told;
  LogThread log(files, kFolder, Zxid{}, {.preallocation_bytes = 0}, told.events());
  replica::Output first = output_of(1, 2);
  log.append(first);
  told.wait_until_synced(2);
  replica::Output much = output_of(3, 3, 1UL << 20), behind = output_of(4, 6);
  log.append(much);
  log.append(behind);
  told.wait_until_exhausted();
  EXPECT_EQ(told.exhausted(), std::vector<Zxid>{Zxid{2}});
  // The core has not heard yet, and sends more of what will be forgotten.
  replica::Output late = output_of(7, 8);
  log.append(late);
  log.acknowledge_exhausted();
  // What was in the hands of the thread when the disk was full is let go when it looks for room.
  EXPECT_LE(log.queued(), 4U) << "what came late was kept";
  log.stop();
  EXPECT_EQ(told.reports().back().zxid, Zxid{2}) << "something that was thrown away is said to be durable";
  EXPECT_EQ(storage::read_log(files).zxids, storage::range(1, 2));
}

TEST(LogThread, RoomIsFoundAndTheSameZxidsAreGivenAgain) {
  MemoryFileSystem files = empty_folder();
  std::atomic<bool> full = false;
  files.before = [&](std::string_view call, const std::string& path) -> Result<void> {
    // The first look for room finds some.
    if (call == "create" && path.ends_with("tmp.space-probe")) full = false;
    if (full && call == "write") return Error{Errc::kNoSpace, "No space left on device"};
    return {};
  };
  Told told;
  LogThread log(files, kFolder, Zxid{}, {.preallocation_bytes = 0}, told.events());
  replica::Output first = output_of(1, 2);
  log.append(first);
  told.wait_until_synced(2);
  full = true;
  replica::Output big = output_of(3, 3, 8192);
  log.append(big);
  told.wait_until_exhausted();
  EXPECT_EQ(told.exhausted(), std::vector<Zxid>{Zxid{2}});
  log.acknowledge_exhausted();
  told.wait_until_back();
  replica::Output again = output_of(3, 5);
  log.append(again);
  told.wait_until_synced(5);
  log.stop();
  files.before = nullptr;
  const auto read = storage::read_log(files);
  EXPECT_FALSE(read.error) << (read.error ? read.error->message : "");
  EXPECT_EQ(read.zxids, storage::range(1, 5));
  EXPECT_EQ(read.payloads, storage::payloads(1, 5));
  for (const std::string& name : names(files)) EXPECT_EQ(name.find("tmp"), std::string::npos) << name;
}

TEST(LogThread, WantOfDescriptorsPasses) {
  MemoryFileSystem files = empty_folder();
  std::atomic<bool> none = false;
  std::atomic<int> looks = 0;
  files.before = [&](std::string_view call, const std::string& path) -> Result<void> {
    // The first look finds a descriptor for the file and none for its folder; the second finds both.
    if (call == "create" && path.ends_with("tmp.space-probe")) none = ++looks < 2;
    if (none && call == "sync folder") return Error{Errc::kNoSpace, "Too many open files"};
    return {};
  };
  Told told;
  LogThread log(files, kFolder, Zxid{}, {.preallocation_bytes = 0}, told.events());
  replica::Output first = output_of(1, 2);
  log.append(first);
  told.wait_until_synced(2);
  none = true;
  log.roll();
  replica::Output second = output_of(3, 3);
  log.append(second);
  told.wait_until_exhausted();
  EXPECT_EQ(told.exhausted(), std::vector<Zxid>{Zxid{2}});
  EXPECT_EQ(told.why(), std::vector<std::string>{"Too many open files"});
  log.acknowledge_exhausted();
  told.wait_until_back();
  EXPECT_EQ(looks, 2);
  replica::Output again = output_of(3, 4);
  log.append(again);
  told.wait_until_synced(4);
  log.stop();
  EXPECT_FALSE(told.failed());
  files.before = nullptr;
  EXPECT_EQ(storage::read_log(files).zxids, storage::range(1, 4));
}

TEST(LogThread, FailedSyncIsTheEndAndNothingIsAcknowledged) {
  MemoryFileSystem files = empty_folder();
  bool broken = false;  // the log's thread alone
  files.before = [&](std::string_view call, const std::string& path) -> Result<void> {
    if (call == "sync" && path.ends_with("log.1") && files.image().at(path).size() > 16) broken = true;
    if (broken && call == "sync") return Error{Errc::kIo, "Input/output error"};
    return {};
  };
  Told told;
  LogThread log(files, kFolder, Zxid{}, {.preallocation_bytes = 0}, told.events());
  replica::Output output = output_of(1, 1);
  log.append(output);
  told.wait_until_failed();
  EXPECT_EQ(told.failed()->code, Errc::kIo);
  EXPECT_TRUE(told.reports().empty());
  replica::Output late = output_of(2, 2);
  log.append(late);
  log.stop();
  EXPECT_TRUE(told.reports().empty());
}

}  // namespace
}  // namespace wk::node
