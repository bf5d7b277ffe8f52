#include "server/node/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "jute/reader.h"
#include "jute/records.h"
#include "jute/views.h"
#include "jute/writer.h"
#include "server/node/settings.h"
#include "server/storage/file_names.h"
#include "server/storage/log_reader.h"
#include "server/storage/snapshot_reader.h"

namespace wk::node {
namespace {

using Clock = std::chrono::steady_clock;

/// Fills a Recovery from a snapshot file.
class SnapshotRestorer : public storage::SnapshotVisitor {
 public:
  explicit SnapshotRestorer(replica::Recovery& recovery) : recovery_(recovery) {}

  void restart() override {
    recovery_.restart();
    recovery_.tree().begin_restore();
  }

  Result<void> session(const storage::SnapshotSession& session) override {
    recovery_.restore_session(session.id, session.timeout_ms);
    return {};
  }

  Result<void> acl(storage::SnapshotAcl acl) override {
    bytes_.clear();
    jute::Writer out(bytes_, jute::kLongestString);
    for (const jute::Acl& entry : acl.acl) jute::write(out, entry);
    recovery_.tree().restore_acl(acl.number, jute::AclListView(bytes_, acl.acl.size()));
    return {};
  }

  Result<void> node(const storage::SnapshotNode& node) override {
    return recovery_.tree().restore_node({.path = node.path,
                                          .data = node.data,
                                          .acl_number = node.acl,
                                          .stat = {.czxid = node.czxid,
                                                   .mzxid = node.mzxid,
                                                   .ctime_ms = node.ctime_ms,
                                                   .mtime_ms = node.mtime_ms,
                                                   .version = node.version,
                                                   .cversion = node.cversion,
                                                   .aversion = node.aversion,
                                                   .ephemeral_owner = node.ephemeral_owner,
                                                   .pzxid = node.pzxid}});
  }

  Result<void> complete() override {
    const auto finished = recovery_.tree().finish_restore();
    if (!finished) return finished.error();
    report_ = *finished;
    return {};
  }

  [[nodiscard]] const tree::DataTree::RestoreReport& report() const { return report_; }

 private:
  replica::Recovery& recovery_;
  std::vector<std::byte> bytes_;
  tree::DataTree::RestoreReport report_;
};

Result<bool> has_logs(storage::FileSystem& files, const std::string& directory) {
  const auto entries = files.list(directory);
  if (!entries) return entries.error();
  return !storage::logs_of(*entries).empty();
}

class Restorer {
 public:
  Restorer(storage::FileSystem& files, const storage::DataDirectories& directories,
           const config::Config& config, const replica::Settings& settings)
      : files_(files), directories_(directories), config_(config), recovery_(settings) {}

  Result<Restored> run() {
    restored_.findings = directories_.findings();
    if (const auto read = read_snapshot(); !read) return read.error();
    if (const auto replayed = replay_log(); !replayed) return replayed.error();
    if (const auto checked = check_ttl_nodes(); !checked) return checked.error();
    restored_.database = recovery_.take();
    restored_.report = recovery_.report();
    tell_about_digests();
    return std::move(restored_);
  }

 private:
  Result<void> read_snapshot() {
    const auto begin = Clock::now();
    SnapshotRestorer restorer(recovery_);
    auto newest =
        storage::read_newest_snapshot(files_, directories_.snapshots(), restorer, stored_bytes_max(config_));
    if (!newest) return std::move(newest).error();
    restored_.snapshot_time = Clock::now() - begin;
    for (std::string& reason : newest->passed_over) restored_.findings.push_back(std::move(reason));
    if (!newest->content) return no_snapshot();
    const storage::SnapshotContent& content = *newest->content;
    const std::size_t unknown_acls = restorer.report().unknown_acls;
    if (unknown_acls > 0)
      restored_.findings.push_back(fmt::format(
          "snapshot {}: {} znodes have an access list that the snapshot does not define; only the super "
          "user reaches them until their list is set again",
          content.name.name, unknown_acls));
    std::optional<tree::ZxidDigest> digest;
    if (content.tail.digest && content.tail.digest->version == storage::kDigestVersion)
      digest = tree::ZxidDigest{content.tail.digest->zxid, content.tail.digest->digest};
    recovery_.snapshot_loaded(content.name.zxid, digest);
    restored_.snapshot_name = content.name.name;
    restored_.snapshot_bytes = content.bytes;
    return remove_initialize();
  }

