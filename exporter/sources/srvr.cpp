#include "exporter/sources/srvr.h"

#include <array>
#include <optional>
#include <utility>

#include "exporter/sources/four_letter.h"
#include "exporter/sources/status_builder.h"

namespace wk::exporter {
namespace {

constexpr std::string_view kVersionKey = " version";

// "0/0.4645/3" under three metric names, in the order printed.
void add_triple(StatusBuilder& builder, std::string_view text, const std::array<std::string_view, 3>& names) {
  for (const std::string_view name : names) {
    const auto slash = text.find('/');
    builder.add_plain(name, text.substr(0, slash));
    text.remove_prefix(slash == std::string_view::npos ? text.size() : slash + 1);
  }
}

// "Zookeeper version", "ClickHouse Keeper version", "RaftKeeper version".
std::optional<Implementation> implementation_of_key(std::string_view key) {
  if (!key.ends_with(kVersionKey)) return std::nullopt;
  if (key.starts_with("ClickHouse")) return Implementation::kClickHouseKeeper;
  if (key.starts_with("RaftKeeper")) return Implementation::kRaftKeeper;
  if (key.starts_with("Watchkeeper")) return Implementation::kWatchkeeper;
  if (key.starts_with("Zookeeper") || key.starts_with("ZooKeeper")) return Implementation::kUnknown;
  return std::nullopt;
}

// True from 3.6 on, where a leader always prints its proposal sizes.
bool prints_proposals(const StatusAnswer& answer) {
  if (answer.implementation != Implementation::kApache || answer.role != Role::kLeader) return false;
  const std::string_view version = answer.version;
  const auto dot = version.find('.');
  if (dot == std::string_view::npos) return false;
  const auto major = parse_integer<int>(version.substr(0, dot));
  const std::string_view rest = version.substr(dot + 1);
  const auto minor = parse_integer<int>(rest.substr(0, rest.find('.')));
  return major && minor && std::pair(*major, *minor) >= std::pair(3, 6);
}

}  // namespace

Parsed parse_srvr(std::string_view text) {
  if (auto general = classify(text)) return *std::move(general);
  StatusBuilder builder;
  bool version_seen = false;
  bool mode_seen = false;
  bool node_count_seen = false;
  bool proposals_seen = false;
  bool read_only = false;
  bool first = true;
  Lines lines(text);
  while (const auto line = lines.next()) {
    const auto colon = line->find(':');
    const std::string_view key = trimmed(line->substr(0, colon));
    const std::string_view value =
        colon == std::string_view::npos ? std::string_view() : trimmed(line->substr(colon + 1));
    if (std::exchange(first, false)) {
      const auto implementation = implementation_of_key(key);
      if (colon == std::string_view::npos || !implementation) {
        const bool cut = colon == std::string_view::npos && !text.ends_with('\n') &&
                         (std::string_view("Zookeeper version").starts_with(key) ||
                          std::string_view("ClickHouse Keeper version").starts_with(key) ||
                          std::string_view("RaftKeeper version").starts_with(key));
        return parsed_failure(
            cut ? SourceState::kTruncated : SourceState::kMalformed,
            "the answer does not begin with a version: " + std::string(line->substr(0, kDetailLimit)));
      }
      builder.answer().implementation = *implementation;
      builder.set_version(value);
      version_seen = true;
    } else if (line->starts_with(' ')) {
      continue;  // a client of stat, whose address may hold colons
    } else if (line->starts_with("READ-ONLY mode")) {
      read_only = true;
    } else if (key == "Latency min/avg/max") {
      add_triple(builder, value, {"min_latency", "avg_latency", "max_latency"});
    } else if (key == "Received") {
      builder.add_plain("packets_received", value);
    } else if (key == "Sent") {
      builder.add_plain("packets_sent", value);
    } else if (key == "Connections") {
      builder.add_plain("num_alive_connections", value);
    } else if (key == "Outstanding") {
      builder.add_plain("outstanding_requests", value);
    } else if (key == "Zxid") {
      builder.answer().zxid = parse_zxid(value);
    } else if (key == "Mode") {
      builder.set_role(value);
      mode_seen = true;
    } else if (key == "Node count") {
      builder.add_plain("znode_count", value);
      node_count_seen = true;
    } else if (key == "Proposal sizes last/min/max") {
      add_triple(builder, value, {"last_proposal_size", "min_proposal_size", "max_proposal_size"});
      proposals_seen = true;
    }
  }
  if (read_only) builder.answer().role = Role::kReadOnly;
  StatusAnswer answer = builder.finish();
  const bool whole = version_seen && mode_seen && node_count_seen && answer.zxid && text.ends_with('\n') &&
                     (proposals_seen || !prints_proposals(answer));
  if (!whole)
    return parsed_failure(SourceState::kTruncated,
                          "the answer lacks zxid, mode, node count or its last line");
  return parsed_ok(std::move(answer));
}

}  // namespace wk::exporter
