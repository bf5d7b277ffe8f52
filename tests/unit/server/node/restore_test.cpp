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
#include "tests/unit/server/storage/snapshot_fixture.h"

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
Result<Restored> restart(MemoryFileSystem& files, const config::Config& config = test_config(),
                         bool accept_loss = false) {
  auto directories = storage::DataDirectories::open(files, directory_settings(config));
  if (!directories) return std::move(directories).error();
  const auto settings = replica_settings(config, {1, 2});
  EXPECT_TRUE(settings);
  return restore(files, *directories, config, *settings, accept_loss);
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

/// Snapshots of 0 (an empty tree), of `/a`, and of `/a` and `/b`, with a log file behind each.
class Damaged : public Restarted {
 protected:
  Damaged() {
    Member empty;
    EXPECT_TRUE(take_snapshot(files, empty));
    first_log = add({"/a", "/a/x"});
    first = snapshot();
    second_log = add({"/b"});
    second = snapshot();
    third_log = add({"/c"});
  }

  /// \return  the name of the log file that holds what was created
  std::string add(const std::vector<std::string>& paths) {
    const Zxid begin{logged.value + 1};
    for (const std::string& path : paths) EXPECT_EQ(client.create(path, "data"), jute::ErrorCode::kOk);
    write_log(files, member, begin);
    logged = member.replica.last_applied();
    return storage::log_name(begin);
  }

  std::string snapshot() {
    const auto report = take_snapshot(files, member);
    EXPECT_TRUE(report);
    return report ? report->name : "";
  }

  void damage(const std::string& name) {
    storage::Bytes& content = files.content(kFolder + "/" + name);
    content[content.size() / 2] ^= std::byte{1};
  }
  void remove(const std::string& name) { ASSERT_TRUE(files.remove(kFolder + "/" + name)); }
  bool has(const std::string& name) { return *files.exists(kFolder + "/" + name); }

  /// Starts, which is refused and changes nothing; with the order it goes ahead, and then without it.
  void expect_refused_unless_accepted(const std::string& says, Zxid last) {
    const storage::Image before = files.image();
    const auto refused = restart(files);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find(says), std::string::npos) << refused.error().message;
    EXPECT_NE(refused.error().message.find("--accept-loss"), std::string::npos) << refused.error().message;
    EXPECT_EQ(files.image(), before);
    const auto accepted = restart(files, test_config(), true);
    ASSERT_TRUE(accepted) << accepted.error().message;
    EXPECT_EQ(accepted->report.last, last);
    EXPECT_FALSE(accepted->losses.empty());
    for (const auto& [path, content] : before) {
      const std::string beside = kFolder + "/lost." + path.substr(path.rfind('/') + 1);
      EXPECT_TRUE(files.image().contains(path) || files.image().at(beside) == content) << path;
    }
    const auto again = restart(files);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->report.last, last);
    EXPECT_TRUE(again->losses.empty());
    EXPECT_EQ(again->database->tree.digest(), accepted->database->tree.digest());
  }

  Zxid logged{};
  std::string first_log, first, second_log, second, third_log;
};

TEST_F(Damaged, NothingIsMissingWhileTheLogReachesBehindEverySnapshot) {
  damage(first);
  damage(second);
  const auto restored = restart(files);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->snapshot_name, "snapshot.0");
  EXPECT_EQ(restored->report.last, logged);
  EXPECT_EQ(restored->findings.size(), 2U);
  const auto ordered = restart(files, test_config(), true);
  ASSERT_TRUE(ordered);
  EXPECT_TRUE(ordered->losses.empty());
  EXPECT_TRUE(has(first) && has(second));
}

TEST_F(Damaged, AGapBehindTheOnlyReadableSnapshotIsRefused) {
  damage(first);
  damage(second);
  remove(first_log);
  expect_refused_unless_accepted(": transactions 0x1 to 0x3 are missing, and the log file", Zxid{});
  EXPECT_FALSE(has(first) || has(second) || has(second_log) || has(third_log));
}

TEST_F(Damaged, ASnapshotThatIsNewerThanAllThatWasRestoredIsNotPassedOver) {
  damage(second);
  remove(second_log);
  remove(third_log);
  const auto refused = restart(files);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find(second + " at byte "), std::string::npos) << "why it cannot be read";
  expect_refused_unless_accepted("transaction 0x4 is missing: /data/version-2/snapshot.4 tells", Zxid{3});
  EXPECT_TRUE(has(first) && has(first_log) && has("lost." + second));
}

// A leader writes it before the first transaction of its epoch, and may be killed meanwhile.
TEST_F(Damaged, AnUnfinishedSnapshotOfANewEpochProvesNothing) {
  ASSERT_TRUE(files.create(kFolder + "/snapshot.200000000"));
  const auto restored = restart(files);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->report.last, logged);
  EXPECT_EQ(restored->findings.size(), 1U);
  remove("snapshot.200000000");
  ASSERT_TRUE(files.create(kFolder + "/snapshot.200000001"));
  expect_refused_unless_accepted("snapshot.200000001 tells by its name", logged);
}

TEST_F(Damaged, WithoutAnySnapshotTheLogIsAcceptedFromItsBeginning) {
  remove("snapshot.0");
  damage(first);
  damage(second);
  config::Config config = test_config();
  config.storage.trust_empty_snapshot = false;
  const auto refused = restart(files, config);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("not able to find valid snapshots"), std::string::npos);
  EXPECT_NE(refused.error().message.find("--accept-loss"), std::string::npos);
  const auto accepted = restart(files, config, true);
  ASSERT_TRUE(accepted) << accepted.error().message;
  EXPECT_EQ(accepted->report.last, logged);
  EXPECT_EQ(accepted->database->tree.digest(), member.replica.tree().digest());
  EXPECT_TRUE(accepted->losses.empty());
}

// As in a fuzzy snapshot, where a znode stands that was created behind its name, without the list it has.
TEST_F(Restarted, ZnodesThatTheLogGivesAListToAreNoLossOfAccess) {
  ASSERT_EQ(client.create("/mended", ""), jute::ErrorCode::kOk);
  ASSERT_EQ(client.create("/gone", ""), jute::ErrorCode::kOk);
  ASSERT_EQ(client.outcome(jute::OpCode::kDelete, jute::DeleteRequest{"/gone", -1}), jute::ErrorCode::kOk);
  storage::OwnedSnapshot tree = storage::empty_tree();
  for (const char* path : {"/closed", "/gone", "/mended"}) {
    tree.nodes.push_back({path, "", {}});
    tree.nodes.back().node.acl = 77;
  }
  ASSERT_TRUE(storage::write_snapshot(files, kFolder, Zxid{0}, storage::Compression::kNone,
                                      storage::encode(tree, storage::kDefaultTail)));
  const std::string says = " znodes have an access list that the snapshot does not define";
  const auto without_log = restart(files);
  ASSERT_TRUE(without_log) << without_log.error().message;
  const auto told = [&](const Restored& restored) {
    std::string all;
    for (const std::string& finding : restored.findings)
      if (finding.find(says) != std::string::npos) all += finding.substr(0, finding.find(says));
    return all;
  };
  EXPECT_EQ(told(*without_log), "snapshot snapshot.0: 3");
  write_log(files, member);
  const auto restored = restart(files);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(told(*restored), "snapshot snapshot.0: 1");
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
