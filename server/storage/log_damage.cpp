#include "server/storage/log_damage.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "server/storage/big_endian.h"
#include "server/storage/file_system.h"
#include "server/storage/log_format.h"

namespace wk::storage {
namespace {

constexpr std::int32_t kAdlerModulus = 65521;
/// The upper half of the checksum field is always zero: losing it changes nothing.
constexpr std::size_t kAlwaysZeroBytes = 4;
/// Bytes that the search for a later record may checksum, against files made to be slow.
constexpr std::size_t kSearchBytesMax = std::size_t{256} << 20;

/// The bytes at the place in question, read as the record that should begin there.
class Candidate {
 public:
  Candidate(std::span<const std::byte> rest, std::uint64_t offset, std::uint64_t file_size,
            std::size_t payload_max)
      : rest_(rest), offset_(offset), file_bytes_(file_size - offset) {
    std::byte prefix[kRecordPrefixBytes] = {};
    std::copy_n(rest.begin(), std::min(rest.size(), kRecordPrefixBytes), prefix);
    checksum_ = load_u64(prefix);
    length_ = static_cast<std::int32_t>(load_u32(std::span(prefix).subspan(8)));
    readable_ = length_ > 0 && static_cast<std::size_t>(length_) <= payload_max && bytes() <= file_bytes_;
    if (!readable_ || bytes() <= rest.size()) return;
    whole_.assign(rest.begin(), rest.end());
    whole_.resize(static_cast<std::size_t>(bytes()));
  }

  [[nodiscard]] std::uint64_t checksum() const { return checksum_; }
  [[nodiscard]] std::int32_t length() const { return length_; }
  [[nodiscard]] std::uint64_t bytes() const {
    return kRecordOverheadBytes + static_cast<std::uint64_t>(std::max(length_, 0));
  }
  /// The length is believable and the record fits the file; only then the three below may be asked.
  [[nodiscard]] bool readable() const { return readable_; }
  [[nodiscard]] std::span<const std::byte> whole() const {
    return whole_.empty() ? rest_.first(static_cast<std::size_t>(bytes()))
                          : std::span<const std::byte>(whole_);
  }
  [[nodiscard]] std::span<const std::byte> payload() const {
    return whole().subspan(kRecordPrefixBytes, static_cast<std::size_t>(length_));
  }
  [[nodiscard]] bool ends_with_mark() const { return whole().back() == kRecordEnd; }
  /// Whether something other than zero stands behind the record.
  [[nodiscard]] bool followed() const {
    return rest_.size() > std::max<std::uint64_t>(bytes(), kRecordPrefixBytes);
  }

  /// Whether `index` (in rest) lies in a run of zeros that reaches from the first byte of its sector, or of
  /// the record, to the end of the sector: what a lost sector looks like.
  [[nodiscard]] bool in_lost_sector(std::size_t index) const {
    const std::uint64_t sector = (offset_ + index) / kSectorBytes * kSectorBytes;
    const std::uint64_t begin = std::max(sector, offset_ + kAlwaysZeroBytes) - offset_;
    const std::uint64_t end = std::min<std::uint64_t>(sector + kSectorBytes - offset_, rest_.size());
    if (sector + kSectorBytes - offset_ <= begin) return false;
    return begin >= end || std::all_of(rest_.begin() + static_cast<std::ptrdiff_t>(begin),
                                       rest_.begin() + static_cast<std::ptrdiff_t>(end),
                                       [](std::byte byte) { return byte == std::byte{0}; });
  }

  /// Whether any sector of the record's first `extent` bytes looks lost.
  [[nodiscard]] bool has_lost_sector(std::uint64_t extent) const {
    for (std::uint64_t at = kAlwaysZeroBytes; at < extent;
         at = (offset_ + at) / kSectorBytes * kSectorBytes + kSectorBytes - offset_)
      if (in_lost_sector(at)) return true;
    return false;
  }

