// Purge of a server's folders from the command line, beside a running server or without one.
//
// Thread: any. Blocks on the disk. Source: PurgeTxnLog.java, bin/zkCleanup.sh.
#pragma once

#include <cstddef>

#include "base/error.h"
#include "server/config/config.h"
#include "server/storage/file_system.h"
#include "server/storage/purge.h"

namespace wk::node {

/// Takes no lock: what is removed is nothing that a running server reads or writes.
/// \param retain  at least storage::kRetainedSnapshotsMin
/// \return  an error when a folder cannot be read
Result<storage::PurgeReport> clean_up(storage::FileSystem& files, const config::Config& config,
                                      std::size_t retain);

}  // namespace wk::node
