// Transactions and log files for the tests of storage.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/big_endian.h"
#include "server/storage/file_names.h"
#include "server/storage/log_format.h"
#include "server/storage/log_reader.h"
#include "tests/unit/server/storage/memory_file_system.h"

namespace wk::storage {

inline const std::string kFolder = "/data/version-2";

inline Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return Bytes(bytes.begin(), bytes.end());
}

/// Bytes from hexadecimal digits; blanks and line feeds are passed over.
inline Bytes from_hex(std::string_view text) {
  std::string digits;
  for (const char one : text)
    if (one != ' ' && one != '\n') digits.push_back(one);
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}

/// The payload of a setData of "/n" at `zxid`, `size` bytes in all, 32 or more. What it holds beyond its
/// header depends on zxid and size only; `filler` gives the data bytes (nullopt: all different).
inline Bytes payload(std::uint64_t zxid, std::size_t size = 60,
                     std::optional<std::byte> filler = std::nullopt) {
  Bytes bytes;
  append_u64(bytes, 0x1000012345670000);
  append_u32(bytes, static_cast<std::uint32_t>(zxid));
  append_u64(bytes, zxid);
  append_u64(bytes, 1795295334067 + zxid);
  append_u32(bytes, 5);
  while (bytes.size() < size)
    bytes.push_back(filler.value_or(static_cast<std::byte>(zxid * 31 + bytes.size() * 7)));
  return bytes;
}

/// A log file with these payloads, padded to `size` when that is more.
inline Bytes log_file(const std::vector<Bytes>& payloads, std::size_t size = 0) {
  Bytes file;
  append_log_header(file);
  for (const Bytes& one : payloads) append_log_record(file, one);
  if (file.size() < size) file.resize(size);
  return file;
}

/// Payloads of the transactions `first` to `last`.
inline std::vector<Bytes> payloads(std::uint64_t first, std::uint64_t last, std::size_t size = 60) {
  std::vector<Bytes> all;
  for (std::uint64_t zxid = first; zxid <= last; ++zxid) all.push_back(payload(zxid, size));
  return all;
}

/// Everything that a reader hands out.
struct ReadLog {
  std::vector<std::uint64_t> zxids{};
  std::vector<Bytes> payloads{};
  std::optional<Error> error{};
  LogEnd end{};
};

inline ReadLog read_log(FileSystem& files, std::uint64_t from = 1, LogReadOptions options = {},
                        const std::string& folder = kFolder) {
  ReadLog log;
  auto reader = LogReader::open(files, folder, Zxid{from}, options);
  if (!reader) {
    log.error = reader.error();
    return log;
  }
  for (;;) {
    const auto record = reader->next();
    if (!record) {
      log.error = record.error();
      break;
    }
    if (!*record) break;
    log.zxids.push_back((*record)->zxid.value);
    log.payloads.emplace_back((*record)->payload.begin(), (*record)->payload.end());
  }
  log.end = reader->end();
  return log;
}

inline std::vector<std::uint64_t> range(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = first; i <= last; ++i) numbers.push_back(i);
  return numbers;
}

}  // namespace wk::storage
