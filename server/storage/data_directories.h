// The two data folders of a server: checked as Apache checks them, created, and held under a lock.
//
// Thread: the one that starts the server. Source: persistence/FileTxnSnapLog.java (constructor); reference
// storage-formats 1. Differs: a lock in both folders keeps a second Watchkeeper out; Apache lets two servers
// write into one folder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "server/storage/file_system.h"

namespace wk::storage {

struct DataDirectorySettings {
  std::string data_dir{};
  std::string data_log_dir{};  ///< empty: the same as data_dir
  bool create_missing = true;  ///< zookeeper.datadir.autocreate
};

/// Where the files of a data folder are: "<folder>/version-2".
std::string version_folder(const std::string& folder);

class DataDirectories {
 public:
  /// Any error ends a server with exit code 3, as Apache's DatadirException does: a folder is missing and may
  /// not be created, cannot be written, is locked, or holds the other kind of files although the two differ.
  /// Removes unfinished snapshots that a crash has left.
  static Result<DataDirectories> open(FileSystem& files, const DataDirectorySettings& settings);

  /// <dataDir>/version-2
  [[nodiscard]] const std::string& snapshots() const { return snapshots_; }
  /// <dataLogDir>/version-2
  [[nodiscard]] const std::string& logs() const { return logs_; }
  /// Where Apache looks for the file "initialize": the parent of logs(), whatever its documentation says
  /// (S3).
  [[nodiscard]] const std::string& initialize_path() const { return initialize_path_; }
  /// What an operator should know: look-alikes of logs and snapshots that are not read.
  [[nodiscard]] const std::vector<std::string>& findings() const { return findings_; }

 private:
  std::string snapshots_;
  std::string logs_;
  std::string initialize_path_;
  std::vector<std::string> findings_;
  std::vector<std::unique_ptr<FileLock>> locks_;
};

}  // namespace wk::storage