  Result<void> no_snapshot() {
    // The search may have emptied the tree; this brings the reserved znodes back.
    recovery_.restart();
    recovery_.tree().begin_restore();
    if (const auto finished = recovery_.tree().finish_restore(); !finished) return finished.error();
    const auto asked_for = files_.exists(directories_.initialize_path());
    if (!asked_for) return asked_for.error();
    if (const auto removed = remove_initialize(); !removed) return removed;
    const auto logs = has_logs(files_, directories_.logs());
    if (!logs) return logs.error();
    // Differs: Apache's server starts, and refuses every session until it is started again with that file.
    if (!*logs && !*asked_for && !config_.storage.create_database)
      return Error{
          Errc::kNotFound,
          fmt::format("{} holds no data, and no new database is to be made (zookeeper.db.autocreate=false); "
                      "mount or restore the data, or create the file {} to begin with an empty database",
                      directories_.snapshots(), directories_.initialize_path())};
    if (!*logs) return {};
    if (!config_.storage.trust_empty_snapshot)
      return Error{
          Errc::kInvalidInput,
          fmt::format("No snapshot found, but there are log entries. Something is broken! {} holds logs and "
                      "{} no snapshot; restore the snapshot from a backup, or, if these logs are known to "
                      "begin with the first transaction, start once with snapshot.trust.empty=true",
                      directories_.logs(), directories_.snapshots())};
    restored_.findings.push_back("there are logs and no snapshot; they are trusted (snapshot.trust.empty)");
    return {};
  }

  /// The operator's permission to begin with an empty database has served its purpose. Differs from nothing:
  /// Apache deletes it, too.
  Result<void> remove_initialize() {
    const auto removed = files_.remove(directories_.initialize_path());
    if (!removed && removed.error().code != Errc::kNotFound) return removed.error();
    return {};
  }

  Result<void> replay_log() {
    const auto begin = Clock::now();
    const std::optional<Zxid>& snapshot = recovery_.report().snapshot;
    auto reader = storage::LogReader::open(
        files_, directories_.logs(), Zxid{snapshot ? snapshot->value + 1 : 1}, log_read_options(config_));
    if (!reader) return std::move(reader).error();
    while (true) {
      const auto record = reader->next();
      if (!record) return record.error();
      if (!*record) break;
      if (const auto replayed = recovery_.replay((*record)->payload); !replayed)
        return Error{
            replayed.error().code,
            fmt::format("{} at byte {}: transaction {} cannot be applied: {}; restore the folder from a "
                        "backup or from another member",
                        (*record)->file, (*record)->offset, (*record)->zxid.to_string(),
                        replayed.error().message)};
    }
    restored_.replay_time = Clock::now() - begin;
    for (const std::string& finding : reader->end().findings) restored_.findings.push_back(finding);
    return storage::mend_log(files_, directories_.logs(), reader->end());
  }

  Result<void> check_ttl_nodes() {
    const std::size_t unread = recovery_.tree().unread_ttl_count();
    if (unread == 0) return {};
    return Error{
        Errc::kNotAllowed,
        fmt::format(
            "{} znodes have a time to live, and extendedTypesEnabled is not set: they would be deleted "
            "as ephemerals of sessions that do not exist; add extendedTypesEnabled=true",
            unread)};
  }

  void tell_about_digests() {
    const replica::RecoveryReport& report = restored_.report;
    if (report.digest_mismatches > 0)
      restored_.findings.push_back(fmt::format(
          "the digest of the tree differs from the one in the log or snapshot {} times, first at {}: the "
          "data may differ from other members'; compare them",
          report.digest_mismatches, report.first_digest_mismatch->to_string()));
    if (report.snapshot_digest_unreached)
      restored_.findings.push_back(
          "the log ends before the transaction of the snapshot's digest, so that the tree "
          "could not be compared with it");
    if (report.out_of_order > 0)
      restored_.findings.push_back(
          fmt::format("{} transactions stand out of order in the log", report.out_of_order));
  }

  storage::FileSystem& files_;
  const storage::DataDirectories& directories_;
  const config::Config& config_;
  replica::Recovery recovery_;
  Restored restored_;
};

}  // namespace

Result<Restored> restore(storage::FileSystem& files, const storage::DataDirectories& directories,
                         const config::Config& config, const replica::Settings& settings) {
  return Restorer(files, directories, config, settings).run();
}

}  // namespace wk::node
