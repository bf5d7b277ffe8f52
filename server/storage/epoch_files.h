// The files acceptedEpoch and currentEpoch of an ensemble's member, and their repair after a crash.
//
// Each holds a decimal number without a line feed and is replaced through a temporary file: written, synced,
// renamed, folder synced. Thread: disk, or the one that starts the server.
// Source: quorum/QuorumPeer.java (loadDataBase, readEpochFromFile), common/AtomicFileWritingIdiom; reference
// storage-formats 8.4.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/ids.h"
#include "server/storage/file_system.h"

namespace wk::storage {

enum class EpochFile {
  kAccepted,  ///< acceptedEpoch: the newest leader that was promised to be followed
  kCurrent,   ///< currentEpoch: the newest leader whose history was taken over
};

/// "acceptedEpoch" or "currentEpoch".
const char* file_name(EpochFile which);

/// nullopt when the file does not exist; Errc::kInvalidInput when its first line is no epoch.
Result<std::optional<Epoch>> read_epoch(FileSystem& files, const std::string& directory, EpochFile which);
/// Durable on return; a crash leaves the old or the new value.
Result<void> write_epoch(FileSystem& files, const std::string& directory, EpochFile which, Epoch epoch);

struct Epochs {
  Epoch accepted{};
  Epoch current{};
};

/// Both epochs at start, made consistent with the log as Apache does: missing files are created with the
/// epoch of `last`, and an unfinished currentEpoch.tmp is adopted when the log is ahead of currentEpoch.
/// Errc::kInvalidInput, with the remedy, when the log is ahead and nothing explains it, or accepted is older
/// than current.
/// \param directory  the snapshots' version-2 folder  \param last  last zxid of the recovered database
Result<Epochs> recover_epochs(FileSystem& files, const std::string& directory, Zxid last);

}  // namespace wk::storage
