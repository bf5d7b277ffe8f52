// Snapshots, logs and restarts of a whole replica on a file system in memory: what one wrote, the next one
// reads.
#include "server/node/restore.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/node/background_thread.h"
#include "server/node/settings.h"
#include "server/node/snapshot_job.h"
#include "tests/unit/server/node/posted_core.h"
#include "tests/unit/server/replica/member.h"
#include "tests/unit/server/storage/log_fixture.h"

namespace wk::node {
namespace {

using replica::Client;
using replica::Member;
using storage::kFolder;
using storage::MemoryFileSystem;

config::Config test_config() {
  config::Config config;
  config.storage.data_dir = "/data";
  config.storage.data_log_dir = "/data";
  config.storage.trust_empty_snapshot = true;
  config.extended_types = true;
  config.tick_time = std::chrono::milliseconds{2000};
  return config;
}

/// What a start of the server does with the folders.
Result<Restored> restart(MemoryFileSystem& files, const config::Config& config = test_config()) {
  auto directories = storage::DataDirectories::open(files, directory_settings(config));
  if (!directories) return std::move(directories).error();
  const auto settings = replica_settings(config, {1, 2});
  EXPECT_TRUE(settings);
  return restore(files, *directories, config, *settings);
}

/// Writes what a member gave to its log, from `first` on.
void write_log(MemoryFileSystem& files, const Member& member, Zxid first = Zxid{1}) {
  std::vector<storage::Bytes> payloads;
  for (auto one = member.log.lower_bound(first); one != member.log.end(); ++one)
    payloads.push_back(one->second);
  ASSERT_FALSE(payloads.empty());
  const Zxid name = member.log.lower_bound(first)->first;
  auto file = files.create(fmt::format("{}/log.{:x}", kFolder, name.value));
  ASSERT_TRUE(file && (*file)->write_at(0, storage::log_file(payloads)));
}

MemoryFileSystem folder() { return MemoryFileSystem(storage::Image{{kFolder + "/.kept", {}}}); }

/// Takes a snapshot of a member; `between` runs after the first slice.
Result<SnapshotReport> take_snapshot(MemoryFileSystem& files, Member& member,
                                     storage::Compression compression = storage::Compression::kNone,
                                     const std::function<void()>& between = {}) {
  PostedCore core;
  std::optional<Result<SnapshotReport>> outcome;
  BackgroundThread background("wk-background");
  SnapshotJob job({files, kFolder, compression, true, true}, member.replica.last_applied(), member.replica,
                  background, core.poster(),
                  [&](Result<SnapshotReport> report) { outcome = std::move(report); });
  job.begin();
  bool first = true;
  while (!outcome) {
    const auto next = job.slice();
    if (std::exchange(first, false) && between) between();
    if (!next && !outcome) core.run_one();
  }
  background.stop();
  return *std::move(outcome);
}

std::string data_of(const Restored& restored, std::string_view path) {
  const tree::Znode node = restored.database->tree.find(path);
  return node ? std::string(node.data().value_or("null")) : "no such znode";
}

/// A member with one client, and the folder that its files are put into.
class Restarted : public testing::Test {
 protected:
  Restarted() { client.open(); }

  /// Creates /n0, /n1 … with a thousand bytes each.
  void create_many(int count) {
    for (int i = 0; i < count; ++i)
      ASSERT_EQ(client.create("/n" + std::to_string(i), std::string(1000, 'd')), jute::ErrorCode::kOk);
  }

  Member member;
  Client client{member};
  MemoryFileSystem files = folder();
};

class RestartedWith : public Restarted, public testing::WithParamInterface<storage::Compression> {};

class SnapshotJobs : public Restarted {};

TEST(Restore, EmptyFolderIsAnEmptyDatabase) {
  MemoryFileSystem files;
  const auto restored = restart(files);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->report.last, Zxid{});
  EXPECT_EQ(restored->report.snapshot, std::nullopt);
  EXPECT_EQ(restored->snapshot_name, "");
  EXPECT_EQ(restored->database->tree.node_count(), 5U);
  EXPECT_TRUE(restored->findings.empty());
}

TEST_F(Restarted, LogAlone) {
  ASSERT_EQ(client.create("/a", "one"), jute::ErrorCode::kOk);
  ASSERT_EQ(client.create("/a/b", "two"), jute::ErrorCode::kOk);
  write_log(files, member);
  const auto restored = restart(files);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->report.transactions_replayed, 3U);
  EXPECT_EQ(restored->report.last, member.replica.last_applied());
  EXPECT_EQ(data_of(*restored, "/a"), "one");
  EXPECT_EQ(data_of(*restored, "/a/b"), "two");
  EXPECT_EQ(restored->report.digest_mismatches, 0U);
  EXPECT_EQ(restored->database->tree.digest(), member.replica.tree().digest());
  EXPECT_TRUE(restored->database->sessions.contains(client.session));
}

