// Names of the files in a version-2 folder.
//
// Differs: Apache takes anything that begins with "log.<hex>." or "snapshot.<hex>." for a log or snapshot, so
// a copy "log.1.bak" is replayed a second time. Here only the exact names count; look-alikes are reported.
// Thread: any; pure. Source: persistence/Util.java (getZxidFromName); reference storage-formats 1, S6.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "server/storage/file_system.h"

namespace wk::storage {

enum class Compression { kNone, kGzip, kSnappy };

struct LogName {
  Zxid first{};  ///< zxid of the first transaction in the file
  std::string name{};
  std::uint64_t size = 0;
};

struct SnapshotName {
  Zxid zxid{};  ///< last transaction that the snapshot certainly contains
  Compression compression = Compression::kNone;
  std::string name{};
  std::uint64_t size = 0;
};

/// "log." and 1 to 16 hexadecimal digits of either case; nullopt for any other name and for zxids above
/// 2^63-1, which Java cannot parse.
std::optional<Zxid> parse_log_name(std::string_view name);
/// "snapshot.", 1 to 16 hexadecimal digits, then nothing, ".gz" or ".snappy"; nullopt as above.
std::optional<SnapshotName> parse_snapshot_name(std::string_view name);

std::string log_name(Zxid first);
std::string snapshot_name(Zxid zxid, Compression compression);
/// Name of a snapshot while it is written. Apache's readers pass over it.
std::string unfinished_snapshot_name(Zxid zxid, Compression compression);
bool is_unfinished_snapshot(std::string_view name);

/// Logs in rising order of their first zxid.
std::vector<LogName> logs_of(std::span<const DirectoryEntry> entries);
/// Snapshots, newest first; of equal zxids the uncompressed one first.
std::vector<SnapshotName> snapshots_of(std::span<const DirectoryEntry> entries);
/// Names that Apache would take for a log or a snapshot and Watchkeeper does not, for one warning at start.
std::vector<std::string> look_alikes_of(std::span<const DirectoryEntry> entries);

/// `directory` + "/" + `name`.
std::string join(std::string_view directory, std::string_view name);

}  // namespace wk::storage
