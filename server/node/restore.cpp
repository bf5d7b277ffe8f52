#include "server/node/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <unordered_set>
#include <utility>

#include "jute/reader.h"
#include "jute/records.h"
#include "jute/views.h"
#include "jute/writer.h"
#include "server/node/settings.h"
#include "server/storage/file_names.h"
#include "server/storage/log_reader.h"
#include "server/storage/lost_files.h"
#include "server/storage/snapshot_reader.h"

namespace wk::node {
namespace {

using Clock = std::chrono::steady_clock;

/// Znodes whose list the snapshot does not define are looked at again after the log; beyond so many they are
/// taken to have none, so that a snapshot without lists does not take twice the memory.
constexpr std::size_t kListlessExaminedMax = 100'000;

/// A znode that has no list of its own as the snapshot has it.
struct Listless {
  std::string path;
  Zxid czxid;
};

/// Whether `list` is what the tree gives a znode whose list is unknown: it grants nobody anything.
bool grants_nothing(const jute::AclListView& list) { return list.size() == 1 && list.begin()->perms == 0; }

/// Fills a Recovery from a snapshot file.
class SnapshotRestorer : public storage::SnapshotVisitor {
 public:
  explicit SnapshotRestorer(replica::Recovery& recovery) : recovery_(recovery) {}

  void restart() override {
    recovery_.restart();
    recovery_.tree().begin_restore();
    numbers_.clear();
    listless_.clear();
    unknown_acls_ = 0;
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
    numbers_.insert(acl.number);
    return {};
  }

  Result<void> node(const storage::SnapshotNode& node) override {
    if (listless_.size() < kListlessExaminedMax && node.acl != tree::kOpenAclNumber &&
        !numbers_.contains(node.acl))
      listless_.push_back({std::string(node.path), node.czxid});
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
    unknown_acls_ = finished->unknown_acls;
    return {};
  }

  /// Znodes without a list of their own that the log has not given one since.
  [[nodiscard]] std::size_t listless() const {
    const tree::DataTree& tree = recovery_.tree();
    const auto mended = std::ranges::count_if(listless_, [&tree](const Listless& one) {
      const tree::Znode node = tree.find(one.path);
      return !node || node.stat().czxid != one.czxid || !grants_nothing(tree.acls().list(node.acl()));
    });
    return unknown_acls_ - static_cast<std::size_t>(mended);
  }

 private:
  replica::Recovery& recovery_;
  std::vector<std::byte> bytes_;
  std::unordered_set<std::int64_t> numbers_;  ///< of the lists that the snapshot defines
  std::vector<Listless> listless_;            ///< the first of them
  std::size_t unknown_acls_ = 0;              ///< all of them, as the tree counts them
};

Result<bool> has_logs(storage::FileSystem& files, const std::string& directory) {
  const auto entries = files.list(directory);
  if (!entries) return entries.error();
  return !storage::logs_of(*entries).empty();
}

class Restorer {
 public:
  Restorer(storage::FileSystem& files, const storage::DataDirectories& directories,
           const config::Config& config, const replica::Settings& settings, bool accept_loss)
      : files_(files),
        directories_(directories),
        config_(config),
        accept_loss_(accept_loss),
        recovery_(settings) {}

  Result<Restored> run() {
    restored_.findings = directories_.findings();
    if (const auto read = read_snapshot(); !read) return read.error();
    if (const auto replayed = replay_log(); !replayed) return with_passed_over(replayed.error());
    tell_about_lists();
    if (const auto checked = check_ttl_nodes(); !checked) return checked.error();
    restored_.database = recovery_.take();
    restored_.report = recovery_.report();
    tell_about_digests();
    return std::move(restored_);
  }

