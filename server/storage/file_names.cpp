#include "server/storage/file_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace wk::storage {
namespace {

constexpr std::string_view kLogPrefix = "log.";
constexpr std::string_view kSnapshotPrefix = "snapshot.";
constexpr std::string_view kUnfinishedPrefix = "tmp.";
constexpr std::size_t kZxidDigitsMax = 16;

std::optional<Zxid> parse_zxid(std::string_view digits) {
  if (digits.empty() || digits.size() > kZxidDigitsMax) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  return Zxid{value};
}

std::string_view suffix_of(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "";
    case Compression::kGzip:
      return ".gz";
    case Compression::kSnappy:
      return ".snappy";
  }
  return "";
}

}  // namespace

std::optional<Zxid> parse_log_name(std::string_view name) {
  if (!name.starts_with(kLogPrefix)) return std::nullopt;
  return parse_zxid(name.substr(kLogPrefix.size()));
}

std::optional<SnapshotName> parse_snapshot_name(std::string_view name) {
  if (!name.starts_with(kSnapshotPrefix)) return std::nullopt;
  SnapshotName parsed;
  parsed.name = name;
  std::string_view digits = name.substr(kSnapshotPrefix.size());
  for (const Compression compression : {Compression::kGzip, Compression::kSnappy}) {
    if (!digits.ends_with(suffix_of(compression))) continue;
    parsed.compression = compression;
    digits.remove_suffix(suffix_of(compression).size());
    break;
  }
  const auto zxid = parse_zxid(digits);
  if (!zxid) return std::nullopt;
  parsed.zxid = *zxid;
  return parsed;
}

std::string log_name(Zxid first) { return fmt::format("{}{:x}", kLogPrefix, first.value); }

std::string snapshot_name(Zxid zxid, Compression compression) {
  return fmt::format("{}{:x}{}", kSnapshotPrefix, zxid.value, suffix_of(compression));
}

std::string unfinished_snapshot_name(Zxid zxid, Compression compression) {
  return fmt::format("{}{}", kUnfinishedPrefix, snapshot_name(zxid, compression));
}

bool is_unfinished_snapshot(std::string_view name) {
  return name.starts_with(kUnfinishedPrefix) &&
         parse_snapshot_name(name.substr(kUnfinishedPrefix.size())).has_value();
}

std::vector<LogName> logs_of(std::span<const DirectoryEntry> entries) {
  std::vector<LogName> logs;
  for (const DirectoryEntry& entry : entries) {
    if (!entry.plain_file) continue;
    if (const auto first = parse_log_name(entry.name)) logs.push_back({*first, entry.name, entry.size});
  }
  std::ranges::stable_sort(logs, {}, &LogName::first);
  return logs;
}

std::vector<SnapshotName> snapshots_of(std::span<const DirectoryEntry> entries) {
  std::vector<SnapshotName> snapshots;
  for (const DirectoryEntry& entry : entries) {
    if (!entry.plain_file) continue;
    if (auto parsed = parse_snapshot_name(entry.name)) {
      parsed->size = entry.size;
      snapshots.push_back(std::move(*parsed));
    }
  }
  std::ranges::stable_sort(snapshots, [](const SnapshotName& a, const SnapshotName& b) {
    return a.zxid != b.zxid ? a.zxid > b.zxid : a.compression < b.compression;
  });
  return snapshots;
}

std::vector<std::string> look_alikes_of(std::span<const DirectoryEntry> entries) {
  std::vector<std::string> names;
  for (const DirectoryEntry& entry : entries) {
    const bool begins = entry.name.starts_with(kLogPrefix) || entry.name.starts_with(kSnapshotPrefix);
    const bool ours = entry.plain_file && (parse_log_name(entry.name) || parse_snapshot_name(entry.name));
    if (begins && !ours) names.push_back(entry.name);
  }
  return names;
}

std::string join(std::string_view directory, std::string_view name) {
  return fmt::format("{}/{}", directory, name);
}

}  // namespace wk::storage
