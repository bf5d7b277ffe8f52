// The dictionary of what ZooKeeper 3.4 … 3.9 (and Keeper dialects) count: one row a metric, under ZooKeeper's
// own name.
//
// Sources use it to classify what a server printed, whatever surface it came from; the catalogue uses it to
// render the same measurement under mntr's names, under the names of the 3.9 Prometheus provider, and under
// our native names. Thread: any; constant data. Source: ServerMetrics.java and the gauges of ZooKeeperServer,
// QuorumZooKeeperServer, LeaderZooKeeperServer, FollowerZooKeeperServer; reference "metrics", sections 4
// and 5.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace wk::exporter {

/// How ZooKeeper keeps the metric, hence how it prints it.
enum class ZkKind : std::uint8_t {
  kGauge,               ///< G: one number that goes up and down
  kGaugeSet,            ///< GS: one such number a key
  kCounter,             ///< C: one number that only grows (until the process restarts)
  kCounterSet,          ///< CS: one such number a key
  kBasicSummary,        ///< SB: count, sum, min, max, average
  kAdvancedSummary,     ///< SA: the same and percentiles
  kBasicSummarySet,     ///< SSB: a basic summary a key
  kAdvancedSummarySet,  ///< SSA: an advanced summary a key
};

/// Unit in which ZooKeeper prints the value (the sum, for a summary).
enum class ZkUnit : std::uint8_t { kNone, kMilliseconds, kBytes };

/// What the key of a set is; decides whether it may become a label.
enum class ZkKey : std::uint8_t {
  kNone,       ///< not a set
  kServerId,   ///< decimal id of a learner; bounded by the membership
  kNamespace,  ///< first path component; chosen by clients, hence never a label of a native metric
};

struct ZkMetric {
  std::string_view name;  ///< ZooKeeper's name without any prefix, for example "fsynctime"
  ZkKind kind;
  ZkUnit unit;
  ZkKey key;
  bool monotonic;  ///< grows only, although ZooKeeper may type it as gauge (packets_received)
  std::string_view
      native;  ///< native base name without prefix and type suffix, in base units: "fsync_duration_seconds"
  std::string_view help;  ///< one full sentence, with ZooKeeper's semantic traps told
};

/// All rows, sorted by name; names are unique.
std::span<const ZkMetric> zk_metrics();

/// The row with exactly this name, or nullptr.
const ZkMetric* find_zk_metric(std::string_view name);

/// True for the four summary kinds.
constexpr bool is_summary(ZkKind kind) { return kind >= ZkKind::kBasicSummary; }
/// True for the four kinds with one value a key.
constexpr bool is_set(ZkKind kind) {
  return kind == ZkKind::kGaugeSet || kind == ZkKind::kCounterSet || kind == ZkKind::kBasicSummarySet ||
         kind == ZkKind::kAdvancedSummarySet;
}

}  // namespace wk::exporter
