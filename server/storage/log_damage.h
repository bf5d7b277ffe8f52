// Tells what a place in a log is at which no good record begins: the normal end, the rest of a crash, or
// damage to transactions that were acknowledged.
//
// The evidence: a crash keeps some sectors of the unsynced bytes and loses others, and a lost sector reads as
// zeros from the first unsynced byte in it to its end. Records are written whole, so a record that a crash
// tore has such a run of zeros in it, or nothing at all follows it. A record whose sectors are all there and
// that is wrong nevertheless was damaged later. A single changed byte is recognised as such even where zeros
// of the data look like a lost sector: Adler-32 tells which byte it was.
//
// What cannot be told apart: in the last batch that a crash could have torn (kUnsyncedBytesMax at the end of
// the last file), a sector of zeros that a disk gives back for one it had stored looks like one that was
// never written, also when whole records stand behind it. Apache's format has no mark of what was synced: no
// end of a batch, and the zxids and times of the records rise alike within a batch and across two. Refusing
// there would refuse starts after ordinary power failures, so the place counts as torn, and file, offset,
// zxid and the number of bytes cut are told.
//
// Thread: any; pure. Source: reference storage-formats 3.7 (damage matrix and its WK paragraph).
// Differs: Apache stops silently at a hole and drops what follows; here that is kCorrupt unless the bytes
// look like the work of a crash. The WK paragraph (b) asks for a refusal before any whole record with a
// higher zxid; in the last batch that is not done, see above.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/ids.h"

namespace wk::storage {

enum class LogTail {
  kEnd,       ///< nothing but zeros
  kStray,     ///< no record, no trace of one behind it: Apache stops here without a word
  kTorn,      ///< unfinished by a crash; nothing in it was acknowledged
  kUnmarked,  ///< the last record is whole by its checksum, only the byte that ends it is wrong
  kCorrupt,   ///< what a crash cannot explain
};

struct LogTailFinding {
  LogTail kind = LogTail::kEnd;
  /// What is wrong, for a message: "its checksum does not match its bytes". Empty for kEnd.
  std::string what{};
  /// kCorrupt only: Apache would take the place for the end of this file and go on with the next one.
  bool apache_stops = false;
  /// The payload claims to be longer than the limit; the server that wrote it may have had a higher one.
  bool above_limit = false;
  /// A whole record with a higher zxid that follows the damage, and its place in the file.
  struct Record {
    Zxid zxid{};
    std::uint64_t offset = 0;
  };
  std::optional<Record> next_whole{};
};

/// More bytes than this behind the last good record are not examined but refused.
inline constexpr std::size_t kExaminedBytesMax = std::size_t{64} << 20;

/// \param rest         the file's bytes from `offset` up to its last byte that is not zero (empty: all zeros)
/// \param offset       file offset at which a record should begin
/// \param file_size    size of the file; bytes beyond `rest` are zeros
/// \param last         zxid of the record before, Zxid{0} when there is none
/// \param payload_max  longest payload that is believed
/// The caller has found that no good record begins at `offset`.
LogTailFinding examine_log_tail(std::span<const std::byte> rest, std::uint64_t offset,
                                std::uint64_t file_size, Zxid last, std::size_t payload_max);

}  // namespace wk::storage
