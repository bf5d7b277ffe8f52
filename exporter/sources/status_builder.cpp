#include "exporter/sources/status_builder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "exporter/sources/text.h"
#include "exporter/sources/version.h"

namespace wk::exporter {
namespace {

// Beyond this a double cannot be followed to a row anyway: the longest set key, a prefix and the longest
// metric name.
constexpr std::size_t kSpellingLimit = StatusBuilder::kKeyLimit + 128;

// Only the few sets are searched by suffix; longest name first, so that the longest wins.
const std::vector<const ZkMetric*>& set_metrics() {
  static const std::vector<const ZkMetric*> rows = [] {
    std::vector<const ZkMetric*> found;
    for (const ZkMetric& metric : zk_metrics())
      if (is_set(metric.kind)) found.push_back(&metric);
    std::ranges::stable_sort(found, std::ranges::greater{},
                             [](const ZkMetric* metric) { return metric->name.size(); });
    return found;
  }();
  return rows;
}

// "p50" → 0.5, "p999" → 0.999.
std::optional<double> rank_of(std::string_view part) {
  if (part.size() < 2 || part.size() > 5 || part[0] != 'p') return std::nullopt;
  const auto digits = parse_integer<unsigned>(part.substr(1));
  if (!digits || *digits == 0) return std::nullopt;
  double scale = 1;
  for (std::size_t i = 1; i < part.size(); ++i) scale *= 10;
  return *digits / scale;
}

bool is_part(std::string_view part) {
  constexpr auto kParts = std::to_array<std::string_view>({"avg", "min", "max", "cnt", "sum"});
  return std::ranges::find(kParts, part) != kParts.end() || rank_of(part).has_value();
}

bool is_server_id(std::string_view key) { return parse_integer<std::int64_t>(key).has_value(); }

bool key_fits(const ZkMetric& metric, std::string_view key) {
  if (!is_set(metric.kind)) return key.empty();
  return !key.empty() && (metric.key != ZkKey::kServerId || is_server_id(key));
}

// Names that may be printed again without quoting.
bool is_plain_name(std::string_view name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  constexpr std::string_view kAll = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  return !name.empty() && kLetters.find(name[0]) != std::string_view::npos &&
         name.find_first_not_of(kAll) == std::string_view::npos;
}

// Java's and the process's own families carry labels that no dictionary row has; they tell nothing about
// ZooKeeper.
bool is_runtime_family(std::string_view name) {
  return name.starts_with("jvm_") || name.starts_with("process_") || name == "target_info";
}

// RaftKeeper counts snapshots it took under a name by which ZooKeeper counts learners synchronised by a
// snapshot.
bool means_something_else(Implementation implementation, std::string_view name) {
  return implementation == Implementation::kRaftKeeper && name == "snap_count";
}

}  // namespace

void StatusBuilder::set_role(std::string_view server_state) {
  struct Word {
    std::string_view text;
    Role role;
  };
  constexpr auto kWords = std::to_array<Word>({{"leader", Role::kLeader},
                                               {"follower", Role::kFollower},
                                               {"observer", Role::kObserver},
                                               {"standalone", Role::kStandalone},
                                               {"read-only", Role::kReadOnly}});
  const auto word = std::ranges::find(kWords, trimmed(server_state), &Word::text);
  if (word != kWords.end()) answer_.role = word->role;
}

void StatusBuilder::set_phase(std::string_view peer_state) {
  struct Word {
    std::string_view text;
    ZabPhase phase;
  };
  constexpr auto kWords = std::to_array<Word>({{"looking", ZabPhase::kElection},
                                               {"election", ZabPhase::kElection},
                                               {"discovery", ZabPhase::kDiscovery},
                                               {"synchronization", ZabPhase::kSynchronization},
                                               {"broadcast", ZabPhase::kBroadcast}});
  while (!peer_state.empty()) {
    const auto separator = peer_state.find(" - ");
    const auto word = std::ranges::find(kWords, trimmed(peer_state.substr(0, separator)), &Word::text);
    if (word != kWords.end()) answer_.phase = word->phase;
    peer_state.remove_prefix(separator == std::string_view::npos ? peer_state.size() : separator + 3);
  }
}

void StatusBuilder::set_version(std::string_view version_text) {
  if (answer_.implementation == Implementation::kUnknown)
    answer_.implementation = implementation_of(version_text);
  answer_.version = short_version(version_text);
}

void StatusBuilder::add_plain(std::string_view metric_name, std::string_view text) {
  const auto value = parse_number(text);
  if (!value) return drop();
  add_plain(metric_name, *value);
}

void StatusBuilder::add_plain(std::string_view metric_name, double value) {
  const ZkMetric* metric = find_zk_metric(metric_name);
  if (metric == nullptr || is_summary(metric->kind) || is_set(metric->kind)) return drop();
  set_plain(*metric, {}, value);
}

void StatusBuilder::add_mntr(std::string_view key, std::string_view text) {
  if (text == "null") return;
  const auto value = parse_number(text);
  if (!value) return drop();
  add_mntr(key, *value);
}

void StatusBuilder::add_mntr(std::string_view key, double value) {
  if (std::isnan(value)) return;
  if (std::isinf(value) || key.size() > kSpellingLimit) return drop();
  if (means_something_else(answer_.implementation, key)) return add_other(key, value);
  if (key.ends_with('}')) return add_unescaped_labels(key, value);
  if (add_default_spelling(key, value) || add_suffixed(key, {}, value)) return;
  add_other(key, value);
}

void StatusBuilder::add_sample(std::string_view name, const std::optional<std::string>& key,
                               std::optional<double> quantile, bool other_labels, double value) {
  if (std::isnan(value)) return;
  if (std::isinf(value) || name.size() > kSpellingLimit) return drop();
  if (other_labels) {
    if (!is_runtime_family(name)) drop();
    return;
  }
  const std::string_view set_key = key ? std::string_view(*key) : std::string_view();
  if (quantile) {
    const ZkMetric* metric = find_zk_metric(name);
    if (metric == nullptr || !is_summary(metric->kind) || !key_fits(*metric, set_key)) return drop();
    return set_quantile(*metric, set_key, *quantile, value);
  }
  if (const ZkMetric* metric = find_zk_metric(name); metric != nullptr && !is_summary(metric->kind)) {
    if (!key_fits(*metric, set_key)) return drop();
    return set_plain(*metric, set_key, value);
  }
  if (add_suffixed(name, set_key, value)) return;
  if (key) return drop();
  add_other(name, value);
}

bool StatusBuilder::has_partial_summary() const {
  return std::ranges::any_of(values_, [](const auto& entry) {
    const auto* summary = std::get_if<SummaryValue>(&entry.second);
    return summary != nullptr && (!summary->count || !summary->sum);
  });
}

StatusAnswer StatusBuilder::finish() {
  answer_.measurements.reserve(values_.size());
  for (auto& [slot, held] : values_)
    std::visit(
        [this, &slot = slot](auto& value) {
          answer_.measurements.emplace_back(slot.first, slot.second, std::move(value));
        },
        held);
  values_.clear();
  answer_.others.assign(others_.begin(), others_.end());
  others_.clear();
  return std::move(answer_);
}

std::variant<double, SummaryValue>* StatusBuilder::slot(const ZkMetric& metric, std::string_view key) {
  if (key.size() > kKeyLimit) return nullptr;
  Slot wanted{&metric, clean_text(key, kKeyLimit)};
  if (const auto found = values_.find(wanted); found != values_.end()) return &found->second;
  // Rows without key always find room: a flood of keys must not displace them.
  const std::size_t reserved = is_set(metric.kind) ? zk_metrics().size() : 0;
  if (values_.size() + reserved >= kMeasurementLimit) return nullptr;
  if (metric.key == ZkKey::kNamespace && !namespaces_.contains(wanted.second)) {
    if (namespaces_.size() >= kNamespaceLimit) return nullptr;
    namespaces_.insert(wanted.second);
  }
  std::variant<double, SummaryValue> empty;
  if (is_summary(metric.kind)) empty = SummaryValue{};
  return &values_.emplace(std::move(wanted), std::move(empty)).first->second;
}

void StatusBuilder::set_plain(const ZkMetric& metric, std::string_view key, double value) {
  if (std::isnan(value) || value == -1) return;
  auto* const place = std::isinf(value) || value < 0 ? nullptr : slot(metric, key);
  if (place == nullptr) return drop();
  *place = value;
}

void StatusBuilder::set_part(const ZkMetric& metric, std::string_view key, std::string_view part,
                             double value) {
  if (const auto rank = rank_of(part)) return set_quantile(metric, key, *rank, value);
  auto* const place = slot(metric, key);
  if (place == nullptr) return drop();
  auto& summary = std::get<SummaryValue>(*place);
  if (part == "avg") {
    summary.average = value;
  } else if (part == "min") {
    summary.minimum = value;
  } else if (part == "max") {
    summary.maximum = value;
  } else if (part == "sum") {
    summary.sum = value;
  } else if (value >= 0) {
    summary.count = value;
  } else {
    drop();
  }
}

void StatusBuilder::set_quantile(const ZkMetric& metric, std::string_view key, double rank, double value) {
  auto* const place = rank > 0 && rank < 1 ? slot(metric, key) : nullptr;
  if (place == nullptr) return drop();
  auto& quantiles = std::get<SummaryValue>(*place).quantiles;
  const auto position = std::ranges::lower_bound(quantiles, rank, {}, &Quantile::rank);
  if (position != quantiles.end() && position->rank == rank) {
    position->value = value;
  } else if (quantiles.size() < kQuantileLimit) {
    quantiles.insert(position, {rank, value});
  } else {
    drop();
  }
}

void StatusBuilder::add_other(std::string_view name, double value) {
  if (name.size() > kKeyLimit || !is_plain_name(name)) return drop();
  if (const auto found = others_.find(name); found != others_.end()) {
    found->second = value;
  } else if (others_.size() < kOtherLimit) {
    others_.emplace(name, value);
  } else {
    drop();
  }
}

// A set's key may contain anything, underscores and whole metric names included, hence: exact names first,
// then the longest name of a set that ends the text.
bool StatusBuilder::add_default_spelling(std::string_view key, double value) {
  if (const ZkMetric* metric = find_zk_metric(key);
      metric != nullptr && !is_summary(metric->kind) && !is_set(metric->kind)) {
    set_plain(*metric, {}, value);
    return true;
  }
  const auto underscore = key.find('_');
  if (underscore == std::string_view::npos) return false;
  const bool summary_spelling = is_part(key.substr(0, underscore));
  const std::string_view part = key.substr(0, underscore);
  const std::string_view rest = key.substr(underscore + 1);
  if (summary_spelling) {
    if (const ZkMetric* metric = find_zk_metric(rest);
        metric != nullptr && is_summary(metric->kind) && !is_set(metric->kind)) {
      set_part(*metric, {}, part, value);
      return true;
    }
  }
  for (const ZkMetric* metric : set_metrics()) {
    if (is_summary(metric->kind) && !summary_spelling) continue;
    const std::string_view text = is_summary(metric->kind) ? rest : key;
    if (text.size() < metric->name.size() + 2 || !text.ends_with(metric->name)) continue;
    const std::string_view before = text.substr(0, text.size() - metric->name.size());
    if (!before.ends_with('_')) continue;
    const std::string_view set_key = before.substr(0, before.size() - 1);
    if (!key_fits(*metric, set_key)) continue;
    if (is_summary(metric->kind)) {
      set_part(*metric, set_key, part, value);
    } else {
      set_plain(*metric, set_key, value);
    }
    return true;
  }
  return false;
}

// "…_count", "…_sum", "…_avg" of the Prometheus provider, and "…_total" of 3.10's counters. False when the
// name is none.
bool StatusBuilder::add_suffixed(std::string_view name, std::string_view key, double value) {
  const auto underscore = name.rfind('_');
  if (underscore == std::string_view::npos) return false;
  const std::string_view suffix = name.substr(underscore + 1);
  const ZkMetric* metric = find_zk_metric(name.substr(0, underscore));
  if (metric == nullptr || !key_fits(*metric, key)) return false;
  if (suffix == "created") return true;  // OpenMetrics' time of birth: true of the process, not of the metric
  if (!is_summary(metric->kind)) {
    if (suffix != "total") return false;
    set_plain(*metric, key, value);
    return true;
  }
  if (suffix != "count" && suffix != "sum" && suffix != "avg" && suffix != "min" && suffix != "max")
    return false;
  set_part(*metric, key, suffix == "count" ? "cnt" : suffix, value);
  return true;
}

// Inside mntr nothing is escaped, so quotes, commas and braces in a key are only told from syntax by
// position: `key` comes first, `quantile` last.
void StatusBuilder::add_unescaped_labels(std::string_view text, double value) {
  const auto brace = text.find('{');
  if (brace == std::string_view::npos) return drop();
  const std::string_view name = text.substr(0, brace);
  std::string_view labels = text.substr(brace + 1, text.size() - brace - 2);
  if (labels.ends_with(',')) labels.remove_suffix(1);
  std::optional<double> quantile;
  constexpr std::string_view kQuantile = "quantile=\"";
  if (const auto at = labels.rfind(kQuantile);
      at != std::string_view::npos && labels.ends_with('"') && (at == 0 || labels[at - 1] == ',')) {
    const auto start = at + kQuantile.size();
    if (start < labels.size()) quantile = parse_number(labels.substr(start, labels.size() - 1 - start));
    if (quantile) labels = labels.substr(0, at == 0 ? 0 : at - 1);
  }
  std::optional<std::string> key;
  constexpr std::string_view kKey = "key=\"";
  if (labels.starts_with(kKey) && labels.size() > kKey.size() && labels.ends_with('"')) {
    key = std::string(labels.substr(kKey.size(), labels.size() - kKey.size() - 1));
    labels = {};
  }
  add_sample(name, key, quantile, !labels.empty(), value);
}

}  // namespace wk::exporter
