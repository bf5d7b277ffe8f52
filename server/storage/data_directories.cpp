#include "server/storage/data_directories.h"

#include <fmt/format.h>

#include "base/log.h"
#include "server/storage/file_names.h"

namespace wk::storage {
namespace {

constexpr const char* kLockName = "watchkeeper.lock";

Result<void> prepare(FileSystem& files, const std::string& directory, const char* key, bool create_missing) {
  const auto exists = files.exists(directory);
  if (!exists) return exists.error();
  if (!*exists && !create_missing)
    return Error{
        Errc::kNotFound,
        fmt::format("missing data directory {} ({}), and automatic creation is off; create it, or set "
                    "zookeeper.datadir.autocreate=true",
                    directory, key)};
  if (!*exists) {
    if (const auto created = files.create_directories(directory); !created)
      return Error{created.error().code,
                   fmt::format("unable to create data directory for {}: {}", key, created.error().message)};
  }
  const auto writable = files.is_writable(directory);
  if (!writable) return writable.error();
  if (!*writable)
    return Error{
        Errc::kNotAllowed,
        fmt::format("cannot write to data directory {} ({}); check its owner and mode, and that the disk is "
                    "not mounted read-only",
                    directory, key)};
  return {};
}

/// Removes what a crash left of a snapshot, and tells the names that look like data and are not read.
Result<void> tidy(FileSystem& files, const std::string& directory, const std::vector<DirectoryEntry>& entries,
                  std::vector<std::string>& findings) {
  bool removed = false;
  for (const DirectoryEntry& entry : entries) {
    if (!is_unfinished_snapshot(entry.name)) continue;
    if (const auto gone = files.remove(join(directory, entry.name)); !gone) return gone.error();
    removed = true;
    findings.push_back(
        fmt::format("{}: snapshot left unfinished by a crash; removed", join(directory, entry.name)));
  }
  for (const std::string& name : look_alikes_of(entries))
    findings.push_back(
        fmt::format("{}: not read, though Apache ZooKeeper would take it for data by its name; move "
                    "it elsewhere",
                    join(directory, printable(name))));
  if (removed) return files.sync_directory(directory);
  return {};
}

}  // namespace

std::string version_folder(const std::string& folder) { return join(folder, "version-2"); }

Result<DataDirectories> DataDirectories::open(FileSystem& files, const DataDirectorySettings& settings) {
  const std::string& log_dir = settings.data_log_dir.empty() ? settings.data_dir : settings.data_log_dir;
  const bool separate = log_dir != settings.data_dir;
  DataDirectories directories;
  directories.snapshots_ = version_folder(settings.data_dir);
  directories.logs_ = version_folder(log_dir);
  directories.initialize_path_ = join(log_dir, "initialize");

  if (const auto ready =
          prepare(files, directories.logs_, separate ? "dataLogDir" : "dataDir", settings.create_missing);
      !ready)
    return ready.error();
  if (separate)
    if (const auto ready = prepare(files, directories.snapshots_, "dataDir", settings.create_missing); !ready)
      return ready.error();

  auto lock = files.lock(join(directories.logs_, kLockName));
  if (!lock) return lock.error();
  directories.locks_.push_back(std::move(*lock));
  const auto log_entries = files.list(directories.logs_);
  if (!log_entries) return log_entries.error();
  if (!separate) {
    if (const auto done = tidy(files, directories.logs_, *log_entries, directories.findings_); !done)
      return done.error();
    return directories;
  }

  auto second = files.lock(join(directories.snapshots_, kLockName));
  if (!second) return second.error();
  directories.locks_.push_back(std::move(*second));
  const auto snapshot_entries = files.list(directories.snapshots_);
  if (!snapshot_entries) return snapshot_entries.error();
  if (const auto misplaced = snapshots_of(*log_entries); !misplaced.empty())
    return Error{
        Errc::kInvalidInput,
        fmt::format("Log directory has snapshot files. Check if dataLogDir and dataDir configuration is "
                    "correct: {} holds {}",
                    directories.logs_, misplaced.front().name)};
  if (const auto misplaced = logs_of(*snapshot_entries); !misplaced.empty())
    return Error{
        Errc::kInvalidInput,
        fmt::format("Snapshot directory has log files. Check if dataLogDir and dataDir configuration is "
                    "correct: {} holds {}",
                    directories.snapshots_, misplaced.front().name)};
  for (const auto& [directory, entries] :
       {std::pair(&directories.snapshots_, &*snapshot_entries), std::pair(&directories.logs_, &*log_entries)})
    if (const auto done = tidy(files, *directory, *entries, directories.findings_); !done)
      return done.error();
  return directories;
}

}  // namespace wk::storage
