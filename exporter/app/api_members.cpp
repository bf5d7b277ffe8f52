#include "exporter/app/api_members.h"

#include <fmt/format.h>

#include "exporter/app/api_status.h"

namespace wk::exporter {
namespace {

template <const auto& kBounds>
Json histogram_json(const DurationHistogram<kBounds>& histogram) {
  Json buckets = Json::array();
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    cumulative += histogram.bucket(i);
    buckets.push_back(
        {{"le_seconds", std::chrono::duration<double>(kBounds[i]).count()}, {"count", cumulative}});
  }
  return {{"count", histogram.count()},
          {"sum_seconds", seconds(histogram.sum())},
          {"buckets", std::move(buckets)}};
}

Json summary_json(const SummaryValue& summary) {
  Json quantiles = Json::array();
  for (const Quantile& quantile : summary.quantiles)
    quantiles.push_back({{"rank", quantile.rank}, {"value", json_number(quantile.value)}});
  return {{"count", json_number(summary.count)},     {"sum", json_number(summary.sum)},
          {"average", json_number(summary.average)}, {"minimum", json_number(summary.minimum)},
          {"maximum", json_number(summary.maximum)}, {"quantiles", std::move(quantiles)}};
}

const char* unit_name(ZkUnit unit) {
  switch (unit) {
    case ZkUnit::kMilliseconds:
      return "milliseconds";
    case ZkUnit::kBytes:
      return "bytes";
    case ZkUnit::kNone:
      break;
  }
  return nullptr;
}

Json measurement_json(const Measurement& measurement) {
  const char* unit = unit_name(measurement.metric->unit);
  const double* number = measurement.number();
  return {{"name", measurement.metric->name},
          {"native", measurement.metric->native},
          {"key", measurement.key().empty() ? Json(nullptr) : Json(measurement.key())},
          {"unit", unit != nullptr ? Json(unit) : Json(nullptr)},
          {"value", number != nullptr ? json_number(*number) : summary_json(*measurement.summary())}};
}

Json fact_json(const StatusAnswer& status) {
  Json measurements = Json::array();
  for (const Measurement& each : status.measurements) measurements.push_back(measurement_json(each));
  Json others = Json::object();
  for (const auto& [key, value] : status.others) others[key] = json_number(value);
  return {{"implementation", name(status.implementation)},
          {"version", status.version.empty() ? Json(nullptr) : Json(status.version)},
          {"role", name(status.role)},
          {"phase", name(status.phase)},
          {"zxid", json_zxid(status.zxid)},
          {"measurements", std::move(measurements)},
          {"others", std::move(others)},
          {"dropped", status.dropped}};
}

Json fact_json(const Zxid& zxid) {
  return {{"zxid", zxid.to_string()}, {"epoch", zxid.epoch().value}, {"counter", zxid.counter()}};
}

Json fact_json(const RuokAnswer& ruok) { return {{"imok", ruok.imok}}; }

Json fact_json(const IsroAnswer& isro) {
  switch (isro.mode) {
    case IsroAnswer::Mode::kReadWrite:
      return {{"mode", "read_write"}};
    case IsroAnswer::Mode::kReadOnly:
      return {{"mode", "read_only"}};
    case IsroAnswer::Mode::kNull:
      break;
  }
  return {{"mode", nullptr}};
}

Json fact_json(const ConfigurationAnswer& configuration) {
  Json entries = Json::object();
  for (const auto& [key, value] : configuration.entries) entries[key] = value;
  Json membership = Json::array();
  for (const MembershipEntry& entry : configuration.membership)
    membership.push_back(
        {{"id", json_id(entry.id)},
         {"host", entry.host},
         {"quorum_port", entry.quorum_port},
         {"election_port", entry.election_port},
         {"voter", entry.voter},
         {"client_address", entry.client_address.empty() ? Json(nullptr) : Json(entry.client_address)}});
  return {{"entries", std::move(entries)},
          {"server_id", json_id(configuration.server_id)},
          {"membership", std::move(membership)},
          {"membership_version", configuration.membership_version
                                     ? Json(fmt::format("0x{:x}", *configuration.membership_version))
                                     : Json(nullptr)}};
}

Json json_milliseconds(const std::optional<std::chrono::milliseconds>& duration) {
  return duration ? Json(duration->count()) : Json(nullptr);
}

Json fact_json(const ConnectionsAnswer& connections) {
  Json by_address = Json::array();
  for (const auto& [address, count] : connections.by_address)
    by_address.push_back({{"address", address}, {"connections", count}});
  Json busiest = Json::array();
  for (const ClientConnection& each : connections.busiest) busiest.push_back(connection_document(each));
  return {{"total", connections.total},
          {"with_session", connections.with_session},
          {"by_address", std::move(by_address)},
          {"busiest", std::move(busiest)}};
}

Json fact_json(const DirsAnswer& dirs) {
  return {{"snapshot_bytes", json_optional(dirs.snapshot_bytes)},
          {"log_bytes", json_optional(dirs.log_bytes)}};
}

Json fact_json(const WatchesAnswer& watches) {
  return {{"connections", watches.connections}, {"paths", watches.paths}, {"watches", watches.watches}};
}

/// The newest one alone: the list is for comparing members, which the view has done.
Json fact_json(const DigestsAnswer& digests) {
  if (digests.digests.empty()) return {{"count", 0}, {"newest", nullptr}};
  const Digest& newest = digests.digests.back();
  return {{"count", digests.digests.size()},
          {"newest", {{"zxid", newest.zxid.to_string()}, {"digest", fmt::format("0x{:x}", newest.value)}}}};
}

Json fact_json(const ZabAnswer& zab) {
  return {{"id", json_id(zab.my_id)},
          {"is_leader", json_optional(zab.is_leader)},
          {"voting", json_optional(zab.voting)},
          {"last_zxid", json_zxid(zab.last_zxid)},
          {"phase", name(zab.phase)}};
}

template <typename T>
Json dated_json(const Dated<T>& fact, Moment now) {
  if (!fact.value) return nullptr;
  Json json = {{"time", rfc3339(fact.at.wall)}, {"age_seconds", json_age(fact.at, now)}};
  json.update(fact_json(*fact.value));
  return json;
}

Json facts_json(const MemberFacts& facts, Moment now) {
  Json status = dated_json(facts.status, now);
  if (!status.is_null()) status["source"] = name(facts.status_probe);
  return {{"status", std::move(status)},
          {"zxid", dated_json(facts.zxid, now)},
          {"ruok", dated_json(facts.ruok, now)},
          {"isro", dated_json(facts.isro, now)},
          {"configuration", dated_json(facts.configuration, now)},
          {"connections", dated_json(facts.connections, now)},
          {"directories", dated_json(facts.dirs, now)},
          {"watches", dated_json(facts.watches, now)},
          {"digests", dated_json(facts.digests, now)},
          {"zab", dated_json(facts.zab, now)}};
}

Json canary_json(const CanaryMember& canary, Moment now) {
  Json operations = Json::object();
  for (std::size_t i = 0; i < kCanaryOperationCount; ++i) {
    Json results = Json::object();
    for (std::size_t j = 0; j < kCanaryResultCount; ++j)
      results[name(static_cast<CanaryResult>(j))] = canary.operations[i][j];
    operations[name(static_cast<CanaryOperation>(i))] = {{"results", std::move(results)},
                                                         {"duration", histogram_json(canary.latency[i])}};
  }
  return {{"connected", canary.connected},
          {"sessions_expired", canary.sessions_expired},
          {"last_ok", json_time(canary.last_ok)},
          {"last_ok_age_seconds", json_age(canary.last_ok, now)},
          {"last_error", canary.last_error},
          {"operations", std::move(operations)},
          {"watch_delivery",
           {{"from", canary.watch_from.empty() ? Json(nullptr) : Json(canary.watch_from)},
            {"duration", histogram_json(canary.watch_delivery)}}}};
}

}  // namespace

