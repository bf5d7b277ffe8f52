// The metric catalogue: every name that the exporter can expose, and how each is taken from a Snapshot.
//
// One table a family, one row a metric family of Prometheus; collect() walks the tables once. A metric is
// added by adding a row (native_rows.cpp), or a row to the dictionary of ZooKeeper's own metrics
// (exporter/model/zk_metric.cpp) from which rows of all three families are derived (dictionary_rows.cpp).
//
// Invariants: all samples of a family stand together, families in the order of the tables. No sample is NaN
// or infinite, but for quantiles of nothing in zookeeper39 without its label, which Apache shows so. What is
// not known is absent, never zero. Rows with Presence::kAlways have a sample for every
// ensemble or member in every state, outages and the time before the first poll included. Label values pass
// through as they are: escaping is the business of the exposition (exporter/web). Thread: any; pure. Formats:
// docs/METRICS.md (generated from these tables).
#pragma once

#include <prometheus/metric_type.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/build_info.h"
#include "base/time.h"
#include "exporter/catalogue/process_stats.h"
#include "exporter/catalogue/sample_sink.h"
#include "exporter/model/view.h"
#include "exporter/model/zk_metric.h"

namespace wk::exporter {

// ---------------------------------------------------------------------------------------------------------------
// What to render

/// How long the newest status of a member counts as fresh, given the time between two visits.
constexpr std::chrono::nanoseconds status_lifetime(std::chrono::nanoseconds poll_interval) {
  constexpr std::chrono::nanoseconds kLeast = std::chrono::seconds{10};
  return 3 * poll_interval > kLeast ? 3 * poll_interval : kLeast;
}

struct FamilySelection {
  bool native = true;        ///< watchkeeper_…
  bool zk = true;            ///< zk_…: names, labels and units of the dabealu exporter
  bool zookeeper39 = false;  ///< names of the Prometheus provider of 3.9, without prefix
  /// The label `instance` on zookeeper39. Without it only the first member is rendered there: for a probe of
  /// one target, where Prometheus sets `instance` itself.
  bool zookeeper39_instance = true;
  /// A member's status older than this is not rendered: status_lifetime(poll interval).
  std::chrono::nanoseconds fresh_for = status_lifetime(std::chrono::seconds{1});
};

/// All families of `snapshot` that `selection` names, in the catalogue's order. Ages are computed against
/// `now`.
void collect(const Snapshot& snapshot, const FamilySelection& selection, Moment now, SampleSink& sink);

/// Totals of the HTTP server since it started.
struct HttpCounters {
  std::uint64_t streams = 0;                 ///< server-sent event streams open now
  std::array<std::uint64_t, 4> responses{};  ///< answers with status 2xx, 3xx, 4xx, 5xx
  /// Requests and connections turned away before a handler saw them, by reason (a fixed word each, as
  /// "busy").
  std::vector<std::pair<std::string, std::uint64_t>> rejected;
  std::uint64_t handler_failures = 0;  ///< answers with status 500 because of a fault of the program
  std::uint64_t web_config_reloads_ok = 0;
  std::uint64_t web_config_reloads_failed = 0;
};

/// What collect_exporter() renders; the references must outlive the call only.
struct ExporterInputs {
  const Snapshot& snapshot;
  const BuildInfo& build;
  const ProcessStats& process;
  const HttpCounters& http;
};

/// The exporter's own families: build, snapshot age, limits that were hit, HTTP, process. Not for probes.
void collect_exporter(const ExporterInputs& inputs, Moment now, SampleSink& sink);

// ---------------------------------------------------------------------------------------------------------------
// The tables

class SampleWriter;
struct MemberContext;

/// Which switch renders the row.
enum class Family : std::uint8_t { kNative, kZk, kZookeeper39, kExporter };
inline constexpr std::size_t kFamilyCount = 4;
const char* name(Family family);

/// Heading under which docs/METRICS.md lists the row.
enum class Group : std::uint8_t {
  kEnsemble,
  kMember,
  kSources,
  kInside,     ///< what a Watchkeeper server tells of itself
  kZooKeeper,  ///< derived from the dictionary
  kCanary,
  kExporter,
  kProcess,
  kCompatibility,
};
const char* name(Group group);

/// When the row has samples.
enum class Presence : std::uint8_t {
  kAlways,
  kWhenKnown,
  kWhileTold,          ///< while the member serves and its newest, fresh answer tells the value
  kFromInside,         ///< the same, in the /metrics of the Watchkeeper server itself
  kWithCanary,         ///< while the canary is on
  kWithWritingCanary,  ///< while the canary writes
};
const char* name(Presence presence);

/// Which part of a measurement a dictionary row shows.
enum class Part : std::uint8_t { kNumber, kSummary, kAverage, kMinimum, kMaximum, kCount, kSum, kQuantile };

struct DictionaryValue {
  const ZkMetric* metric;
  Part part = Part::kNumber;
  double rank = 0;  ///< of kQuantile
};

/// How a row takes its samples. Functions returning a number give one sample an ensemble, member or exporter;
/// an empty one gives none.
using Accessor = std::variant<std::optional<double> (*)(const EnsembleView&),                //
                              void (*)(const EnsembleView&, SampleWriter&),                  //
                              std::optional<double> (*)(const MemberContext&),               //
                              void (*)(const MemberContext&, SampleWriter&),                 //
                              std::optional<double> (*)(const ExporterInputs&, Moment now),  //
                              void (*)(const ExporterInputs&, SampleWriter&),                //
                              DictionaryValue>;

struct CatalogueRow {
  Family family = Family::kNative;
  Group group = Group::kEnsemble;
  /// Full name. In the zk family, names of sets hold "<sid>" where each server id is put.
  std::string name;
  prometheus::MetricType type = prometheus::MetricType::Gauge;
  std::string_view unit;  ///< "seconds", "bytes", "ratio", …; empty for plain counts, states and flags
  std::vector<std::string_view> labels;
  Presence presence = Presence::kAlways;
  std::string help;  ///< one or more full sentences
  Accessor accessor;
};

/// The HELP of a scrape. The families of other exporters come without one, as there, and docs/METRICS.md
/// tells each name: it would be a sixth of a scrape.
std::string_view scraped_help(const CatalogueRow& row);

/// The rows of each family, in the order in which they are rendered. Names are unique over all of them.
std::span<const CatalogueRow> native_catalogue();
std::span<const CatalogueRow> zk_catalogue();
std::span<const CatalogueRow> zookeeper39_catalogue();
std::span<const CatalogueRow> exporter_catalogue();

/// Namespaces (top-level znodes, named by clients) that zookeeper39 shows of one metric and member: the first
/// by name. The others of a gauge are added up under kOtherNamespaces.
inline constexpr std::size_t kNamespaceLimit = 16;
inline constexpr std::string_view kOtherNamespaces = "_other";
/// Server ids of one metric that are shown of one member: the first by number. More than any ensemble has.
inline constexpr std::size_t kLearnerLimit = 256;

}  // namespace wk::exporter
