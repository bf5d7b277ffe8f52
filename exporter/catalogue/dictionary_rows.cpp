// One ZooKeeper metric, three dialects: native names and base units; mntr's names; names of the 3.9 provider.
//
// Source: reference "metrics", sections 2.3 (mntr), 3.2 (Prometheus provider), 12.1 (dabealu exporter), 15.
#include "exporter/catalogue/dictionary_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "exporter/catalogue/sample_writer.h"

namespace wk::exporter {
namespace {

using prometheus::MetricType;

constexpr std::string_view kServerIdMark = "<sid>";
constexpr std::array<double, 1> kBasicRanks39{0.5};
constexpr std::array<double, 3> kAdvancedRanks39{0.5, 0.9, 0.99};

/// Percentiles as mntr names them. p90 is RaftKeeper's and what the 3.9 provider tells; ZooKeeper has the
/// others.
struct Percentile {
  std::string_view prefix;
  double rank;
};
constexpr std::array<Percentile, 5> kPercentiles{
    {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}}};

/// Metrics of which native also shows the lifetime mean and maximum, because rules and dashboards lean on
/// them.
bool has_extremes(const ZkMetric& metric) {
  return metric.name == "readlatency" || metric.name == "updatelatency" || metric.name == "fsynctime" ||
         metric.name == "snapshottime";
}

/// True for what a server of release 3.9 has: neither older names nor those of 3.10.
bool in_release_39(const ZkMetric& metric) {
  return metric.name != "followers" && metric.name != "fsync_threshold_exceed_count" &&
         !metric.name.starts_with("op_count_") && !metric.name.starts_with("ttl_node_");
}

/// Values are divided by this to get native base units. A division, because 147 / 1000 is the double nearest
/// to 0.147 and 147 * 0.001 is not.
double divisor(const ZkMetric& metric) { return metric.unit == ZkUnit::kMilliseconds ? 1000 : 1; }

std::string_view base_unit(ZkUnit unit) {
  switch (unit) {
    case ZkUnit::kMilliseconds:
      return "seconds";
    case ZkUnit::kBytes:
      return "bytes";
    case ZkUnit::kNone:
      break;
  }
  return {};
}

std::string_view told_unit(ZkUnit unit) {
  return unit == ZkUnit::kMilliseconds ? "milliseconds" : base_unit(unit);
}

/// Suffixes that promtool and OpenMetrics reserve for parts of typed families. A gauge that bears one is
/// written untyped, which is what the dabealu exporter makes of every family.
bool has_reserved_suffix(std::string_view name) {
  return std::ranges::any_of(
      std::array<std::string_view, 6>{"_count", "_sum", "_bucket", "_total", "_info", "_created"},
      [name](std::string_view suffix) { return name.ends_with(suffix); });
}

/// Type in the zk family. Counters there have no `_total`, which OpenMetrics does not allow, hence untyped.
MetricType zk_type(std::string_view name, bool grows) {
  return grows || has_reserved_suffix(name) ? MetricType::Untyped : MetricType::Gauge;
}

MetricType type39(ZkKind kind) {
  if (is_summary(kind)) return MetricType::Summary;
  return kind == ZkKind::kCounter || kind == ZkKind::kCounterSet ? MetricType::Counter : MetricType::Gauge;
}

CatalogueRow native_row(const ZkMetric& metric, std::string name, MetricType type, std::string help,
                        Part part) {
  CatalogueRow row{Family::kNative,
                   Group::kZooKeeper,
                   "watchkeeper_member_" + std::move(name),
                   type,
                   base_unit(metric.unit),
                   {"ensemble", "member"},
                   Presence::kWhileTold,
                   std::move(help),
                   DictionaryValue{&metric, part}};
  if (metric.key == ZkKey::kServerId) row.labels.push_back("learner");
  return row;
}

void append_zk_row(std::vector<CatalogueRow>& rows, const ZkMetric& metric, std::string_view prefix,
                   bool grows, Part part, double rank = 0) {
  const auto key = is_set(metric.kind) ? fmt::format("{}_", kServerIdMark) : std::string();
  auto full = fmt::format("zk_{}{}{}", prefix, key, metric.name);
  const auto type = zk_type(full, grows);
  rows.push_back({Family::kZk,
                  Group::kCompatibility,
                  std::move(full),
                  type,
                  told_unit(metric.unit),
                  {"zk_host", "ensemble"},
                  Presence::kWhileTold,
                  std::string(metric.help),
                  DictionaryValue{&metric, part, rank}});
}

/// The part of `measurement` that `value` names, in ZooKeeper's unit.
std::optional<double> number_of(const Measurement& measurement, const DictionaryValue& value) {
  if (const double* plain = measurement.number())
    return value.part == Part::kNumber ? std::optional(*plain) : std::nullopt;
  const SummaryValue& summary = *measurement.summary();
  switch (value.part) {
    case Part::kAverage:
      if (summary.average) return summary.average;
      if (summary.count && summary.sum && *summary.count > 0) return *summary.sum / *summary.count;
      return std::nullopt;
    case Part::kMinimum:
      return summary.minimum;
    case Part::kMaximum:
      return summary.maximum;
    case Part::kCount:
      return summary.count;
    case Part::kSum:
      return summary.sum;
    case Part::kQuantile:
      for (const auto& quantile : summary.quantiles)
        if (same_rank(quantile.rank, value.rank)) return quantile.value;
      return std::nullopt;
    case Part::kNumber:
    case Part::kSummary:
      break;
  }
  return std::nullopt;
}

/// The number of `key` when it is a server id as ZooKeeper prints one.
std::optional<std::uint64_t> server_id(std::string_view key) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
  const bool canonical = !key.empty() && (key == "0" || key.front() != '0');
  if (error != std::errc{} || end != key.data() + key.size() || !canonical) return std::nullopt;
  return id;
}

