#include "exporter/app/api_inside.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace wk::exporter {
namespace {

Json session_text(SessionId session) {
  if (session == SessionId{}) return nullptr;
  return fmt::format("0x{:x}", static_cast<std::uint64_t>(session.value));
}

Json text_or_null(std::string_view text) { return text.empty() ? Json(nullptr) : Json(text); }

template <typename Row, typename Write>
Json rows_of(const std::vector<Row>& rows, Write write) {
  Json list = Json::array();
  for (const Row& row : rows) list.push_back(write(row));
  return list;
}

Json counts_of(const std::vector<NamedCount>& counts) {
  Json object = Json::object();
  for (const NamedCount& one : counts) object[std::string(one.name)] = one.count;
  return object;
}

Json survey_json(const Survey& survey, Moment now) {
  return {{"age_seconds", json_age(survey.finished, now)},
          {"took_seconds", seconds(survey.took)},
          {"longest_slice_seconds", seconds(survey.longest_slice)}};
}

Json hot_path_json(const HotPath& hot) {
  return {{"path", hot.path}, {"a_second", hot.a_second}, {"share", hot.share}};
}

Json talker_json(const Talker& talker) {
  return {{"address", talker.address},
          {"port", talker.port},
          {"session", session_text(talker.session)},
          {"requests_a_second", talker.requests_a_second},
          {"bytes_a_second", talker.bytes_a_second}};
}

Json slow_json(const SlowRequest& slow) {
  Json stages = Json::object();
  for (const auto& [stage, duration] : slow.stages) stages[std::string(stage)] = seconds(duration);
  return {{"operation", slow.operation},
          {"path", text_or_null(slow.path)},
          {"session", session_text(slow.session)},
          {"zxid", json_zxid(slow.zxid)},
          {"answered", rfc3339(slow.answered)},
          {"latency_seconds", seconds(slow.latency)},
          {"stages_seconds", std::move(stages)},
          {"transactions_before", slow.queued_before},
          {"during_snapshot", slow.during_snapshot},
          {"during_purge", slow.during_purge}};
}

Json expired_json(const ExpiredSession& session) {
  return {{"session", session_text(session.session)},
          {"address", text_or_null(session.address)},
          {"expired", rfc3339(session.at)},
          {"timeout_seconds", seconds(session.timeout)},
          {"silence_seconds", seconds(session.silence)},
          {"longest_gap_before_seconds", seconds(session.longest_gap)},
          {"last_operation", text_or_null(session.last_operation)},
          {"ephemerals_removed", session.ephemerals},
          {"without_connection_seconds",
           session.without_connection ? Json(seconds(*session.without_connection)) : Json(nullptr)},
          {"server_stood_still_seconds", seconds(session.server_stood_still)},
          {"longest_slow_sync_seconds", seconds(session.longest_slow_sync)},
          {"cause", session.cause},
          {"conclusion", session.conclusion}};
}

Json requests_json(const ServerInternals& inside) {
  Json stages = Json::object();
  for (const NamedDurations& stage : inside.write_stages)
    stages[std::string(stage.name)] = seconds(stage.durations.sum());
  return {{"writes", inside.write_total.count()},
          {"write_seconds", seconds(inside.write_total.sum())},
          {"write_stages_seconds", std::move(stages)},
          {"reads_a_second", inside.reads_a_second},
          {"changes_a_second", inside.changes_a_second},
          {"hottest_reads", rows_of(inside.hottest_reads, hot_path_json)},
          {"hottest_writes", rows_of(inside.hottest_writes, hot_path_json)},
          {"slow_from_seconds", seconds(inside.slow_from)},
          {"slowest", rows_of(inside.slowest_requests, slow_json)}};
}

Json sessions_json(const ServerInternals& inside, Moment now) {
  return {
      {"survey", survey_json(inside.session_survey, now)},
      {"alive", inside.sessions},
      {"by_timeout_used", counts_of(inside.sessions_by_timeout_used)},
      {"near_misses", inside.session_near_misses},
      {"expiry_buckets", inside.expiry_buckets},
      {"expiry_bucket_most", inside.expiry_bucket_most},
      {"quiet", rows_of(inside.quiet_sessions,
                        [](const QuietSession& quiet) -> Json {
                          return {{"session", session_text(quiet.session)},
                                  {"address", text_or_null(quiet.address)},
                                  {"timeout_seconds", seconds(quiet.timeout)},
                                  {"silence_seconds", seconds(quiet.silence)}};
                        })},
      {"expiries", counts_of(inside.expiries)},
      {"expired", inside.expired_sessions ? rows_of(*inside.expired_sessions, expired_json) : Json::array()}};
}

Json limit_json(const Limit& limit) {
  return {{"limit", limit.name},
          {"used", limit.used},
          {"bound", limit.bound},
          {"unit", limit.in_bytes ? "bytes" : ""},
          {"share", limit.used / limit.bound},
          {"about", text_or_null(limit.about)},
          {"seconds_left", limit.left ? Json(limit.left->count()) : Json(nullptr)}};
}

Json watches_json(const ServerInternals& inside, Moment now) {
  return {
      {"survey", survey_json(inside.watch_survey, now)},
      {"most_watched", rows_of(inside.most_watched,
                               [](const WatchedPath& row) -> Json {
                                 return {{"path", row.path}, {"kind", row.kind}, {"watchers", row.watchers}};
                               })},
      {"largest_fan_outs", rows_of(inside.largest_fan_outs, [](const FanOut& row) -> Json {
         return {{"path", row.path},
                 {"event", row.event},
                 {"watchers", row.watchers},
                 {"times", row.times},
                 {"at", rfc3339(row.at)}};
       })}};
}

Json znodes_json(const ServerInternals& inside, Moment now) {
  return {
      {"survey", survey_json(inside.tree_survey, now)},
      {"packet_max_bytes", inside.reply_bytes_max},
      {"largest", rows_of(inside.largest_znodes,
                          [](const LargeZnode& row) -> Json {
                            return {{"path", row.path}, {"bytes", row.bytes}};
                          })},
      {"largest_child_lists",
       rows_of(inside.largest_child_lists,
               [](const LargeChildList& row) -> Json {
                 return {{"path", row.path}, {"children", row.children}, {"reply_bytes", row.reply_bytes}};
               })},
      {"largest_subtrees", rows_of(inside.largest_subtrees,
                                   [](const LargeSubtree& row) -> Json {
                                     return {{"path", row.path}, {"znodes", row.znodes}};
                                   })},
      {"locks", rows_of(inside.contentions, [](const Contention& row) -> Json {
         return {{"path", row.path},
                 {"contenders", row.contenders},
                 {"holder", session_text(row.holder)},
                 {"held_since", rfc3339(row.held_since)}};
       })}};
}

}  // namespace

