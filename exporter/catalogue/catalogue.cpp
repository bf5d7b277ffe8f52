// The walk over the tables.
#include "exporter/catalogue/catalogue.h"

#include <algorithm>
#include <set>
#include <type_traits>

#include "exporter/catalogue/dictionary_rows.h"
#include "exporter/catalogue/member_context.h"
#include "exporter/catalogue/sample_writer.h"

namespace wk::exporter {

const char* name(Family family) {
  switch (family) {
    case Family::kNative:
      return "native";
    case Family::kZk:
      return "zk";
    case Family::kZookeeper39:
      return "zookeeper39";
    case Family::kExporter:
      return "exporter";
  }
  return "unknown";
}

std::string_view scraped_help(const CatalogueRow& row) {
  return row.family == Family::kNative || row.family == Family::kExporter ? std::string_view(row.help)
                                                                          : std::string_view();
}

const char* name(Group group) {
  switch (group) {
    case Group::kEnsemble:
      return "Ensemble";
    case Group::kMember:
      return "Members";
    case Group::kSources:
      return "Members: how the exporter sees them";
    case Group::kInside:
      return "A Watchkeeper server, from inside";
    case Group::kZooKeeper:
      return "Members: what ZooKeeper counts";
    case Group::kCanary:
      return "Canary";
    case Group::kExporter:
      return "Exporter";
    case Group::kProcess:
      return "Process of the exporter";
    case Group::kCompatibility:
      return "Compatibility";
  }
  return "unknown";
}

const char* name(Presence presence) {
  switch (presence) {
    case Presence::kAlways:
      return "always";
    case Presence::kWhenKnown:
      return "when known";
    case Presence::kWhileTold:
      return "while the member serves and tells it";
    case Presence::kFromInside:
      return "in a server's own /metrics";
    case Presence::kWithCanary:
      return "while the canary is on";
    case Presence::kWithWritingCanary:
      return "while the canary writes";
  }
  return "unknown";
}

// ---------------------------------------------------------------------------------------------------------------
// One member

MemberContext::MemberContext(const EnsembleView& in, const MemberView& of, std::size_t number,
                             const FamilySelection& selection, Moment at, SampleSink& sink)
    : ensemble(in), member(of), index(number), now(at) {
  labels[static_cast<std::size_t>(Family::kNative)] =
      sink.add_common({{"ensemble", in.name}, {"member", of.name}});
  labels[static_cast<std::size_t>(Family::kZk)] =
      sink.add_common({{"zk_host", of.name}, {"ensemble", in.name}});
  if (selection.zookeeper39_instance)
    labels[static_cast<std::size_t>(Family::kZookeeper39)] = sink.add_common({{"instance", of.name}});

  const auto& told = of.facts->status;
  if (!told.value || at - told.at > selection.fresh_for) return;
  if (of.state != ServingState::kServing && of.state != ServingState::kReadOnly) return;
  status = &*told.value;

  const auto rows = zk_metrics();
  first_.assign(rows.size(), kNone);
  for (std::size_t i = status->measurements.size(); i-- > 0;) {
    const auto row = static_cast<std::size_t>(status->measurements[i].metric - rows.data());
    first_[row] = static_cast<std::uint32_t>(i);
  }
}

std::span<const Measurement> MemberContext::measurements(const ZkMetric& metric) const {
  if (!status) return {};
  const auto first = first_[static_cast<std::size_t>(&metric - zk_metrics().data())];
  if (first == kNone) return {};
  const std::span<const Measurement> rest = std::span(status->measurements).subspan(first);
  const auto end =
      std::ranges::find_if(rest, [&metric](const Measurement& m) { return m.metric != &metric; });
  return rest.first(static_cast<std::size_t>(end - rest.begin()));
}

// ---------------------------------------------------------------------------------------------------------------
// The walk

namespace {

using EnsembleLabels = std::vector<SampleSink::CommonLabels>;

template <typename Value, typename View>
constexpr bool kGivesNumber = std::is_same_v<Value, std::optional<double> (*)(const View&)>;
template <typename Value, typename View>
constexpr bool kWritesSamples = std::is_same_v<Value, void (*)(const View&, SampleWriter&)>;

void walk(std::span<const CatalogueRow> rows, const Snapshot& snapshot, const EnsembleLabels& ensemble_labels,
          std::span<const MemberContext> members, SampleSink& sink) {
  for (const auto& row : rows) {
    if (const auto* value = std::get_if<DictionaryValue>(&row.accessor)) {
      write_dictionary_row(row, *value, members, sink);
      continue;
    }
    SampleWriter writer(sink, row.name, scraped_help(row), row.type);
    std::visit(
        [&](const auto& take) {
          using Take = std::decay_t<decltype(take)>;
          if constexpr (kGivesNumber<Take, EnsembleView> || kWritesSamples<Take, EnsembleView>) {
            for (std::size_t i = 0; i < snapshot.ensembles.size(); ++i) {
              writer.set_common(ensemble_labels[i]);
              if constexpr (kWritesSamples<Take, EnsembleView>)
                take(snapshot.ensembles[i], writer);
              else if (const auto number = take(snapshot.ensembles[i]))
                writer.value(*number);
            }
          } else if constexpr (kGivesNumber<Take, MemberContext> || kWritesSamples<Take, MemberContext>) {
            for (const auto& member : members) {
              writer.set_common(member.labels[static_cast<std::size_t>(row.family)]);
              if constexpr (kWritesSamples<Take, MemberContext>)
                take(member, writer);
              else if (const auto number = take(member))
                writer.value(*number);
            }
          }
        },
        row.accessor);
  }
}

/// The members that zookeeper39 can show: its only label, if any, is the instance, so names must differ.
std::vector<MemberContext> distinct_instances(std::vector<MemberContext> members,
                                              const FamilySelection& selection) {
  std::set<std::string_view> seen;
  std::vector<MemberContext> distinct;
  for (auto& member : members) {
    if (!seen.insert(member.member.name).second) continue;
    distinct.push_back(std::move(member));
    if (!selection.zookeeper39_instance) break;
  }
  return distinct;
}

}  // namespace

void collect(const Snapshot& snapshot, const FamilySelection& selection, Moment now, SampleSink& sink) {
  EnsembleLabels ensemble_labels;
  std::vector<MemberContext> members;
  for (const auto& ensemble : snapshot.ensembles) {
    ensemble_labels.push_back(sink.add_common({{"ensemble", ensemble.name}}));
    for (std::size_t i = 0; i < ensemble.members.size(); ++i)
      members.emplace_back(ensemble, ensemble.members[i], i, selection, now, sink);
  }
  if (selection.native) walk(native_catalogue(), snapshot, ensemble_labels, members, sink);
  if (selection.zk) walk(zk_catalogue(), snapshot, ensemble_labels, members, sink);
  if (selection.zookeeper39)
    walk(zookeeper39_catalogue(), snapshot, ensemble_labels,
         distinct_instances(std::move(members), selection), sink);
}

void collect_exporter(const ExporterInputs& inputs, Moment now, SampleSink& sink) {
  for (const auto& row : exporter_catalogue()) {
    SampleWriter writer(sink, row.name, scraped_help(row), row.type);
    if (const auto* take =
            std::get_if<std::optional<double> (*)(const ExporterInputs&, Moment)>(&row.accessor)) {
      if (const auto number = (*take)(inputs, now)) writer.value(*number);
    } else if (const auto* write =
                   std::get_if<void (*)(const ExporterInputs&, SampleWriter&)>(&row.accessor)) {
      (*write)(inputs, writer);
    }
  }
}

}  // namespace wk::exporter