void write_native(const DictionaryValue& value, const MemberContext& member, SampleWriter& writer) {
  const auto write = [&value, &writer](const Measurement& measurement, SampleWriter::Extra extra) {
    const double unit = divisor(*value.metric);
    if (value.part == Part::kSummary) {
      if (const SummaryValue* summary = measurement.summary()) writer.summary(*summary, unit, {}, extra);
      return;
    }
    // Nothing here can be negative: ZooKeeper prints -1 for what it does not know.
    if (const auto number = number_of(measurement, value); number && *number >= 0)
      writer.value(*number / unit, extra);
  };
  const auto told = member.measurements(*value.metric);
  if (value.metric->key == ZkKey::kServerId) {
    for (const auto* measurement : learner_keys(told)) write(*measurement, {{"learner", measurement->key()}});
  } else if (!told.empty() && told.front().key().empty()) {
    write(told.front(), {});
  }
}

/// A summary as the provider itself shows it: a quantile of nothing is NaN there, and not absent.
SummaryValue with_empty_quantiles(SummaryValue summary, std::span<const double> ranks) {
  if (summary.count.value_or(1) != 0) return summary;
  summary.quantiles.clear();
  for (const double rank : ranks)
    summary.quantiles.push_back({rank, std::numeric_limits<double>::quiet_NaN()});
  return summary;
}