TEST_F(Restarted, LogWithoutASnapshotIsRefusedUnlessTrusted) {
  write_log(files, member);
  config::Config config = test_config();
  config.storage.trust_empty_snapshot = false;
  const auto refused = restart(files, config);
  ASSERT_FALSE(refused);
  EXPECT_NE(
      refused.error().message.find("No snapshot found, but there are log entries. Something is broken!"),
      std::string::npos);
  EXPECT_NE(refused.error().message.find("snapshot.trust.empty=true"), std::string::npos);
  const auto trusted = restart(files);
  ASSERT_TRUE(trusted);
  EXPECT_EQ(trusted->findings.size(), 1U);
}

// As when the disk with the data was not mounted.
TEST_F(Restarted, AnEmptyFolderIsNoNewDatabaseWhereNoneIsToBeMade) {
  config::Config config = test_config();
  config.storage.create_database = false;
  const auto refused = restart(files, config);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("/data/initialize"), std::string::npos) << refused.error().message;
  ASSERT_TRUE(files.create("/data/initialize"));
  EXPECT_TRUE(restart(files, config)) << "the operator asked for one";
  EXPECT_FALSE(restart(files, config)) << "once";
  write_log(files, member);
  EXPECT_TRUE(restart(files, config));
}

TEST_P(RestartedWith, SnapshotAndTheLogBehindIt) {
  create_many(300);
  const auto report = take_snapshot(files, member, GetParam());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->zxid, member.replica.last_applied());
  EXPECT_EQ(report->nodes, member.replica.tree().node_count() - 1);  // The root's alias is no znode.
  EXPECT_GT(report->slices, 3U);
  const Zxid behind{member.replica.last_applied().value + 1};
  ASSERT_EQ(client.create("/behind", "log"), jute::ErrorCode::kOk);
  write_log(files, member, behind);
  const auto restored = restart(files);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->snapshot_name, report->name);
  EXPECT_EQ(restored->report.snapshot, report->zxid);
  EXPECT_EQ(restored->report.transactions_replayed, 1U);
  EXPECT_EQ(restored->snapshot_bytes, report->bytes);
  EXPECT_EQ(data_of(*restored, "/n299"), std::string(1000, 'd'));
  EXPECT_EQ(data_of(*restored, "/behind"), "log");
  EXPECT_EQ(restored->database->tree.digest(), member.replica.tree().digest());
  EXPECT_EQ(restored->report.digest_mismatches, 0U);
  EXPECT_TRUE(restored->database->sessions.contains(client.session));
  EXPECT_TRUE(restored->findings.empty()) << restored->findings[0];
}

INSTANTIATE_TEST_SUITE_P(EveryCompression, RestartedWith,
                         testing::Values(storage::Compression::kNone, storage::Compression::kGzip,
                                         storage::Compression::kSnappy));

TEST_F(Restarted, FuzzySnapshotIsMadeExactByTheLog) {
  create_many(400);
  const Zxid behind{member.replica.last_applied().value + 1};
  const auto report = take_snapshot(files, member, storage::Compression::kNone, [&] {
    for (int i = 0; i < 400; i += 2)
      ASSERT_EQ(client.outcome(jute::OpCode::kDelete, jute::DeleteRequest{"/n" + std::to_string(i), -1}),
                jute::ErrorCode::kOk);
    ASSERT_EQ(client.create("/during", "snapshot"), jute::ErrorCode::kOk);
  });
  ASSERT_TRUE(report);
  write_log(files, member, behind);
  const auto restored = restart(files);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(data_of(*restored, "/n0"), "no such znode");
  EXPECT_EQ(data_of(*restored, "/n399"), std::string(1000, 'd'));
  EXPECT_EQ(data_of(*restored, "/during"), "snapshot");
  EXPECT_EQ(restored->database->tree.node_count(), member.replica.tree().node_count());
  EXPECT_EQ(restored->database->tree.digest(), member.replica.tree().digest());
  EXPECT_EQ(restored->report.digest_mismatches, 0U);
}

