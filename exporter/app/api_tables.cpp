#include "exporter/app/api_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "exporter/app/api_history.h"
#include "exporter/app/api_members.h"
#include "exporter/app/api_status.h"

namespace wk::exporter {
namespace {

Json table(const EnsembleView& ensemble, Moment now) {
  return {{"ensemble", ensemble.name}, {"time", rfc3339(now.wall)}};
}

/// The status of `member` if it is what the member does now.
const StatusAnswer* fresh_status(const MemberView& member, std::chrono::nanoseconds fresh_for, Moment now) {
  if (!member.facts || !member.facts->status.value || !member.last_poll) return nullptr;
  const Dated<StatusAnswer>& status = member.facts->status;
  const bool of_newest_visit = *member.last_poll - status.at <= std::chrono::nanoseconds{0};
  return of_newest_visit && now - status.at <= fresh_for ? &*status.value : nullptr;
}

/// The worst problem that names `member`; problems are sorted.
const Problem* problem_of(const EnsembleView& ensemble, const MemberView& member) {
  for (const Problem& problem : ensemble.problems)
    if (std::ranges::find(problem.members, member.name) != problem.members.end()) return &problem;
  return nullptr;
}

Json text_or_null(std::string_view text) { return text.empty() ? Json(nullptr) : Json(text); }

/// `series` of a member in `row`, null without one.
Json row_value(const std::optional<HistoryRow>& row, std::size_t member, MemberSeries series) {
  if (!row || member >= row->members.size()) return nullptr;
  return history_point_json(row->members[member][static_cast<std::size_t>(series)]);
}

Json member_row(const EnsembleView& ensemble, std::size_t index, const std::optional<HistoryRow>& row,
                std::chrono::nanoseconds fresh_for, Moment now) {
  static const MemberFacts kNoFacts;
  const MemberView& member = ensemble.members[index];
  const MemberFacts& facts = member.facts ? *member.facts : kNoFacts;
  const StatusAnswer* const status = fresh_status(member, fresh_for, now);
  const Problem* const problem = problem_of(ensemble, member);
  const auto number = [&](std::string_view metric) {
    return status != nullptr ? json_number(status->number(metric)) : Json(nullptr);
  };
  const auto of_row = [&](MemberSeries series) {
    return status != nullptr ? row_value(row, index, series) : Json(nullptr);
  };
  const ConnectionsAnswer* const connections = present(member, facts.connections, now);
  const bool sessions_known = status != nullptr && connections != nullptr;
  return {
      {"member", member.name},
      {"id", json_id(member.id)},
      {"address", text_or_null(member.address)},
      {"state", name(member.state)},
      {"state_reason", member.state_reason},
      {"state_since", rfc3339(member.state_since.wall)},
      {"role", name(member.role)},
      {"voter", member.voter},
      {"in_sync", member.in_sync},
      {"zxid", json_zxid(member.zxid)},
      {"epoch", member.zxid ? Json(member.zxid->epoch().value) : Json(nullptr)},
      {"lag_transactions", json_optional(member.lag_transactions)},
      {"implementation", facts.status.value ? Json(name(facts.status.value->implementation)) : Json(nullptr)},
      {"version", facts.status.value ? text_or_null(facts.status.value->version) : Json(nullptr)},
      {"safe_to_stop", safe_to_stop_json(member.safe_to_stop)},
      {"fresh", status != nullptr},
      {"last_answer", facts.status.value ? Json(rfc3339(facts.status.at.wall)) : Json(nullptr)},
      {"age_seconds", facts.status.value ? json_age(facts.status.at, now) : Json(nullptr)},
      {"severity", problem != nullptr ? Json(name(problem->severity)) : Json(nullptr)},
      {"trouble", problem != nullptr ? Json(problem->summary) : Json(nullptr)},
      {"remedy", problem != nullptr ? Json(problem->remedy) : Json(nullptr)},
      {"runbook", problem != nullptr ? Json(problem->runbook) : Json(nullptr)},
      {"latency_average_ms", of_row(MemberSeries::kLatencyAverageMs)},
      {"requests_per_second", of_row(MemberSeries::kRequestsPerSecond)},
      {"outstanding_requests", number("outstanding_requests")},
      {"connections", number("num_alive_connections")},
      {"sessions", sessions_known ? Json(connections->with_session) : Json(nullptr)},
      {"znodes", number("znode_count")},
      {"watches", number("watch_count")},
      {"data_size_bytes", number("approximate_data_size")},
      {"fsync_ms", of_row(MemberSeries::kFsyncMs)},
      {"packets_received", number("packets_received")},
      {"packets_sent", number("packets_sent")},
      {"restarts", member.restarts},
      {"canary",
       {{"connected", member.canary.connected},
        {"last_ok_age_seconds", json_age(member.canary.last_ok, now)},
        {"latency_ms", row_value(row, index, MemberSeries::kCanaryLatencyMs)},
        {"last_error", text_or_null(member.canary.last_error)}}}};
}

/// Key → value of one member's configuration, its version and membership with it.
std::map<std::string, std::string> configuration_of(const MemberView& member) {
  std::map<std::string, std::string> values;
  if (!member.facts) return values;
  if (const auto& status = member.facts->status.value; status && !status->version.empty())
    values.emplace("version", status->version);
  const auto& configuration = member.facts->configuration.value;
  if (!configuration) return values;
  values.insert(configuration->entries.begin(), configuration->entries.end());
  for (const MembershipEntry& entry : configuration->membership)
    values.emplace(fmt::format("server.{}", entry.id.value),
                   fmt::format("{}:{}:{}:{}{}{}", entry.host, entry.quorum_port, entry.election_port,
                               entry.voter ? "participant" : "observer",
                               entry.client_address.empty() ? "" : ";", entry.client_address));
  return values;
}

}  // namespace

Json members_table(const EnsembleView& ensemble, const std::optional<HistoryRow>& row,
                   std::chrono::nanoseconds fresh_for, Moment now) {
  // Where the clock was set, the newest row may be of another time than now.
  const bool row_is_fresh = row && std::chrono::abs(now.wall - row->at) <= fresh_for;
  Json rows = Json::array();
  for (std::size_t index = 0; index < ensemble.members.size(); ++index)
    rows.push_back(member_row(ensemble, index, row_is_fresh ? row : std::nullopt, fresh_for, now));
  Json json = table(ensemble, now);
  json["members"] = std::move(rows);
  return json;
}

Json connections_table(const EnsembleView& ensemble, Moment now) {
  Json members = Json::array();
  Json addresses = Json::array();
  Json busiest = Json::array();
  for (const MemberView& member : ensemble.members) {
    // Clients of a member that is gone are with another one now: what was told then must not be added to it.
    const ConnectionsAnswer* const found = present(member, member.facts->connections, now);
    const Json age = found != nullptr ? json_age(member.facts->connections.at, now) : Json(nullptr);
    members.push_back({{"member", member.name},
                       {"age_seconds", age},
                       {"connections", found != nullptr ? Json(found->total) : Json(nullptr)},
                       {"with_session", found != nullptr ? Json(found->with_session) : Json(nullptr)}});
    if (found == nullptr) continue;
    for (const auto& [address, count] : found->by_address)
      addresses.push_back(
          {{"member", member.name}, {"age_seconds", age}, {"address", address}, {"connections", count}});
    for (const ClientConnection& connection : found->busiest) {
      Json row = {{"member", member.name}, {"age_seconds", age}};
      row.update(connection_document(connection));
      busiest.push_back(std::move(row));
    }
  }
  Json json = table(ensemble, now);
  json["members"] = std::move(members);
  json["addresses"] = std::move(addresses);
  json["connections"] = std::move(busiest);
  return json;
}

Json configuration_table(const EnsembleView& ensemble, Moment now) {
  Json members = Json::array();
  std::vector<std::map<std::string, std::string>> configurations;
  std::vector<bool> fresh;  // Only these are compared; the others' may have changed since.
  std::set<std::string> keys;
  for (const MemberView& member : ensemble.members) {
    const Dated<ConfigurationAnswer>& told = member.facts->configuration;
    fresh.push_back(told.value && now - told.at <= member.detail_fresh_for);
    members.push_back({{"member", member.name},
                       {"age_seconds", told.value ? json_age(told.at, now) : Json(nullptr)},
                       {"fresh", static_cast<bool>(fresh.back())}});
    configurations.push_back(configuration_of(member));
    for (const auto& [key, value] : configurations.back()) keys.insert(key);
  }
  Json rows = Json::array();
  for (const std::string& key : keys) {
    Json values = Json::object();
    const std::string* first = nullptr;
    bool differs = false;
    for (std::size_t index = 0; index < configurations.size(); ++index) {
      const auto found = configurations[index].find(key);
      const std::string* const value = found != configurations[index].end() ? &found->second : nullptr;
      values[ensemble.members[index].name] = value != nullptr ? Json(*value) : Json(nullptr);
      if (value == nullptr || !fresh[index]) continue;
      if (first == nullptr) first = value;
      differs = differs || *value != *first;
    }
    const bool drift =
        std::ranges::any_of(ensemble.drift, [&](const ConfigurationDrift& each) { return each.key == key; });
    rows.push_back({{"key", key}, {"differs", differs}, {"drift", drift}, {"values", std::move(values)}});
  }
  Json json = table(ensemble, now);
  json["members"] = std::move(members);
  json["keys"] = std::move(rows);
  return json;
}

Json sources_table(const EnsembleView& ensemble, Moment now) {
  Json rows = Json::array();
  for (const MemberView& member : ensemble.members)
    for (const auto& [probe, source] : member.sources) {
      if (!source.last_tried) continue;
      Json row = {{"member", member.name}};
      row.update(source_document(probe, source, now));
      rows.push_back(std::move(row));
    }
  Json json = table(ensemble, now);
  json["sources"] = std::move(rows);
  return json;
}

Json ensembles_table(const Snapshot& snapshot, Moment now) {
  Json rows = Json::array();
  for (const EnsembleView& ensemble : snapshot.ensembles) {
    const bool leader_known = ensemble.leader && *ensemble.leader < ensemble.members.size();
    rows.push_back({{"name", ensemble.name},
                    {"status", status_word(ensemble)},
                    {"verdict", ensemble.verdict},
                    {"serving", ensemble.serving},
                    {"standalone", ensemble.standalone},
                    {"members", ensemble.members.size()},
                    {"voters", ensemble.voters},
                    {"majority", ensemble.majority},
                    {"in_sync", ensemble.voters_in_sync},
                    {"margin", ensemble.quorum_margin},
                    {"leader", leader_known ? Json(ensemble.members[*ensemble.leader].name) : Json(nullptr)},
                    {"epoch", ensemble.epoch ? Json(ensemble.epoch->value) : Json(nullptr)},
                    {"problems", ensemble.problems.size()},
                    {"leader_changes", ensemble.leader_changes},
                    {"unserved_since", json_time(ensemble.unserved_since)},
                    {"unserved_seconds_total", seconds(ensemble.unserved)}});
  }
  return {{"time", rfc3339(now.wall)}, {"ensembles", std::move(rows)}};
}

Json history_row_document(const EnsembleView& ensemble, const HistoryRow& row) {
  Json members = Json::object();
  for (std::size_t index = 0; index < std::min(ensemble.members.size(), row.members.size()); ++index) {
    Json values = Json::object();
    for (std::size_t i = 0; i < kMemberSeriesCount; ++i)
      values[name(static_cast<MemberSeries>(i))] = history_point_json(row.members[index][i]);
    members[ensemble.members[index].name] = std::move(values);
  }
  Json series = Json::object();
  for (std::size_t i = 0; i < kEnsembleSeriesCount; ++i)
    series[name(static_cast<EnsembleSeries>(i))] = history_point_json(row.ensemble[i]);
  return {{"ensemble", ensemble.name},
          {"time", std::chrono::floor<std::chrono::seconds>(row.at.time_since_epoch()).count()},
          {"members", std::move(members)},
          {"series", std::move(series)}};
}

}  // namespace wk::exporter