void write_zookeeper39(const DictionaryValue& value, const MemberContext& member, SampleWriter& writer) {
  const auto kind = value.metric->kind;
  // Without the label, a member speaks for itself, as Apache's does.
  const bool by_itself =
      member.labels[static_cast<std::size_t>(Family::kZookeeper39)] == SampleSink::kNoCommonLabels;
  const std::span<const double> ranks =
      kind == ZkKind::kAdvancedSummary || kind == ZkKind::kAdvancedSummarySet
          ? std::span<const double>(kAdvancedRanks39)
          : std::span<const double>(kBasicRanks39);
  const auto write = [&writer, ranks, by_itself](const Measurement& measurement, SampleWriter::Extra extra) {
    if (const double* plain = measurement.number())
      writer.value(*plain, extra);
    else if (by_itself)
      writer.summary(with_empty_quantiles(*measurement.summary(), ranks), 1, ranks, extra);
    else
      writer.summary(*measurement.summary(), 1, ranks, extra);
  };
  const auto told = member.measurements(*value.metric);
  switch (value.metric->key) {
    case ZkKey::kNone:
      if (!told.empty()) write(told.front(), {});
      return;
    case ZkKey::kServerId:
      for (const auto* measurement : learner_keys(told)) write(*measurement, {{"key", measurement->key()}});
      return;
    case ZkKey::kNamespace:
      break;
  }
  // A znode that any client makes may move another one out of the first. Its lifetime must not jump into a
  // sum that rate() reads, so only gauges have one.
  const bool gauge = kind == ZkKind::kGaugeSet;
  std::optional<double> others;
  std::size_t shown = 0;
  for (const auto& measurement : told) {
    // A top-level znode of that very name must not be taken for the sum.
    if (shown < kNamespaceLimit && measurement.key() != kOtherNamespaces) {
      write(measurement, {{"key", measurement.key()}});
      ++shown;
    } else if (const double* plain = gauge ? measurement.number() : nullptr) {
      others = others.value_or(0) + *plain;
    }
  }
  if (others) writer.value(*others, {{"key", kOtherNamespaces}});
}

/// A family a server id; the ids of all members, each family with the members in order.
void write_zk_set(const CatalogueRow& row, const DictionaryValue& value,
                  std::span<const MemberContext> members, SampleSink& sink) {
  struct Told {
    std::uint64_t id;
    SampleSink::CommonLabels labels;
    double number;
  };
  std::vector<Told> all;
  for (const auto& member : members)
    for (const auto* measurement : learner_keys(member.measurements(*value.metric)))
      if (const auto number = number_of(*measurement, value))
        all.push_back(
            {*server_id(measurement->key()), member.labels[static_cast<std::size_t>(Family::kZk)], *number});
  std::ranges::stable_sort(all, {}, &Told::id);

  const auto mark = row.name.find(kServerIdMark);
  for (auto told = all.begin(); told != all.end();) {
    const auto id = told->id;
    auto full = row.name;
    full.replace(mark, kServerIdMark.size(), std::to_string(id));
    SampleWriter writer(sink, full, scraped_help(row), row.type);
    for (; told != all.end() && told->id == id; ++told) {
      writer.set_common(told->labels);
      writer.value(told->number);
    }
  }
}

}  // namespace

std::vector<const Measurement*> learner_keys(std::span<const Measurement> told) {
  std::vector<std::pair<std::uint64_t, const Measurement*>> ordered;
  ordered.reserve(told.size());
  for (const auto& measurement : told)
    if (const auto id = server_id(measurement.key())) ordered.emplace_back(*id, &measurement);
  std::ranges::sort(ordered);
  if (ordered.size() > kLearnerLimit) ordered.resize(kLearnerLimit);
  std::vector<const Measurement*> result;
  result.reserve(ordered.size());
  for (const auto& [id, measurement] : ordered) result.push_back(measurement);
  return result;
}

void append_native_rows(std::vector<CatalogueRow>& rows) {
  for (const auto& metric : zk_metrics()) {
    if (metric.key == ZkKey::kNamespace) continue;
    const std::string help(metric.help);
    if (!is_summary(metric.kind)) {
      rows.push_back(native_row(metric, std::string(metric.native) + (metric.monotonic ? "_total" : ""),
                                metric.monotonic ? MetricType::Counter : MetricType::Gauge, help,
                                Part::kNumber));
      continue;
    }
    rows.push_back(native_row(metric, std::string(metric.native), MetricType::Summary, help, Part::kSummary));
    if (!has_extremes(metric)) continue;
    constexpr std::string_view kSeconds = "_seconds";
    const auto stem = metric.native.substr(0, metric.native.size() - kSeconds.size());
    rows.push_back(native_row(
        metric, fmt::format("{}_average_seconds", stem), MetricType::Gauge,
        "Mean since the process started or statistics were reset: an incident hides in it. " + help,
        Part::kAverage));
    rows.push_back(native_row(metric, fmt::format("{}_maximum_seconds", stem), MetricType::Gauge,
                              "Longest since the process started or statistics were reset. " + help,
                              Part::kMaximum));
  }
}

