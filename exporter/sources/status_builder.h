// Collects the numbers of one status answer under the dictionary's names, whatever spelling the surface uses.
//
// Invariants: at most kMeasurementLimit measurements, kOtherLimit other numbers and kNamespaceLimit
// namespaces; each value beyond a limit, and each text that is no number, adds one to StatusAnswer::dropped.
// NaN and null mean "no sample" in ZooKeeper; they leave the value absent and are not counted as dropped. −1
// stands for "unknown" in every plain value and is left absent; other negative plain values are dropped.
// Thread: owned by one parser call. Source: reference "metrics", sections 2.3, 2.5, 3.2, 10 and 12.2.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "exporter/model/facts.h"

namespace wk::exporter {

class StatusBuilder {
 public:
  static constexpr std::size_t kMeasurementLimit = 4096;
  static constexpr std::size_t kOtherLimit = 256;
  static constexpr std::size_t kNamespaceLimit = 64;
  static constexpr std::size_t kKeyLimit = 256;      ///< bytes of a set's key, and of another number's name
  static constexpr std::size_t kQuantileLimit = 16;  ///< quantiles of one summary

  /// Texts (version, implementation, role, phase, zxid) are set here directly; numbers only through the calls
  /// below.
  StatusAnswer& answer() { return answer_; }

  /// The words that ZooKeeper prints: "leader", "follower", "observer", "standalone", "read-only"; others are
  /// ignored.
  void set_role(std::string_view server_state);
  /// "following - broadcast", "looking - election", "leading - synchronization - diff", …
  void set_phase(std::string_view peer_state);
  /// Implementation and short version.
  void set_version(std::string_view version_text);

  /// A plain metric under its dictionary name; the text is a number as in parse_number().
  void add_plain(std::string_view metric_name, std::string_view text);
  void add_plain(std::string_view metric_name, double value);

  /// One line of mntr or member of AdminServer's monitor, without "zk_": the default provider's spelling, or
  /// that of the Prometheus provider, whose label values are not escaped there.
  void add_mntr(std::string_view key, std::string_view text);
  void add_mntr(std::string_view key, double value);

  /// One sample of a Prometheus exposition. `key` and `quantile` are the labels of these names, when present;
  /// `other_labels` tells that there are more.
  void add_sample(std::string_view name, const std::optional<std::string>& key,
                  std::optional<double> quantile, bool other_labels, double value);

  /// Counts a line that is not of the surface's form.
  void drop() { ++answer_.dropped; }

  /// True when a summary lacks its count or sum although another part of it is there: the answer was cut
  /// between lines.
  [[nodiscard]] bool has_partial_summary() const;

  /// The answer with all numbers sorted; the builder is empty afterwards.
  StatusAnswer finish();

 private:
  using Slot =
      std::pair<const ZkMetric*, std::string>;  // rows stand in one array, so pointers sort as names do

  std::variant<double, SummaryValue>* slot(const ZkMetric& metric, std::string_view key);
  void set_plain(const ZkMetric& metric, std::string_view key, double value);
  void set_part(const ZkMetric& metric, std::string_view key, std::string_view part, double value);
  void set_quantile(const ZkMetric& metric, std::string_view key, double rank, double value);
  void add_other(std::string_view name, double value);
  bool add_default_spelling(std::string_view key, double value);
  bool add_suffixed(std::string_view name, std::string_view key, double value);
  void add_unescaped_labels(std::string_view text, double value);

  StatusAnswer answer_;
  std::map<Slot, std::variant<double, SummaryValue>> values_;
  std::set<std::string, std::less<>> namespaces_;
  std::map<std::string, double, std::less<>> others_;
};

}  // namespace wk::exporter
