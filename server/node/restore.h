// Brings back what is on disk: the folders, the newest snapshot, the log behind it.
//
// Thread: start-up; nothing else runs yet. Blocks on the disk.
// Source: FileTxnSnapLog.java (restore), ServerConfig exit codes; reference storage-formats "Recovery
// algorithm".
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "server/config/config.h"
#include "server/replica/recovery.h"
#include "server/storage/data_directories.h"
#include "server/storage/file_system.h"

namespace wk::node {

struct Restored {
  std::unique_ptr<replica::Database> database;
  replica::RecoveryReport report;
  std::chrono::nanoseconds snapshot_time{0};  ///< "startup_snap_load_time"
  std::chrono::nanoseconds replay_time{0};    ///< "startup_txns_load_time"
  std::uint64_t snapshot_bytes = 0;           ///< uncompressed
  std::string snapshot_name;                  ///< empty when there was none
  std::vector<std::string> findings;          ///< what an operator should know, a sentence each
  std::vector<std::string> losses;            ///< of the findings: what was given up by order
};

/// \param directories  opened and locked
/// \param accept_loss  the operator's order: what is damaged or missing is left out, with what needs it, and
///                     set aside (server/storage/lost_files.h)
/// \return  an error that ends the start with exit code 1; its message names file, offset and remedy
Result<Restored> restore(storage::FileSystem& files, const storage::DataDirectories& directories,
                         const config::Config& config, const replica::Settings& settings,
                         bool accept_loss = false);

}  // namespace wk::node
