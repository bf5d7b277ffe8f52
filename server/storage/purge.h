// Removes snapshots and logs that the newest snapshots make unnecessary.
//
// Thread: disk. Source: PurgeTxnLog.java; reference storage-formats 9. Differs: the kept snapshots are read
// wholly and verified before anything older is removed, and look-alikes of logs and snapshots stay.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "server/storage/file_system.h"

namespace wk::storage {

/// Fewest snapshots that may be kept. Source: PurgeTxnLog.java, DatadirCleanupManager.java.
inline constexpr std::size_t kRetainedSnapshotsMin = 3;

struct PurgeReport {
  std::vector<std::string> removed{};   ///< paths, in the order of removal
  std::vector<std::string> findings{};  ///< snapshots that were not counted since they are damaged
};

/// Keeps the `retain` newest verified snapshots and every log that any of them needs.
/// Removes nothing when there are fewer verified snapshots than that, except damaged ones older than all of
/// them. \param retain           at least kRetainedSnapshotsMin (WK_CHECK; the configuration clamps it)
/// \param field_bytes_max  longest string of a snapshot, as at a start: with less a whole snapshot would
///                         count as damaged, and nothing would ever be removed
/// \param stop  asked before each piece that is read and each file that is removed
/// \return  Errc::kCancelled: it was stopped; what is gone was not needed, and the rest goes the next time
Result<PurgeReport> purge(FileSystem& files, const std::string& snapshots, const std::string& logs,
                          std::size_t retain, std::size_t field_bytes_max, const std::stop_token& stop = {});

}  // namespace wk::storage
