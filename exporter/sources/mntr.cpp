#include "exporter/sources/mntr.h"

#include <algorithm>
#include <array>
#include <vector>

#include "exporter/sources/four_letter.h"
#include "exporter/sources/status_builder.h"

namespace wk::exporter {
namespace {

constexpr std::string_view kPrefix = "zk_";

Parsed truncated(std::string_view what) { return parsed_failure(SourceState::kTruncated, what); }

constexpr auto kCore = std::to_array<std::string_view>(
    {"approximate_data_size", "avg_latency", "ephemerals_count", "max_latency", "min_latency",
     "num_alive_connections", "outstanding_requests", "packets_received", "packets_sent", "watch_count",
     "znode_count"});

}  // namespace

bool is_namespace_line(std::string_view line) {
  return line.find("_per_namespace") != std::string_view::npos;
}

bool is_core_gauge(std::string_view name) { return std::ranges::find(kCore, name) != kCore.end(); }

bool has_core_gauges(const StatusAnswer& status, std::span<const std::string_view> named) {
  return std::ranges::all_of(kCore, [&](std::string_view name) {
    return std::ranges::any_of(status.measurements,
                               [&](const Measurement& one) { return one.metric->name == name; }) ||
           std::ranges::find(named, name) != named.end();
  });
}

Parsed parse_mntr(std::string_view text) {
  if (auto general = classify(text)) return *std::move(general);
  if (!text.starts_with(kPrefix)) {
    if (kPrefix.starts_with(text)) return truncated("the answer ends within its first key");
    return parsed_failure(SourceState::kMalformed,
                          "the answer does not begin with a zk_ key: " +
                              std::string(text.substr(0, text.find('\n')).substr(0, kDetailLimit)));
  }
  if (!text.ends_with('\n')) return truncated("the answer ends within a line");

  StatusBuilder builder;
  bool version_seen = false;
  bool role_seen = false;
  std::vector<std::string_view> named;  // core gauges
  Lines lines(text);
  while (const auto line = lines.next()) {
    const auto tab = line->rfind('\t');
    if (tab == std::string_view::npos || !line->starts_with(kPrefix)) {
      builder.drop();
      continue;
    }
    const std::string_view key = line->substr(kPrefix.size(), tab - kPrefix.size());
    const std::string_view value = line->substr(tab + 1);
    if (key == "version") {
      builder.set_version(value);
      version_seen = true;
    } else if (key == "server_state") {
      builder.set_role(value);
      role_seen = true;
    } else if (key == "peer_state") {
      builder.set_phase(value);
    } else if (key == "compatible_mode") {
      builder.answer().implementation = Implementation::kRaftKeeper;
    } else {
      if (is_core_gauge(key)) named.push_back(key);
      builder.add_mntr(key, value);
    }
  }
  if (!version_seen || !role_seen) return truncated("the answer lacks zk_version or zk_server_state");

  const bool half_a_summary = builder.has_partial_summary();
  StatusAnswer answer = builder.finish();
  // A value that was no number may itself be the missing half.
  if (answer.dropped == 0 && half_a_summary) return truncated("the answer ends within a summary");
  const bool texts_only = answer.measurements.empty() && answer.others.empty() && answer.dropped == 0;
  // Servers of 3.4 print negative latencies after a step of the clock: the gauge is there, and not known.
  if (!texts_only && !has_core_gauges(answer, named))
    return truncated("the answer lacks gauges that every server prints");
  return parsed_ok(std::move(answer));
}

}  // namespace wk::exporter