Json source_document(Probe probe, const SourceStatus& source, Moment now) {
  Json results = Json::object();
  for (std::size_t i = 0; i < kSourceStateCount; ++i)
    if (source.results[i] > 0) results[name(static_cast<SourceState>(i))] = source.results[i];
  return {{"source", name(probe)},
          {"state", name(source.state)},
          {"detail", source.detail},
          {"remedy", remedy_of(source.state, probe)},
          {"last_tried", json_time(source.last_tried)},
          {"last_ok", json_time(source.last_ok)},
          {"age_seconds", json_age(source.last_ok, now)},
          {"results", std::move(results)},
          {"duration", {{"count", source.polls()}, {"sum_seconds", seconds(source.duration)}}}};
}

Json connection_document(const ClientConnection& connection) {
  Json session = nullptr;
  if (connection.session)
    session = fmt::format("0x{:x}", static_cast<std::uint64_t>(connection.session->value));
  return {{"address", connection.address},
          {"port", connection.port},
          {"session", std::move(session)},
          {"queued", json_optional(connection.queued)},
          {"received", json_optional(connection.received)},
          {"sent", json_optional(connection.sent)},
          {"session_timeout_ms", json_milliseconds(connection.session_timeout)},
          {"latency_average_ms", json_milliseconds(connection.latency_average)},
          {"latency_maximum_ms", json_milliseconds(connection.latency_maximum)},
          {"last_operation", connection.last_operation}};
}

Json member_document(std::string_view ensemble, const MemberView& member, Moment now) {
  static const MemberFacts kNoFacts;
  Json sources = Json::array();
  for (std::size_t i = 0; i < kProbeCount; ++i)
    sources.push_back(source_document(static_cast<Probe>(i), member.sources[static_cast<Probe>(i)], now));
  return {{"ensemble", ensemble},
          {"member", member.name},
          {"address", member.address.empty() ? Json(nullptr) : Json(member.address)},
          {"id", json_id(member.id)},
          {"state", name(member.state)},
          {"state_reason", member.state_reason},
          {"state_since", rfc3339(member.state_since.wall)},
          {"role", name(member.role)},
          {"phase", name(member.phase)},
          {"voter", member.voter},
          {"in_sync", member.in_sync},
          {"zxid", json_zxid(member.zxid)},
          {"epoch", member.zxid ? Json(member.zxid->epoch().value) : Json(nullptr)},
          {"lag_transactions", json_optional(member.lag_transactions)},
          {"digest_mismatch", json_optional(member.digest_mismatch)},
          {"safe_to_stop", safe_to_stop_json(member.safe_to_stop)},
          {"certificate_not_after",
           member.certificate_not_after ? Json(rfc3339(*member.certificate_not_after)) : Json(nullptr)},
          {"state_changes", member.state_changes},
          {"restarts", member.restarts},
          {"polls", member.polls},
          {"last_poll", json_time(member.last_poll)},
          {"last_poll_age_seconds", json_age(member.last_poll, now)},
          {"sources", std::move(sources)},
          {"canary", canary_json(member.canary, now)},
          {"facts", facts_json(member.facts ? *member.facts : kNoFacts, now)}};
}

}  // namespace wk::exporter
