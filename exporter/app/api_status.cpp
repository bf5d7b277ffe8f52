#include "exporter/app/api_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "exporter/app/health.h"

namespace wk::exporter {
namespace {

std::optional<Severity> worst(const EnsembleView& ensemble) {
  std::optional<Severity> severity;
  if (!ensemble.serving) severity = Severity::kCritical;
  for (const Problem& problem : ensemble.problems)
    severity = std::max(severity, std::optional(problem.severity));
  return severity;
}

std::string word(std::optional<Severity> severity) { return severity ? name(*severity) : "ok"; }

Json problem_json(const Problem& problem) {
  return {{"id", problem.id},          {"severity", name(problem.severity)}, {"summary", problem.summary},
          {"cause", problem.cause},    {"remedy", problem.remedy},           {"runbook", problem.runbook},
          {"members", problem.members}};
}

Json leader_json(const EnsembleView& ensemble) {
  const bool known = ensemble.leader && *ensemble.leader < ensemble.members.size();
  return {{"member", known ? Json(ensemble.members[*ensemble.leader].name) : Json(nullptr)},
          {"id", json_id(ensemble.leader_id)},
          {"epoch", ensemble.epoch ? Json(ensemble.epoch->value) : Json(nullptr)},
          {"inferred", ensemble.leader_inferred}};
}

Json drift_json(const ConfigurationDrift& drift) {
  Json values = Json::array();
  for (const auto& [member, value] : drift.values) values.push_back({{"member", member}, {"value", value}});
  return {{"key", drift.key}, {"values", std::move(values)}};
}

Json member_json(const MemberView& member) {
  return {{"member", member.name},
          {"id", json_id(member.id)},
          {"state", name(member.state)},
          {"state_reason", member.state_reason},
          {"role", name(member.role)},
          {"voter", member.voter},
          {"in_sync", member.in_sync},
          {"lag_transactions", json_optional(member.lag_transactions)},
          {"safe_to_stop", safe_to_stop_json(member.safe_to_stop)},
          {"inside", member.facts && member.facts->internals}};
}

/// Every source of every member that was tried and did not answer as it should.
Json source_problems_json(const EnsembleView& ensemble) {
  Json problems = Json::array();
  for (const MemberView& member : ensemble.members)
    for (const auto& [probe, source] : member.sources) {
      if (source.state == SourceState::kOk || source.state == SourceState::kNotTried) continue;
      problems.push_back({{"member", member.name},
                          {"source", name(probe)},
                          {"state", name(source.state)},
                          {"detail", source.detail},
                          {"remedy", remedy_of(source.state, probe)},
                          {"last_ok", json_time(source.last_ok)}});
    }
  return problems;
}

}  // namespace

std::string status_word(const EnsembleView& ensemble) { return word(worst(ensemble)); }

std::string status_word(const Snapshot& snapshot) {
  std::optional<Severity> severity;
  for (const EnsembleView& ensemble : snapshot.ensembles) severity = std::max(severity, worst(ensemble));
  return word(severity);
}

std::string overall_verdict(const Snapshot& snapshot) {
  if (snapshot.ensembles.size() == 1) return snapshot.ensembles.front().verdict;
  std::vector<std::string_view> down;
  std::vector<std::string_view> troubled;
  for (const EnsembleView& ensemble : snapshot.ensembles) {
    const auto severity = worst(ensemble);
    if (!ensemble.serving)
      down.push_back(ensemble.name);
    else if (severity && *severity != Severity::kInfo)
      troubled.push_back(ensemble.name);
  }
  const std::size_t all = snapshot.ensembles.size();
  if (down.empty() && troubled.empty()) return fmt::format("All {} ensembles serve without problems.", all);
  if (down.empty())
    return fmt::format("All {} ensembles serve; {} of them with problems: {}.", all, troubled.size(),
                       fmt::join(troubled, ", "));
  std::string text =
      fmt::format("{} of {} ensembles do not serve: {}", down.size(), all, fmt::join(down, ", "));
  if (!troubled.empty())
    text += fmt::format("; problems in {} more: {}", troubled.size(), fmt::join(troubled, ", "));
  return text + ".";
}

Json safe_to_stop_json(const SafeToStop& answer) {
  const std::string& reason = answer.reason;
  return {{"safe", answer.safe},
          {"reason", reason.empty() ? "nothing is known about this member yet" : reason}};
}

Json ensemble_document(const EnsembleView& ensemble, Moment now) {
  Json members = Json::array();
  for (const MemberView& member : ensemble.members) members.push_back(member_json(member));
  Json problems = Json::array();
  for (const Problem& problem : ensemble.problems) problems.push_back(problem_json(problem));
  Json drift = Json::array();
  for (const ConfigurationDrift& each : ensemble.drift) drift.push_back(drift_json(each));
  Json events = Json::object();
  for (std::size_t i = 0; i < kEventTypeCount; ++i)
    events[name(static_cast<EventType>(i))] = ensemble.events[i];
  return {{"name", ensemble.name},
          {"status", status_word(ensemble)},
          {"verdict", ensemble.verdict},
          {"serving", ensemble.serving},
          {"standalone", ensemble.standalone},
          {"quorum",
           {{"voters", ensemble.voters},
            {"majority", ensemble.majority},
            {"in_sync", ensemble.voters_in_sync},
            {"margin", ensemble.quorum_margin}}},
          {"leader", leader_json(ensemble)},
          {"leaders", ensemble.leaders},
          {"deposed_leaders", ensemble.deposed_leaders},
          {"split_brain", ensemble.split_brain},
          {"leader_changes", ensemble.leader_changes},
          {"elections", ensemble.elections},
          {"unserved",
           {{"since", json_time(ensemble.unserved_since)},
            {"seconds_running", json_age(ensemble.unserved_since, now)},
            {"seconds_total", seconds(ensemble.unserved)}}},
          {"problems", std::move(problems)},
          {"limited_by", {{"what", ensemble.limited_by}, {"reason", ensemble.limited_by_reason}}},
          {"canary",
           {{"mode", name(ensemble.canary_mode)},
            {"rounds_ok", ensemble.canary_rounds_ok},
            {"rounds_failed", ensemble.canary_rounds_failed}}},
          {"digest_mismatches", ensemble.digest_mismatches},
          {"configuration_drift", std::move(drift)},
          {"unlisted_members", ensemble.unlisted_members},
          {"connection_imbalance", json_number(ensemble.connection_imbalance)},
          {"session_imbalance", json_number(ensemble.session_imbalance)},
          {"members", std::move(members)},
          {"source_problems", source_problems_json(ensemble)},
          {"events", std::move(events)}};
}

Json status_document(const Snapshot& snapshot, const BuildInfo& build,
                     std::chrono::nanoseconds longest_interval, Moment now) {
  const auto stale = staleness(snapshot, longest_interval, now);
  Json ensembles = Json::array();
  for (const EnsembleView& ensemble : snapshot.ensembles)
    ensembles.push_back(ensemble_document(ensemble, now));
  return {{"time", rfc3339(now.wall)},
          {"status", stale ? "critical" : status_word(snapshot)},
          {"verdict", stale ? *stale : overall_verdict(snapshot)},
          {"snapshot",
           {{"sequence", snapshot.sequence},
            {"time", rfc3339(snapshot.taken.wall)},
            {"age_seconds", json_age(snapshot.taken, now)},
            {"stale", stale.has_value()}}},
          {"exporter",
           {{"version", build.version},
            {"revision", build.revision},
            {"started", rfc3339(snapshot.exporter.started.wall)},
            {"events_dropped", snapshot.exporter.events_dropped},
            {"poll_rounds_skipped", snapshot.exporter.poll_rounds_skipped},
            {"samples_dropped", snapshot.exporter.samples_dropped}}},
          {"ensembles", std::move(ensembles)}};
}

}  // namespace wk::exporter