 private:
  std::span<const std::byte> rest_;
  std::uint64_t offset_;
  std::uint64_t file_bytes_;
  std::uint64_t checksum_ = 0;
  std::int32_t length_ = 0;
  bool readable_ = false;
  std::vector<std::byte> whole_{};  ///< with the zeros behind rest_, when the record reaches beyond it
};

std::int32_t modular_inverse(std::int32_t value) {
  std::int64_t a = value, b = kAdlerModulus, x = 1, y = 0;
  while (a > 1) {
    const std::int64_t quotient = a / b;
    a = std::exchange(b, a % b);
    x = std::exchange(y, x - quotient * y);
  }
  return static_cast<std::int32_t>(x < 0 ? x + kAdlerModulus : x);
}

/// Whether one changed byte, and no lost sector, explains why payload and checksum disagree. With one byte
/// changed by e at index i of n, Adler-32's halves differ by e and by e * (n - i).
bool one_byte_explains(const Candidate& record) {
  const auto payload = record.payload();
  const std::uint32_t found = adler32(1, payload);
  const std::uint64_t difference = record.checksum() ^ found;
  // One byte of the stored checksum itself, which stands at index 0 to 7 of the record.
  for (std::size_t i = 0; i < 8; ++i)
    if ((difference & ~(std::uint64_t{0xff} << (56 - 8 * i))) == 0) return !record.in_lost_sector(i);
  if (record.checksum() >> 32 != 0) return false;
  const auto stored = static_cast<std::uint32_t>(record.checksum());
  const auto halves_differ = [&](int shift) {
    const auto a = static_cast<std::int32_t>(found >> shift & 0xffff);
    const auto b = static_cast<std::int32_t>(stored >> shift & 0xffff);
    return (a - b % kAdlerModulus + kAdlerModulus) % kAdlerModulus;
  };
  const std::int32_t e_modular = halves_differ(0);
  const std::int32_t e = e_modular > kAdlerModulus / 2 ? e_modular - kAdlerModulus : e_modular;
  if (e == 0 || e < -255 || e > 255) return false;
  const auto weight =
      static_cast<std::size_t>(std::int64_t{halves_differ(16)} * modular_inverse(e_modular) % kAdlerModulus);
  for (std::size_t from_end = weight; from_end <= payload.size(); from_end += kAdlerModulus) {
    if (from_end == 0) continue;
    const std::size_t index = payload.size() - from_end;
    const int original = std::to_integer<int>(payload[index]) - e;
    if (original >= 0 && original <= 255 && !record.in_lost_sector(kRecordPrefixBytes + index)) return true;
  }
  return false;
}

/// Whether the bytes are a whole record once another length is assumed.
bool another_length_explains(std::span<const std::byte> rest, const Candidate& record,
                             std::size_t payload_max) {
  if (record.checksum() >> 32 != 0) return false;
  const std::size_t end = std::min(rest.size(), kRecordPrefixBytes + payload_max + 1);
  std::uint32_t a = 1, b = 0;
  for (std::size_t i = kRecordPrefixBytes; i < end; ++i) {
    const bool long_enough = i >= kRecordPrefixBytes + kTxnHeaderBytes;
    if (long_enough && rest[i] == kRecordEnd && (b << 16 | a) == record.checksum()) return true;
    a = (a + std::to_integer<std::uint32_t>(rest[i])) % kAdlerModulus;
    b = (b + a) % kAdlerModulus;
  }
  return false;
}

struct Search {
  std::optional<LogTailFinding::Record> found{};
  bool gave_up = false;
};

Search find_whole_record(std::span<const std::byte> rest, std::uint64_t offset, Zxid last,
                         std::size_t payload_max) {
  std::size_t work = 0;
  constexpr std::size_t kSmallest = kRecordOverheadBytes + kTxnHeaderBytes;
  for (std::size_t at = 1; at + kSmallest <= rest.size(); ++at) {
    const auto here = rest.subspan(at);
    if (load_u32(here) != 0) continue;
    const std::uint32_t length = load_u32(here.subspan(8));
    if (length < kTxnHeaderBytes || length > payload_max || kRecordOverheadBytes + length > here.size())
      continue;
    if (here[kRecordPrefixBytes + length] != kRecordEnd) continue;
    const auto payload = here.subspan(kRecordPrefixBytes, length);
    const Zxid zxid = zxid_of_payload(payload);
    if (zxid <= last) continue;
    work += length;
    if (work > kSearchBytesMax) return {std::nullopt, true};
    if (adler32(1, payload) == load_u32(here.subspan(4)))
      return {LogTailFinding::Record{zxid, offset + at}, false};
  }
  return {};
}

}  // namespace

LogTailFinding examine_log_tail(std::span<const std::byte> rest, std::uint64_t offset,
                                std::uint64_t file_size, Zxid last, std::size_t payload_max) {
  LogTailFinding finding;
  if (rest.empty()) return finding;
  if (rest.size() > kExaminedBytesMax) {
    finding.kind = LogTail::kCorrupt;
    finding.what = fmt::format("{} bytes follow that are no transactions", rest.size());
    return finding;
  }
  const Candidate record(rest, offset, file_size, payload_max);
  const auto length = static_cast<std::int64_t>(record.length());
  const auto search = find_whole_record(rest, offset, last, payload_max);
  finding.next_whole = search.found;
  const auto decide = [&finding](LogTail kind, std::string what, bool apache_stops) {
    finding.kind = kind;
    finding.what = std::move(what);
    finding.apache_stops = apache_stops;
    return finding;
  };
  const bool transactions_follow = search.found || search.gave_up;
  const bool ends_with_mark = record.readable() && record.ends_with_mark();

  if (another_length_explains(rest, record, payload_max))
    return decide(LogTail::kCorrupt, "the length of the record is damaged, its bytes are there",
                  length >= 0 && length <= static_cast<std::int64_t>(payload_max) && !ends_with_mark);
  if (length < 0)
    return decide(LogTail::kCorrupt, fmt::format("the length of the record is {}", length), false);
  if (length > static_cast<std::int64_t>(payload_max)) {
    finding.above_limit = true;
    return decide(
        LogTail::kCorrupt,
        fmt::format("the length of the record, {} bytes, is above the limit of {}", length, payload_max),
        false);
  }

  const bool checksum_holds = record.readable() && adler32(1, record.payload()) == record.checksum();
  if (checksum_holds && ends_with_mark)
    return decide(LogTail::kCorrupt, "the record is too short for a transaction", false);
  if (checksum_holds && length >= static_cast<std::int64_t>(kTxnHeaderBytes)) {
    if (!record.followed()) return decide(LogTail::kUnmarked, "the byte that ends the record is wrong", true);
    if (!record.in_lost_sector(record.bytes() - 1))
      return decide(transactions_follow ? LogTail::kCorrupt : LogTail::kUnmarked,
                    "the byte that ends the record is wrong", true);
  }
  if (ends_with_mark && one_byte_explains(record))
    return decide(LogTail::kCorrupt,
                  "the checksum of the record does not match its bytes (one byte is wrong)", false);

  // A crash: the record's beginning and nothing behind it, or a sector that is missing from it.
  const bool ends_inside = length == 0 ? rest.size() <= kRecordPrefixBytes : rest.size() < record.bytes();
  if (ends_inside && transactions_follow)
    return decide(LogTail::kCorrupt, "the length of the record reaches over other records", true);
  if (ends_inside) return decide(LogTail::kTorn, "the record ends before it is complete", true);
  const std::uint64_t extent = length == 0 ? kRecordPrefixBytes : record.bytes();
  const bool in_one_batch = rest.size() <= kUnsyncedBytesMax || !record.followed();
  if (in_one_batch && record.has_lost_sector(extent))
    return decide(LogTail::kTorn, "a sector of the record was never written", true);

  if (ends_with_mark)
    return decide(LogTail::kCorrupt, "the checksum of the record does not match its bytes", false);
  if (transactions_follow)
    return decide(LogTail::kCorrupt,
                  length == 0 ? "there is a hole in the file" : "the byte that ends the record is wrong",
                  true);
  return decide(LogTail::kStray, "bytes follow that are no transactions", true);
}

}  // namespace wk::storage