TEST_F(Restarted, DamagedSnapshotIsPassedOverForTheOneBefore) {
  const auto older = take_snapshot(files, member);
  const Zxid behind{member.replica.last_applied().value + 1};
  ASSERT_EQ(client.create("/a", "one"), jute::ErrorCode::kOk);
  write_log(files, member, behind);
  const auto newer = take_snapshot(files, member);
  ASSERT_TRUE(older && newer);
  storage::Bytes& content = files.content(kFolder + "/" + newer->name);
  content[content.size() / 2] ^= std::byte{1};
  const auto restored = restart(files);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->snapshot_name, older->name);
  EXPECT_EQ(data_of(*restored, "/a"), "one");
  ASSERT_EQ(restored->findings.size(), 1U);
  EXPECT_NE(restored->findings[0].find(newer->name), std::string::npos) << restored->findings[0];
}

TEST(Restore, PermissionToBeginEmptyIsUsedUp) {
  MemoryFileSystem files(storage::Image{{"/data/initialize", {}}});
  ASSERT_TRUE(restart(files));
  EXPECT_FALSE(*files.exists("/data/initialize"));
}

TEST_F(Restarted, NodesWithATimeToLiveNeedExtendedTypes) {
  ASSERT_EQ(
      client.outcome(jute::OpCode::kCreateTtl,
                     jute::CreateTtlRequest{
                         Client::create_request("/ttl", "", jute::CreateMode::kPersistentWithTtl), 5000}),
      jute::ErrorCode::kOk);
  ASSERT_TRUE(take_snapshot(files, member));
  config::Config config = test_config();
  config.extended_types = false;
  const auto refused = restart(files, config);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kNotAllowed);
  EXPECT_NE(refused.error().message.find("extendedTypesEnabled=true"), std::string::npos);
  EXPECT_TRUE(restart(files));
}

TEST_F(SnapshotJobs, FullDiskGivesItUpAndLeavesNothingBehind) {
  create_many(300);
  files.sectors_max = 10;
  const auto failed = take_snapshot(files, member);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::kNoSpace);
  files.sectors_max.reset();
  // The walk was given up properly: the next one works.
  const auto report = take_snapshot(files, member);
  ASSERT_TRUE(report) << report.error().message;
  const auto restored = restart(files);
  ASSERT_TRUE(restored);
  EXPECT_EQ(restored->snapshot_name, report->name);
}

TEST_F(SnapshotJobs, TooMuchThatWaitsForTheDiskGivesItUp) {
  create_many(300);
  const storage::Image before = files.image();
  std::promise<void> goes_on;
  auto gone_on = goes_on.get_future().share();
  files.before = [gone_on](std::string_view, const std::string&) -> Result<void> {
    gone_on.wait();
    return {};
  };
  PostedCore core;
  std::vector<Result<SnapshotReport>> outcomes;
  BackgroundThread background("wk-background");
  {
    SnapshotJob job({files, kFolder, storage::Compression::kNone, true, true, 300'000},
                    member.replica.last_applied(), member.replica, background, core.poster(),
                    [&](Result<SnapshotReport> report) { outcomes.push_back(std::move(report)); });
    job.begin();
    ASSERT_TRUE(job.slice());
    // Those that the walk has not reached are handed over before they change: with those before 330 kB.
    for (int i = 0; i < 300; ++i)
      ASSERT_EQ(
          client.outcome(jute::OpCode::kSetData, jute::SetDataRequest{"/n" + std::to_string(i), "short", -1}),
          jute::ErrorCode::kOk);
    EXPECT_TRUE(outcomes.empty()) << "not in the middle of a change";
    EXPECT_FALSE(job.slice());
    ASSERT_EQ(outcomes.size(), 1U);
    ASSERT_FALSE(outcomes[0]);
    EXPECT_EQ(outcomes[0].error().code, Errc::kTooLarge);
    goes_on.set_value();
  }
  background.stop();
  files.before = nullptr;
  EXPECT_EQ(files.image(), before) << "something of it is left";
  EXPECT_EQ(outcomes.size(), 1U);
  // The walk was given up properly: the next one works.
  const auto report = take_snapshot(files, member);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(data_of(*restart(files), "/n299"), "short");
}

TEST_F(SnapshotJobs, AJobThatEndsEarlyGivesTheWalkUp) {
  create_many(300);
  PostedCore core;
  BackgroundThread background("wk-background");
  {
    SnapshotJob job({files, kFolder, storage::Compression::kNone, true, true}, member.replica.last_applied(),
                    member.replica, background, core.poster(),
                    [](const Result<SnapshotReport>&) { FAIL() << "nobody is left to be told"; });
    job.begin();
    ASSERT_TRUE(job.slice());
  }
  background.stop();
  ASSERT_EQ(client.create("/later", ""), jute::ErrorCode::kOk);
  EXPECT_TRUE(take_snapshot(files, member));
}

}  // namespace
}  // namespace wk::node