void write_dictionary_row(const CatalogueRow& row, const DictionaryValue& value,
                          std::span<const MemberContext> members, SampleSink& sink) {
  if (row.family == Family::kZk && is_set(value.metric->kind)) {
    write_zk_set(row, value, members, sink);
    return;
  }
  SampleWriter writer(sink, row.name, scraped_help(row), row.type);
  for (const auto& member : members) {
    writer.set_common(member.labels[static_cast<std::size_t>(row.family)]);
    switch (row.family) {
      case Family::kNative:
        write_native(value, member, writer);
        break;
      case Family::kZookeeper39:
        write_zookeeper39(value, member, writer);
        break;
      case Family::kZk:
        if (const auto told = member.measurements(*value.metric); !told.empty())
          if (const auto number = number_of(told.front(), value)) writer.value(*number);
        break;
      case Family::kExporter:
        break;
    }
  }
}

namespace {

// ----- The zk family's own rows: what the dabealu exporter adds to mntr

bool serves(const MemberView& member) {
  return member.state == ServingState::kServing || member.state == ServingState::kReadOnly;
}

std::optional<double> zk_up(const MemberContext& m) { return serves(m.member) ? 1 : 0; }

std::optional<double> zk_ruok(const MemberContext& m) {
  if (m.member.state == ServingState::kUnreachable) return 0;
  switch (m.member.sources[Probe::kRuok].state) {
    case SourceState::kOk: {
      const auto& answer = m.member.facts->ruok.value;
      return !answer || answer->imok ? 1 : 0;
    }
    case SourceState::kNotTried:
    case SourceState::kNotWhitelisted:
    case SourceState::kNotServing:
      return 1;  // another surface answered, so the process does
    default:
      return 0;
  }
}

std::optional<double> zk_server_leader(const MemberContext& m) {
  if (m.member.state != ServingState::kServing || m.member.role != Role::kLeader) return 0;
  const bool named = m.ensemble.leader == m.index;
  // In a split brain two members lead the same epoch; both must count, so that the sum tells.
  const bool same_epoch = m.ensemble.epoch && m.member.zxid && m.member.zxid->epoch() == *m.ensemble.epoch;
  return named || same_epoch ? 1 : 0;
}

void zk_version(const MemberContext& m, SampleWriter& writer) {
  if (m.status && !m.status->version.empty()) writer.value(1, {{"version", m.status->version}});
}

std::string_view peer_state(const MemberContext& m) {
  switch (m.member.state) {
    case ServingState::kServing:
    case ServingState::kSyncing:
      switch (m.member.role) {
        case Role::kLeader:
          return "leading";
        case Role::kFollower:
          return "following";
        case Role::kObserver:
          return "observing";
        case Role::kUnknown:
        case Role::kStandalone:
        case Role::kReadOnly:
          return {};
      }
      return {};
    case ServingState::kReadOnly:
    case ServingState::kLooking:
    case ServingState::kNotServing:
      return "looking";
    case ServingState::kUnreachable:
      return {};
  }
  return {};
}

void zk_peer_state(const MemberContext& m, SampleWriter& writer) {
  if (const auto state = peer_state(m); !state.empty()) writer.value(1, {{"state", state}});
}

std::optional<double> zk_followers(const MemberContext& m) {
  if (!m.status || m.member.role != Role::kLeader) return std::nullopt;
  const auto learners = m.status->number("learners");
  if (!learners) return m.status->number("followers");
  return std::max(0.0, *learners - m.status->number("synced_observers").value_or(0));
}

std::vector<CatalogueRow> make_zk_rows() {
  const auto row = [](std::string name, std::vector<std::string_view> labels, Presence presence,
                      std::string help, Accessor accessor) {
    labels.insert(labels.begin(), {"zk_host", "ensemble"});
    return CatalogueRow{Family::kZk, Group::kCompatibility, std::move(name), MetricType::Gauge,
                        {},          std::move(labels),     presence,        std::move(help),
                        accessor};
  };
  std::vector<CatalogueRow> rows{
      row("zk_up", {}, Presence::kAlways,
          "1 while the member serves clients, read-only service included; 0 as well while its process "
          "answers without "
          "a quorum.",
          &zk_up),
      row("zk_ruok", {}, Presence::kAlways,
          "1 when the member answered imok, or, where ruok is not in the whitelist, when any of its surfaces "
          "answered; it "
          "says that the process runs, not that it serves.",
          &zk_ruok),
      row("zk_server_leader", {}, Presence::kAlways,
          "1 for a member that serves as leader of the current epoch, else 0; 0 on every member while there "
          "is no quorum, "
          "and on standalone servers.",
          &zk_server_leader),
      row("zk_version", {"version"}, Presence::kWhileTold, "1, with the version that the member tells.",
          &zk_version),
      row("zk_peer_state", {"state"}, Presence::kWhenKnown,
          "1, with leading, following, observing or looking; looking also for a member that answers but has "
          "no quorum; "
          "absent for members that do not answer and for standalone servers.",
          &zk_peer_state),
      row("zk_followers", {}, Presence::kWhileTold,
          "Followers connected to this leader: its learners without synchronised observers, or what servers "
          "before 3.6 "
          "and Keeper dialects tell under this name.",
          &zk_followers),
  };
  for (const auto& metric : zk_metrics()) {
    // A name that a client chose never becomes part of a metric's name; zk_followers stands above.
    if (metric.key == ZkKey::kNamespace || metric.name == "followers") continue;
    if (!is_summary(metric.kind)) {
      append_zk_row(rows, metric, "", metric.monotonic, Part::kNumber);
      continue;
    }
    append_zk_row(rows, metric, "avg_", false, Part::kAverage);
    append_zk_row(rows, metric, "min_", false, Part::kMinimum);
    append_zk_row(rows, metric, "max_", false, Part::kMaximum);
    append_zk_row(rows, metric, "cnt_", true, Part::kCount);
    append_zk_row(rows, metric, "sum_", true, Part::kSum);
    if (metric.kind == ZkKind::kAdvancedSummary || metric.kind == ZkKind::kAdvancedSummarySet)
      for (const auto& [prefix, rank] : kPercentiles)
        append_zk_row(rows, metric, fmt::format("{}_", prefix), false, Part::kQuantile, rank);
  }
  return rows;
}

std::vector<CatalogueRow> make_zookeeper39_rows() {
  std::vector<CatalogueRow> rows;
  for (const auto& metric : zk_metrics()) {
    if (!in_release_39(metric)) continue;
    rows.push_back({Family::kZookeeper39,
                    Group::kCompatibility,
                    std::string(metric.name),
                    type39(metric.kind),
                    told_unit(metric.unit),
                    {"instance"},
                    Presence::kWhileTold,
                    std::string(metric.help),
                    DictionaryValue{&metric, is_summary(metric.kind) ? Part::kSummary : Part::kNumber}});
    if (is_set(metric.kind)) rows.back().labels.push_back("key");
  }
  return rows;
}

}  // namespace

std::span<const CatalogueRow> zk_catalogue() {
  static const std::vector<CatalogueRow> rows = make_zk_rows();
  return rows;
}

std::span<const CatalogueRow> zookeeper39_catalogue() {
  static const std::vector<CatalogueRow> rows = make_zookeeper39_rows();
  return rows;
}

}  // namespace wk::exporter
