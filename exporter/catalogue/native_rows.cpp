// The native family and the exporter's own: one row a metric. Rows of ZooKeeper's own numbers are appended
// from the dictionary.
//
// Reason for functions without captures: the table is plain data, and a row reads as name, type, unit,
// labels, when, what, and how.
#include <algorithm>
#include <concepts>
#include <set>
#include <type_traits>

#include "exporter/catalogue/catalogue.h"
#include "exporter/catalogue/dictionary_rows.h"
#include "exporter/catalogue/inside_rows.h"
#include "exporter/catalogue/member_context.h"
#include "exporter/catalogue/sample_writer.h"

namespace wk::exporter {
namespace {

constexpr auto kGauge = prometheus::MetricType::Gauge;
constexpr auto kCounter = prometheus::MetricType::Counter;
constexpr auto kHistogram = prometheus::MetricType::Histogram;
constexpr auto kSummary = prometheus::MetricType::Summary;
using enum Presence;
using enum Group;

template <typename T>
std::optional<double> as_number(const std::optional<T>& value) {
  if (!value) return std::nullopt;
  return static_cast<double>(*value);
}
template <typename T>
requires std::is_arithmetic_v<T> std::optional<double> as_number(T value) {
  return static_cast<double>(value);
}
std::optional<double> as_number(std::chrono::nanoseconds value) { return seconds(value); }
std::optional<double> as_number(std::chrono::system_clock::time_point value) {
  return seconds(value.time_since_epoch());
}

/// Time from `then` until `now`; never negative, although a snapshot may be younger than the caller's moment.
std::optional<double> age(const std::optional<Moment>& then, const Moment& now) {
  if (!then) return std::nullopt;
  return std::max(0.0, seconds(now - *then));
}

// The captureless `function` as an accessor. Its signature tells which kind it is.
template <typename Function>
Accessor accessor(Function) {
  if constexpr (std::invocable<Function, const EnsembleView&, SampleWriter&>)
    return static_cast<void (*)(const EnsembleView&, SampleWriter&)>(Function{});
  else if constexpr (std::invocable<Function, const MemberContext&, SampleWriter&>)
    return static_cast<void (*)(const MemberContext&, SampleWriter&)>(Function{});
  else if constexpr (std::invocable<Function, const ExporterInputs&, SampleWriter&>)
    return static_cast<void (*)(const ExporterInputs&, SampleWriter&)>(Function{});
  else if constexpr (std::invocable<Function, const EnsembleView&>)
    return +[](const EnsembleView& ensemble) -> std::optional<double> {
      return as_number(Function{}(ensemble));
    };
  else if constexpr (std::invocable<Function, const MemberContext&>)
    return +[](const MemberContext& member) -> std::optional<double> {
      return as_number(Function{}(member));
    };
  else
    return +[](const ExporterInputs& inputs, Moment now) -> std::optional<double> {
      return as_number(Function{}(inputs, now));
    };
}

using Labels = std::initializer_list<std::string_view>;

template <typename Function>
CatalogueRow row(Group group, std::string name, prometheus::MetricType type, std::string_view unit,
                 Labels extra_labels, Presence presence, std::string help, Function function) {
  CatalogueRow result{Family::kNative, group,           std::move(name),   type, unit, {},
                      presence,        std::move(help), accessor(function)};
  if constexpr (std::invocable<Function, const EnsembleView&, SampleWriter&> ||
                std::invocable<Function, const EnsembleView&>)
    result.labels = {"ensemble"};
  else if constexpr (std::invocable<Function, const MemberContext&, SampleWriter&> ||
                     std::invocable<Function, const MemberContext&>)
    result.labels = {"ensemble", "member"};
  else
    result.family = Family::kExporter;
  result.labels.insert(result.labels.end(), extra_labels);
  return result;
}

using E = EnsembleView;
using M = MemberContext;
using X = ExporterInputs;
using W = SampleWriter;

bool answers(const M& m) { return m.member.state != ServingState::kUnreachable; }
bool canary_on(const E& e) { return e.canary_mode != CanaryMode::kOff; }
/// Whether the canary of `mode` performs `operation`.
bool performs(CanaryMode mode, CanaryOperation operation) {
  return mode == CanaryMode::kWrite || (mode == CanaryMode::kRead && operation <= CanaryOperation::kRead);
}

template <typename Emit>
void for_each_canary_operation(const M& m, Emit emit) {
  for (std::size_t i = 0; i < kCanaryOperationCount; ++i) {
    const auto operation = static_cast<CanaryOperation>(i);
    if (performs(m.ensemble.canary_mode, operation)) emit(i, name(operation));
  }
}

template <typename Emit>
void for_each_tried_source(const M& m, Emit emit) {
  for (const auto& [probe, source] : m.member.sources)
    if (source.last_tried) emit(source, name(probe));
}

std::optional<Zxid> newest_zxid(const E& e) {
  std::optional<Zxid> newest;
  for (const auto& member : e.members)
    if (member.state != ServingState::kUnreachable && member.zxid && (!newest || *newest < *member.zxid))
      newest = member.zxid;
  return newest;
}

/// Values of the status that no family but zookeeper39 can show, because clients choose their names, or
/// because a limit was reached.
std::optional<double> unexported_values(const M& m) {
  if (!m.status) return std::nullopt;
  std::size_t count = m.status->others.size();
  for (const auto& measurement : m.status->measurements)
    count += measurement.metric->key == ZkKey::kNamespace;
  for (const auto& metric : zk_metrics())
    if (metric.key == ZkKey::kServerId) {
      const auto told = m.measurements(metric);
      count += told.size() - learner_keys(told).size();
    }
  return static_cast<double>(count);
}

std::vector<CatalogueRow> make_native_rows() {
  std::vector<CatalogueRow> rows{
      // ----- Ensemble: what no single server can know
      row(kEnsemble, "watchkeeper_ensemble_serving", kGauge, "", {}, kAlways,
          "1 while clients can be served: a quorum is in sync with a leader, or the standalone server serves.",
          [](const E& e) { return e.serving; }),
      row(kEnsemble, "watchkeeper_ensemble_has_leader", kGauge, "", {}, kAlways,
          "1 while a leader of the current epoch is known, or its work is proven through the other members.",
          [](const E& e) { return e.leader.has_value() || e.leader_inferred; }),
      row(kEnsemble, "watchkeeper_ensemble_voters", kGauge, "", {}, kAlways,
          "Voting members, from the membership where it is known, else those configured in the exporter.",
          [](const E& e) { return e.voters; }),
      row(kEnsemble, "watchkeeper_ensemble_majority", kGauge, "", {}, kAlways, "Voters that are needed to serve.",
          [](const E& e) { return e.majority; }),
      row(kEnsemble, "watchkeeper_ensemble_voters_in_sync", kGauge, "", {}, kAlways,
          "Voters that serve under the present leader, itself included, however far behind; of those out of sight, as "
          "many as its own count proves.",
          [](const E& e) { return e.voters_in_sync; }),
      row(kEnsemble, "watchkeeper_ensemble_quorum_margin", kGauge, "", {}, kAlways,
          "Voters in sync minus the majority: the number of further voters that may fail. 0 means that the next "
          "failure stops service, negative that service is down.",
          [](const E& e) { return e.quorum_margin; }),
      row(kEnsemble, "watchkeeper_ensemble_unserved_seconds_total", kCounter, "seconds", {}, kAlways,
          "Time without service since the exporter started; it grows while an outage lasts.",
          [](const E& e) { return e.unserved; }),
      row(kEnsemble, "watchkeeper_ensemble_leader_id", kGauge, "", {}, kWhenKnown, "Server id of the leader.",
          [](const E& e) -> std::optional<std::int64_t> {
            if (!e.leader_id) return std::nullopt;
            return e.leader_id->value;
          }),
      row(kEnsemble, "watchkeeper_ensemble_epoch", kGauge, "", {}, kWhenKnown,
          "Current epoch: the number of the leadership period, the upper half of every zxid.",
          [](const E& e) -> std::optional<std::uint32_t> {
            if (!e.epoch) return std::nullopt;
            return e.epoch->value;
          }),
      row(kEnsemble, "watchkeeper_ensemble_leader_changes_total", kCounter, "", {}, kAlways,
          "Elections since a leader was first known, whoever won; epochs that passed unseen count as one.", [](const E& e) { return e.leader_changes; }),
      row(kEnsemble, "watchkeeper_ensemble_elections_total", kCounter, "", {}, kAlways,
          "Periods without a leader that ended, and epochs that passed unseen between two polls.",
          [](const E& e) { return e.elections; }),
      row(kEnsemble, "watchkeeper_ensemble_election_duration_seconds", kHistogram, "seconds", {}, kAlways,
          "Length of the periods without a leader that ended.", [](const E& e, W& w) { w.histogram(e.election_duration); }),
      row(kEnsemble, "watchkeeper_ensemble_leaders", kGauge, "", {}, kAlways,
          "Members that lead the current epoch; more than one is a split brain.", [](const E& e) { return e.leaders; }),
      row(kEnsemble, "watchkeeper_ensemble_deposed_leaders", kGauge, "", {}, kAlways,
          "Members that answer as leader of an older epoch.", [](const E& e) { return e.deposed_leaders; }),
      row(kEnsemble, "watchkeeper_ensemble_split_brain", kGauge, "", {}, kAlways,
          "1 while two members lead the same epoch, or a deposed leader still answers as leader.",
          [](const E& e) { return e.split_brain; }),
      row(kEnsemble, "watchkeeper_ensemble_digest_mismatches", kGauge, "", {}, kAlways,
          "Members whose data differs from the majority's at the same zxid.",
          [](const E& e) { return e.digest_mismatches; }),
      row(kEnsemble, "watchkeeper_ensemble_configuration_drift", kGauge, "", {"key"}, kWhenKnown,
          "Number of different values that members have for this configuration key; only keys that differ.",
          [](const E& e, W& w) {
            for (const auto& drift : e.drift) {
              std::set<std::string_view> distinct;
              for (const auto& [member, value] : drift.values) distinct.insert(value);
              w.value(static_cast<double>(distinct.size()), {{"key", drift.key}});
            }
          }),
      row(kEnsemble, "watchkeeper_ensemble_configuration_drifting_keys", kGauge, "", {}, kAlways,
          "Configuration keys on which members differ.", [](const E& e) { return e.drift.size(); }),
      row(kEnsemble, "watchkeeper_ensemble_unlisted_members", kGauge, "", {}, kAlways,
          "Servers that the membership names and the exporter was not told of.",
          [](const E& e) { return e.unlisted_members.size(); }),
      row(kEnsemble, "watchkeeper_ensemble_connection_imbalance_ratio", kGauge, "ratio", {}, kWhenKnown,
          "Most connections of one member divided by the mean of all; 1 is even.",
          [](const E& e) { return e.connection_imbalance; }),
      row(kEnsemble, "watchkeeper_ensemble_session_imbalance_ratio", kGauge, "ratio", {}, kWhenKnown,
          "Most connections with a session of one member divided by the mean of all; 1 is even.",
          [](const E& e) { return e.session_imbalance; }),
      row(kEnsemble, "watchkeeper_ensemble_zxid_used_ratio", kGauge, "ratio", {}, kWhenKnown,
          "Used part, 0 to 1, of the transactions that fit into one epoch (2^32); when it is used up, the leader "
          "resigns and an election follows.",
          [](const E& e) -> std::optional<double> {
            const auto zxid = newest_zxid(e);
            if (!zxid) return std::nullopt;
            return static_cast<double>(zxid->counter()) / 4'294'967'296.0;
          }),
      row(kEnsemble, "watchkeeper_ensemble_events_total", kCounter, "", {"type"}, kAlways,
          "Events that the exporter saw, by type; changes between two scrapes are counted too.",
          [](const E& e, W& w) {
            for (std::size_t i = 0; i < kEventTypeCount; ++i)
              w.value(static_cast<double>(e.events[i]), {{"type", name(static_cast<EventType>(i))}});
          }),
      row(kEnsemble, "watchkeeper_ensemble_problems", kGauge, "", {"severity"}, kAlways,
          "Open problems by severity; /api/v1/status names them with cause and remedy.",
          [](const E& e, W& w) {
            for (const auto severity : {Severity::kCritical, Severity::kWarning, Severity::kInfo})
              w.value(static_cast<double>(std::ranges::count(e.problems, severity, &Problem::severity)),
                      {{"severity", name(severity)}});
          }),

      // ----- Members: conclusions
      row(kMember, "watchkeeper_member_serving_state", kGauge, "", {"state"}, kAlways,
          "1 for the state that the member is in, 0 for the others.",
          [](const M& m, W& w) { w.enumeration("state", m.member.state, kServingStateCount); }),
      row(kMember, "watchkeeper_member_role", kGauge, "", {"role"}, kAlways,
          "1 for the role that the member says it has, 0 for the others; unknown while it does not answer.",
          [](const M& m, W& w) {
            w.enumeration("role", answers(m) ? m.member.role : Role::kUnknown, kRoleCount);
          }),
      row(kMember, "watchkeeper_member_info", kGauge, "", {"version", "implementation", "server_id"}, kWhenKnown,
          "1, with what is known of the member; kept through an outage, so that it can be joined.",
          [](const M& m, W& w) {
            const auto& status = m.member.facts->status.value;
            if (!m.member.id && (!status || status->version.empty())) return;
            w.value(1, {{"version", status ? std::string_view(status->version) : std::string_view()},
                        {"implementation", name(status ? status->implementation : Implementation::kUnknown)},
                        {"server_id", m.member.id ? std::to_string(m.member.id->value) : std::string()}});
          }),
      row(kMember, "watchkeeper_member_voter", kGauge, "", {}, kAlways, "1 for voting members, 0 for observers.",
          [](const M& m) { return m.member.voter; }),
      row(kMember, "watchkeeper_member_in_sync", kGauge, "", {}, kAlways,
          "1 while the member serves under the present leader, or leads; how far behind, tells lag_transactions.",
          [](const M& m) { return m.member.in_sync; }),
      row(kMember, "watchkeeper_member_safe_to_stop", kGauge, "", {}, kAlways,
          "1 while the ensemble keeps serving without this member; /api/v1/safe-to-stop gives the reason.",
          [](const M& m) { return m.member.safe_to_stop.safe; }),
      row(kMember, "watchkeeper_member_epoch", kGauge, "", {}, kWhenKnown,
          "Epoch of the last transaction that the member processed.",
          [](const M& m) -> std::optional<std::uint32_t> {
            if (!answers(m) || !m.member.zxid) return std::nullopt;
            return m.member.zxid->epoch().value;
          }),
      row(kMember, "watchkeeper_member_epoch_transactions", kGauge, "", {}, kWhenKnown,
          "Transactions of its epoch up to the last one that the member processed: the counter part of its zxid.",
          [](const M& m) -> std::optional<std::uint32_t> {
            if (!answers(m) || !m.member.zxid) return std::nullopt;
            return m.member.zxid->counter();
          }),
      row(kMember, "watchkeeper_member_lag_transactions", kGauge, "", {}, kWhenKnown,
          "Transactions between the member and the newest zxid that another had shown when it answered.",
          [](const M& m) { return answers(m) ? m.member.lag_transactions : std::nullopt; }),
      row(kMember, "watchkeeper_member_digest_mismatch", kGauge, "", {}, kWhenKnown,
          "1 while the member's data differs from the majority's at the same zxid.",
          [](const M& m) { return m.member.digest_mismatch; }),
      row(kMember, "watchkeeper_member_state_changes_total", kCounter, "", {}, kAlways, "Changes of the serving state.",
          [](const M& m) { return m.member.state_changes; }),
      row(kMember, "watchkeeper_member_restarts_total", kCounter, "", {}, kAlways,
          "Restarts of the member that the exporter saw: its counters began anew, and its uptime where it tells one.",
          [](const M& m) { return m.member.restarts; }),
      row(kMember, "watchkeeper_member_certificate_expiry_timestamp_seconds", kGauge, "seconds", {}, kWhenKnown,
          "When the certificate that the member showed expires, in seconds since 1970; TLS only.",
          [](const M& m) -> std::optional<double> {
            if (!m.member.certificate_not_after) return std::nullopt;
            return as_number(*m.member.certificate_not_after);
          }),
      row(kMember, "watchkeeper_member_max_client_connections", kGauge, "", {}, kWhileTold,
          "Connections that one client address may have (maxClientCnxns); 0 means no limit.",
          [](const M& m) -> std::optional<std::int64_t> {
            const auto* configuration = m.told_by(m.member.facts->configuration, {Probe::kConf, Probe::kAdminConfiguration});
            if (configuration == nullptr) return std::nullopt;
            return configuration->entry_number("maxClientCnxns");
          }),
      row(kMember, "watchkeeper_member_connections_from_busiest_address", kGauge, "", {}, kWhileTold,
          "Connections of the client address that has most of them.",
          [](const M& m) -> std::optional<std::uint64_t> {
            const auto* connections = m.told_by(m.member.facts->connections, {Probe::kCons, Probe::kAdminConnections});
            if (connections == nullptr) return std::nullopt;
            return connections->by_address.empty() ? 0 : connections->by_address.front().second;
          }),
      row(kMember, "watchkeeper_member_sessions", kGauge, "", {}, kWhileTold, "Client connections that have a session.",
          [](const M& m) -> std::optional<std::uint64_t> {
            const auto* connections = m.told_by(m.member.facts->connections, {Probe::kCons, Probe::kAdminConnections});
            if (connections == nullptr) return std::nullopt;
            return connections->with_session;
          }),
      row(kMember, "watchkeeper_member_snapshot_directory_bytes", kGauge, "bytes", {}, kWhileTold,
          "Bytes of the snapshots in the data directory.",
          [](const M& m) -> std::optional<std::uint64_t> {
            const auto* dirs = m.told_by(m.member.facts->dirs, {Probe::kDirs, Probe::kAdminDirs});
            if (dirs == nullptr) return std::nullopt;
            return dirs->snapshot_bytes;
          }),
      row(kMember, "watchkeeper_member_log_directory_bytes", kGauge, "bytes", {}, kWhileTold,
          "Bytes of the transaction logs in the log directory.",
          [](const M& m) -> std::optional<std::uint64_t> {
            const auto* dirs = m.told_by(m.member.facts->dirs, {Probe::kDirs, Probe::kAdminDirs});
            if (dirs == nullptr) return std::nullopt;
            return dirs->log_bytes;
          }),
      row(kMember, "watchkeeper_member_watched_paths", kGauge, "", {}, kWhileTold, "Paths that clients watch here.",
          [](const M& m) -> std::optional<std::uint64_t> {
            const auto* watches = m.told_by(m.member.facts->watches, {Probe::kWchs, Probe::kAdminWatchSummary});
            if (watches == nullptr) return std::nullopt;
            return watches->paths;
          }),
      row(kMember, "watchkeeper_member_watching_connections", kGauge, "", {}, kWhileTold,
          "Client connections that watch something here.",
          [](const M& m) -> std::optional<std::uint64_t> {
            const auto* watches = m.told_by(m.member.facts->watches, {Probe::kWchs, Probe::kAdminWatchSummary});
            if (watches == nullptr) return std::nullopt;
            return watches->connections;
          }),
      row(kMember, "watchkeeper_member_unexported_values", kGauge, "", {}, kWhileTold,
          "Values that the member tells and that neither this family nor zk_… shows: named by clients (namespaces), "
          "unknown to the dictionary, or beyond a limit.",
          [](const M& m) { return unexported_values(m); }),

      // ----- How the exporter sees the member
      row(kSources, "watchkeeper_member_polls_total", kCounter, "", {}, kAlways,
          "Visits to the member that finished, whatever their outcome.", [](const M& m) { return m.member.polls; }),
      row(kSources, "watchkeeper_member_last_poll_age_seconds", kGauge, "seconds", {}, kWhenKnown,
          "Time since the last visit finished; in a server's own metrics, since its core thread last reported.",
          [](const M& m) { return age(m.member.last_poll, m.now); }),
      row(kSources, "watchkeeper_member_source_state", kGauge, "", {"source", "state"}, kWhenKnown,
          "1 for the outcome of the newest question to this source, 0 for the other outcomes that it has had.",
          [](const M& m, W& w) {
            for_each_tried_source(m, [&w](const SourceStatus& source, const char* source_name) {
              for (std::size_t i = 0; i < kSourceStateCount; ++i)
                if (const auto state = static_cast<SourceState>(i); source.results[i] > 0)
                  w.value(state == source.state ? 1 : 0, {{"source", source_name}, {"state", name(state)}});
            });
          }),
      row(kSources, "watchkeeper_member_source_polls_total", kCounter, "", {"source", "result"}, kWhenKnown,
          "Questions to this source by outcome; \"ok\" exists for each source tried, other outcomes once they happened.",
          [](const M& m, W& w) {
            for_each_tried_source(m, [&w](const SourceStatus& source, const char* source_name) {
              for (std::size_t i = 0; i < kSourceStateCount; ++i)
                if (const auto state = static_cast<SourceState>(i); state == SourceState::kOk || source.results[i] > 0)
                  w.value(static_cast<double>(source.results[i]), {{"source", source_name}, {"result", name(state)}});
            });
          }),
      row(kSources, "watchkeeper_member_source_duration_seconds", kSummary, "seconds", {"source"}, kWhenKnown,
          "Time from asking this source to its answer or failure.",
          [](const M& m, W& w) {
            for_each_tried_source(m, [&w](const SourceStatus& source, const char* source_name) {
              w.total(source.duration, source.polls(), {{"source", source_name}});
            });
          }),
      row(kSources, "watchkeeper_member_source_age_seconds", kGauge, "seconds", {"source"}, kWhenKnown,
          "Time since the last good answer of this source.",
          [](const M& m, W& w) {
            for_each_tried_source(m, [&m, &w](const SourceStatus& source, const char* source_name) {
              if (const auto value = age(source.last_ok, m.now)) w.value(*value, {{"source", source_name}});
            });
          }),

      // ----- Canary: what clients feel
      row(kCanary, "watchkeeper_canary_rounds_total", kCounter, "", {"result"}, Presence::kWithCanary,
          "Rounds of the canary, about one a second; ok when at least one member performed all its operations. The "
          "indicator of the availability objective.",
          [](const E& e, W& w) {
            if (!canary_on(e)) return;
            w.value(static_cast<double>(e.canary_rounds_ok), {{"result", "ok"}});
            w.value(static_cast<double>(e.canary_rounds_failed), {{"result", "failed"}});
          }),
      row(kCanary, "watchkeeper_canary_operations_total", kCounter, "", {"operation", "result"}, Presence::kWithCanary,
          "Client operations of the canary through this member, by result; read mode has connect, sync and read.",
          [](const M& m, W& w) {
            for_each_canary_operation(m, [&m, &w](std::size_t operation, const char* operation_name) {
              for (std::size_t i = 0; i < kCanaryResultCount; ++i)
                w.value(static_cast<double>(m.member.canary.operations[operation][i]),
                        {{"operation", operation_name}, {"result", name(static_cast<CanaryResult>(i))}});
            });
          }),
      row(kCanary, "watchkeeper_canary_operation_duration_seconds", kHistogram, "seconds", {"operation"},
          Presence::kWithCanary, "Time of the canary's successful operations through this member.",
          [](const M& m, W& w) {
            for_each_canary_operation(m, [&m, &w](std::size_t operation, const char* operation_name) {
              w.histogram(m.member.canary.latency[operation], {{"operation", operation_name}});
            });
          }),
      row(kCanary, "watchkeeper_canary_watch_delivery_seconds", kHistogram, "seconds", {"from"}, kWithWritingCanary,
          "Time from the acknowledgement of a change made through the member `from` to its watch event at this member.",
          [](const M& m, W& w) {
            if (m.ensemble.canary_mode == CanaryMode::kWrite && !m.member.canary.watch_from.empty())
              w.histogram(m.member.canary.watch_delivery, {{"from", m.member.canary.watch_from}});
          }),
      row(kCanary, "watchkeeper_canary_connected", kGauge, "", {}, Presence::kWithCanary,
          "1 while the canary has a session through this member.",
          [](const M& m) -> std::optional<bool> {
            if (!canary_on(m.ensemble)) return std::nullopt;
            return m.member.canary.connected;
          }),
      row(kCanary, "watchkeeper_canary_sessions_expired_total", kCounter, "", {}, Presence::kWithCanary,
          "Sessions of the canary that expired.",
          [](const M& m) -> std::optional<std::uint64_t> {
            if (!canary_on(m.ensemble)) return std::nullopt;
            return m.member.canary.sessions_expired;
          }),
      row(kCanary, "watchkeeper_canary_last_success_age_seconds", kGauge, "seconds", {}, Presence::kWithCanary,
          "Time since a round in which every operation through this member succeeded; absent before the first.",
          [](const M& m) -> std::optional<double> {
            if (!canary_on(m.ensemble)) return std::nullopt;
            return age(m.member.canary.last_ok, m.now);
          }),
  };
  append_inside_rows(rows);
  append_native_rows(rows);
  return rows;
}

std::vector<CatalogueRow> make_exporter_rows() {
  return {
      row(kExporter, "watchkeeper_build_info", kGauge, "", {"version", "revision", "compiler"}, kAlways,
          "1, with what this exporter was built from.",
          [](const X& x, W& w) {
            w.value(1, {{"version", x.build.version},
                        {"revision", x.build.revision},
                        {"compiler", x.build.compiler}});
          }),
      row(kExporter, "watchkeeper_exporter_snapshot_age_seconds", kGauge, "seconds", {}, kAlways,
          "Age of the snapshot that is shown; above a few seconds the exporter itself hangs and its values "
          "are old.",
          [](const X& x, Moment now) { return age(x.snapshot.taken, now); }),
      row(kExporter, "watchkeeper_exporter_start_time_seconds", kGauge, "seconds", {}, kAlways,
          "When the exporter began to watch, in seconds since 1970.",
          [](const X& x, Moment) { return x.snapshot.exporter.started.wall; }),
      row(kExporter, "watchkeeper_exporter_targets", kGauge, "", {}, kAlways, "Members that are watched.",
          [](const X& x, Moment) {
            std::size_t members = 0;
            for (const auto& ensemble : x.snapshot.ensembles) members += ensemble.members.size();
            return members;
          }),
      row(kExporter, "watchkeeper_exporter_events_dropped_total", kCounter, "", {}, kAlways,
          "Events that fell out of the log, which keeps the newest ones, read or not.",
          [](const X& x, Moment) { return x.snapshot.exporter.events_dropped; }),
      row(kExporter, "watchkeeper_exporter_poll_rounds_skipped_total", kCounter, "", {}, kAlways,
          "Visits that did not begin because the one before was still under way, or that do not count "
          "because the "
          "exporter itself was held up.",
          [](const X& x, Moment) { return x.snapshot.exporter.poll_rounds_skipped; }),
      row(kExporter, "watchkeeper_exporter_samples_dropped_total", kCounter, "", {}, kAlways,
          "Values of members that were left out because a limit was reached or the value was no number.",
          [](const X& x, Moment) { return x.snapshot.exporter.samples_dropped; }),
      row(kExporter, "watchkeeper_exporter_http_requests_total", kCounter, "", {"code_class"}, kAlways,
          "HTTP answers by class of their status.",
          [](const X& x, W& w) {
            constexpr std::array<std::string_view, 4> kClasses{"2xx", "3xx", "4xx", "5xx"};
            for (std::size_t i = 0; i < kClasses.size(); ++i)
              w.value(static_cast<double>(x.http.responses[i]), {{"code_class", kClasses[i]}});
          }),
      row(kExporter, "watchkeeper_exporter_http_streams", kGauge, "", {}, kAlways,
          "Streams of events that are open now: one for each status page that somebody looks at.",
          [](const X& x, Moment) { return x.http.streams; }),
      row(kExporter, "watchkeeper_exporter_http_rejected_total", kCounter, "", {"reason"}, kWhenKnown,
          "HTTP requests that were turned away, and connections that were not kept alive, because of a "
          "limit, by reason.",
          [](const X& x, W& w) {
            for (const auto& [reason, count] : x.http.rejected)
              w.value(static_cast<double>(count), {{"reason", reason}});
          }),
      row(kExporter, "watchkeeper_exporter_handler_failures_total", kCounter, "", {}, kAlways,
          "HTTP requests that ended because of a fault of the exporter; its log tells which.",
          [](const X& x, Moment) { return x.http.handler_failures; }),
      row(kExporter, "watchkeeper_exporter_web_config_reloads_total", kCounter, "", {"result"}, kAlways,
          "Changes of the file of --web.config.file, or of one that it names, by result; after a failed one "
          "the version before stays in force.",
          [](const X& x, W& w) {
            w.value(static_cast<double>(x.http.web_config_reloads_ok), {{"result", "ok"}});
            w.value(static_cast<double>(x.http.web_config_reloads_failed), {{"result", "failed"}});
          }),

      row(kProcess, "process_cpu_seconds_total", kCounter, "seconds", {}, kWhenKnown,
          "User and system CPU time of the exporter.",
          [](const X& x, Moment) { return x.process.cpu_seconds; }),
      row(kProcess, "process_open_fds", kGauge, "", {}, kWhenKnown, "Open file descriptors of the exporter.",
          [](const X& x, Moment) { return x.process.open_descriptors; }),
      row(kProcess, "process_max_fds", kGauge, "", {}, kWhenKnown,
          "Limit of open file descriptors of the exporter.",
          [](const X& x, Moment) { return x.process.descriptors_max; }),
      row(kProcess, "process_virtual_memory_bytes", kGauge, "bytes", {}, kWhenKnown,
          "Virtual memory of the exporter.", [](const X& x, Moment) { return x.process.virtual_bytes; }),
      row(kProcess, "process_resident_memory_bytes", kGauge, "bytes", {}, kWhenKnown,
          "Resident memory of the exporter.", [](const X& x, Moment) { return x.process.resident_bytes; }),
      row(kProcess, "process_start_time_seconds", kGauge, "seconds", {}, kWhenKnown,
          "When the exporter's process started, in seconds since 1970.",
          [](const X& x, Moment) { return x.process.start_time_seconds; }),
      row(kProcess, "process_threads", kGauge, "", {}, kWhenKnown, "Threads of the exporter.",
          [](const X& x, Moment) { return x.process.threads; }),
  };
}

}  // namespace

std::span<const CatalogueRow> native_catalogue() {
  static const std::vector<CatalogueRow> rows = make_native_rows();
  return rows;
}

std::span<const CatalogueRow> exporter_catalogue() {
  static const std::vector<CatalogueRow> rows = make_exporter_rows();
  return rows;
}

}  // namespace wk::exporter
