// Layout of a transaction log file, in numbers.
//
// Thread: any; pure. Source: reference storage-formats 3.1, 3.2; persistence/FileTxnLog.java (whose comment
// says that the checksum covers more than the payload; it does not).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.h"

namespace wk::storage {

inline constexpr std::uint32_t kLogMagic = 0x5a4b4c47;  ///< "ZKLG"
inline constexpr std::uint32_t kLogVersion = 2;
inline constexpr std::size_t kLogHeaderBytes = 16;     ///< magic, version, dbid 0
inline constexpr std::size_t kRecordPrefixBytes = 12;  ///< checksum (long), payload length (int)
inline constexpr std::size_t kRecordOverheadBytes = kRecordPrefixBytes + 1;
inline constexpr std::byte kRecordEnd{0x42};           ///< 'B'
inline constexpr std::size_t kTxnHeaderBytes = 32;     ///< smallest payload: a transaction header
inline constexpr std::size_t kPayloadZxidOffset = 12;  ///< in the payload, after session id and cxid
/// jute.maxbuffer plus its extra size by default: the longest payload that is read unless a setting says
/// more.
inline constexpr std::size_t kPayloadBytesMaxDefault = 2 * 0xfffff;
/// A writer syncs before this many bytes are unsynced (a single longer record excepted), so a crash can leave
/// no more than this unfinished at the end of a log.
inline constexpr std::size_t kUnsyncedBytesMax = std::size_t{1} << 20;

/// The log's and snapshot's checksum. \param start  value so far; 1 at the beginning
std::uint32_t adler32(std::uint32_t start, std::span<const std::byte> bytes);

/// Appends the 16 bytes at the start of every log file.
void append_log_header(std::vector<std::byte>& out);
/// Appends one whole record.
void append_log_record(std::vector<std::byte>& out, std::span<const std::byte> payload);
/// Zxid in the transaction header at the start of a payload of at least kTxnHeaderBytes.
Zxid zxid_of_payload(std::span<const std::byte> payload);

/// Size that a file gets before the next append, as Apache pads it.
/// \param position       end of the records, in bytes
/// \param size           size after the last padding
/// \param preallocation  preAllocSize in bytes; 0: no padding
/// Source: persistence/FilePadding.java (calculateFileSizeWithPadding).
std::uint64_t padded_log_size(std::uint64_t position, std::uint64_t size, std::uint64_t preallocation);

}  // namespace wk::storage