Json inside_json(const ServerInternals& inside, Moment now) {
  return {{"requests", requests_json(inside)},
          {"sessions", sessions_json(inside, now)},
          {"clients",
           {{"survey", survey_json(inside.connection_survey, now)},
            {"by_state", counts_of(inside.connections_by_state)},
            {"busiest_by_requests", rows_of(inside.busiest_by_requests, talker_json)},
            {"busiest_by_bytes", rows_of(inside.busiest_by_bytes, talker_json)}}},
          {"watches", watches_json(inside, now)},
          {"znodes", znodes_json(inside, now)},
          {"limits", rows_of(inside.limits, limit_json)},
          {"limits_hit", counts_of(inside.limits_hit)},
          {"memory_bytes", counts_of(inside.memory_bytes)},
          {"longest_wake_up_seconds", seconds(inside.longest_wake_up)}};
}

namespace {

/// Adds the members of `ensemble` that told, each behind the fields of `first`.
void append_members(const EnsembleView& ensemble, Moment now, const Json& first, Json& members) {
  for (const MemberView& member : ensemble.members) {
    if (!member.facts || !member.facts->internals) continue;
    Json row = first;
    row["member"] = member.name;
    row["age_seconds"] = json_age(member.last_poll, now);
    row["inside"] = inside_json(*member.facts->internals, now);
    members.push_back(std::move(row));
  }
}

}  // namespace

Json inside_table(const EnsembleView& ensemble, Moment now) {
  Json members = Json::array();
  append_members(ensemble, now, Json::object(), members);
  return {{"ensemble", ensemble.name}, {"time", rfc3339(now.wall)}, {"members", std::move(members)}};
}

Json inside_document(const Snapshot& snapshot, Moment now) {
  Json members = Json::array();
  for (const EnsembleView& ensemble : snapshot.ensembles)
    append_members(ensemble, now, {{"ensemble", ensemble.name}}, members);
  return {{"time", rfc3339(now.wall)}, {"members", std::move(members)}};
}

}  // namespace wk::exporter
