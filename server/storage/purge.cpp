#include "server/storage/purge.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "server/storage/file_names.h"
#include "server/storage/snapshot_reader.h"

namespace wk::storage {
namespace {

Error stopped() { return {Errc::kCancelled, "the purge was given up since the server stops"}; }

/// The zxid below which snapshots are not needed: that of the oldest kept one. nullopt: no snapshot is
/// usable.
Result<std::optional<Zxid>> oldest_kept(FileSystem& files, const std::string& directory,
                                        const std::vector<SnapshotName>& snapshots, std::size_t retain,
                                        std::size_t field_bytes_max, const std::stop_token& stop,
                                        std::vector<std::string>& findings) {
  std::optional<Zxid> oldest;
  std::size_t kept = 0;
  for (const SnapshotName& name : snapshots) {
    if (kept == retain) break;
    const auto content = read_snapshot(files, directory, name, nullptr, field_bytes_max, stop);
    if (stop.stop_requested()) return stopped();
    if (!content && (content.error().code == Errc::kIo || content.error().code == Errc::kNoSpace))
      return content.error();
    if (!content) {
      findings.push_back(content.error().message);
      continue;
    }
    oldest = name.zxid;
    ++kept;
  }
  return oldest;
}

Result<void> remove_all(FileSystem& files, const std::string& directory,
                        const std::vector<std::string>& names, const std::stop_token& stop,
                        std::vector<std::string>& removed) {
  for (const std::string& name : names) {
    if (stop.stop_requested()) return stopped();
    const std::string path = join(directory, name);
    const auto gone = files.remove(path);
    if (!gone && gone.error().code != Errc::kNotFound) return gone.error();
    if (gone) removed.push_back(path);
  }
  if (names.empty()) return {};
  return files.sync_directory(directory);
}

}  // namespace

Result<PurgeReport> purge(FileSystem& files, const std::string& snapshots, const std::string& logs,
                          std::size_t retain, std::size_t field_bytes_max, const std::stop_token& stop) {
  WK_CHECK(retain >= kRetainedSnapshotsMin, "the configuration clamps the number of kept snapshots");
  const auto snapshot_entries = files.list(snapshots);
  if (!snapshot_entries) return snapshot_entries.error();
  const auto log_entries = files.list(logs);
  if (!log_entries) return log_entries.error();
  PurgeReport report;
  const auto all_snapshots = snapshots_of(*snapshot_entries);
  // Verifying reads every kept file: not worth it when nothing is older than they are.
  if (all_snapshots.size() <= retain) {
    const auto oldest = all_snapshots.empty() ? Zxid{} : all_snapshots.back().zxid;
    const auto all_logs = logs_of(*log_entries);
    if (all_logs.size() < 2 || all_logs[1].first > oldest) return report;
  }
  const auto oldest =
      oldest_kept(files, snapshots, all_snapshots, retain, field_bytes_max, stop, report.findings);
  if (!oldest) return oldest.error();
  if (!*oldest) return report;

  std::vector<std::string> old_snapshots;
  for (const SnapshotName& name : all_snapshots)
    if (name.zxid < **oldest) old_snapshots.push_back(name.name);
  std::ranges::reverse(old_snapshots);
  std::vector<std::string> old_logs;
  const auto all_logs = logs_of(*log_entries);
  // The newest log that begins at or below the oldest kept snapshot may hold what follows it.
  for (std::size_t i = 0; i + 1 < all_logs.size() && all_logs[i + 1].first <= **oldest; ++i)
    old_logs.push_back(all_logs[i].name);
  if (const auto done = remove_all(files, snapshots, old_snapshots, stop, report.removed); !done)
    return done.error();
  if (const auto done = remove_all(files, logs, old_logs, stop, report.removed); !done) return done.error();
  return report;
}

}  // namespace wk::storage