 private:
  Result<void> read_snapshot() {
    const auto begin = Clock::now();
    auto newest = storage::read_newest_snapshot(
        files_, directories_.snapshots(), restorer_,
        {.field_bytes_max = stored_bytes_max(config_), .accept_loss = accept_loss_});
    if (!newest) return std::move(newest).error();
    restored_.snapshot_time = Clock::now() - begin;
    passed_over_ = std::move(newest->passed_over);
    for (const storage::PassedOverSnapshot& one : passed_over_) restored_.findings.push_back(one.reason);
    if (!newest->content) return no_snapshot();
    const storage::SnapshotContent& content = *newest->content;
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
    if (accept_loss_ && has_lost_snapshots()) return {};
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
    storage::LogReadOptions options = log_read_options(config_);
    options.accept_loss = accept_loss_;
    // Where every snapshot is damaged, what is known is the empty tree: only a log from the beginning goes on
    // from there.
    options.continues_state = snapshot.has_value() || has_lost_snapshots();
    for (const storage::PassedOverSnapshot& one : passed_over_)
      options.unreadable_snapshots.push_back(one.name.zxid);
    auto reader = storage::LogReader::open(files_, directories_.logs(),
                                           Zxid{snapshot ? snapshot->value + 1 : 1}, std::move(options));
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
    if (const auto reached = reach_passed_over(); !reached) return reached;
    if (!reader->end().loss.empty()) lose(reader->end().loss);
    if (const auto mended = storage::mend_log(files_, directories_.logs(), reader->end()); !mended)
      return mended;
    return set_lost_snapshots_aside();
  }

  /// A snapshot that cannot be read and is newer than all that was restored proves that transactions are
  /// missing. Not so one of counter 0: a leader writes it before the first transaction of its epoch.
  [[nodiscard]] bool is_beyond(const storage::PassedOverSnapshot& snapshot) const {
    return snapshot.name.zxid > recovery_.report().last && snapshot.name.zxid.counter() > 0;
  }

  /// Whether there are snapshots of more than the empty tree, none of them usable. snapshot.0 holds nothing.
  [[nodiscard]] bool has_lost_snapshots() const {
    return !recovery_.report().snapshot &&
           std::ranges::any_of(passed_over_, [](const auto& one) { return one.name.zxid.value > 0; });
  }

  Result<void> reach_passed_over() const {
    const auto beyond =
        std::ranges::find_if(passed_over_, [this](const auto& one) { return is_beyond(one); });
    if (beyond == passed_over_.end() || accept_loss_) return {};
    const Zxid last = recovery_.report().last;
    const Zxid next{last.value + 1};
    return Error{
        Errc::kInvalidInput,
        fmt::format(
            "{}: {} tells by its name that there were so many and cannot be read, and the log in {} ends "
            "with {}. Restore that snapshot, or the log files from {} on, from another member or a "
            "backup, or empty this member's data so that it copies another member's; to start in spite "
            "of the loss, start once with {}: their numbers are given out again, then",
            storage::missing_text(next, beyond->name.zxid),
            storage::join(directories_.snapshots(), beyond->name.name), directories_.logs(), last.to_string(),
            next.to_string(), storage::kAcceptLossFlag)};
  }

  /// So that the next start, without the order, does not miss what they held.
  Result<void> set_lost_snapshots_aside() {
    for (const storage::PassedOverSnapshot& one : passed_over_) {
      if (!is_beyond(one)) continue;
      const auto lost = storage::set_aside(files_, directories_.snapshots(), one.name.name);
      if (!lost) return lost.error();
      lose(fmt::format(
          "{}: it cannot be read, and the log does not reach it. Given up by order; kept beside as "
          "{}. Last transaction: {}",
          storage::join(directories_.snapshots(), one.name.name), *lost,
          recovery_.report().last.to_string()));
    }
    return {};
  }

  void lose(const std::string& what) {
    restored_.findings.push_back(what);
    restored_.losses.push_back(what);
  }

  /// What explains a refusal: newer snapshots that cannot be read.
  Error with_passed_over(Error error) const {
    for (const storage::PassedOverSnapshot& one : passed_over_)
      error.message += fmt::format(". Before that, a snapshot was passed over: {}", one.reason);
    return error;
  }

  void tell_about_lists() {
    const std::size_t listless = restorer_.listless();
    if (listless > 0)
      restored_.findings.push_back(fmt::format(
          "snapshot {}: {} znodes have an access list that the snapshot does not define; only the super "
          "user reaches them until their list is set again",
          restored_.snapshot_name, listless));
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
  const bool accept_loss_;
  replica::Recovery recovery_;
  SnapshotRestorer restorer_{recovery_};
  std::vector<storage::PassedOverSnapshot> passed_over_;
  Restored restored_;
};

}  // namespace

Result<Restored> restore(storage::FileSystem& files, const storage::DataDirectories& directories,
                         const config::Config& config, const replica::Settings& settings, bool accept_loss) {
  return Restorer(files, directories, config, settings, accept_loss).run();
}

}  // namespace wk::node
