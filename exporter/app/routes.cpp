#include "exporter/app/routes.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

#include "base/build_info.h"
#include "exporter/app/api_events.h"
#include "exporter/app/api_inside.h"
#include "exporter/app/api_members.h"
#include "exporter/app/api_safe_to_stop.h"
#include "exporter/app/api_status.h"
#include "exporter/app/api_stream.h"
#include "exporter/app/api_tables.h"
#include "exporter/app/exposition_response.h"
#include "exporter/app/health.h"
#include "exporter/app/json_text.h"
#include "exporter/app/member_lookup.h"
#include "exporter/app/page_routes.h"
#include "exporter/app/probe_query.h"
#include "exporter/catalogue/process_stats.h"
#include "exporter/page/page.h"

namespace wk::exporter {

struct Routes::State {
  Observations observations;
  std::vector<EnsembleSpec> ensembles;
  FamilySelection families;
  ProbePolicy probe_policy = ProbePolicy::kAny;
  std::chrono::milliseconds longest_interval{0};
  BuildInfo build;
  std::shared_ptr<StreamFeed> feed;
  std::shared_ptr<TextPool> texts = std::make_shared<TextPool>();  ///< of the answers to /metrics
  std::optional<double> boot_time_seconds = read_boot_time();

  [[nodiscard]] Response metrics(const Request& request) const;
  [[nodiscard]] Response probe(const Request& request) const;
  [[nodiscard]] Response status() const;
  [[nodiscard]] Response members(const Request& request) const;
  [[nodiscard]] Response events(const Request& request) const;
  [[nodiscard]] Response history(const Request& request) const;
  [[nodiscard]] Response all_ensembles() const;
  [[nodiscard]] Response below_ensemble(const Request& request) const;
  [[nodiscard]] Response table(const Request& request, const EnsembleView& ensemble, PageTable table) const;
};

namespace {

Response refused(const Error& error) { return json_error(http_status_of(error), error.message); }

Response text_error(const Error& error) {
  Response response;
  response.status = http_status_of(error);
  response.body = error.message + "\n";
  return response;
}

HttpCounters counters_of(const HttpStats& stats) {
  HttpCounters counters;
  counters.responses = stats.responses;
  counters.streams = stats.streams;
  counters.rejected = {{"authentication_busy", stats.rejected_authentication_busy},
                       {"connections", stats.rejected_connections},
                       {"malformed", stats.malformed_requests},
                       {"requests", stats.rejected_requests},
                       {"streams", stats.rejected_streams},
                       {"timeout", stats.timeouts},
                       {"tls", stats.tls_failures},
                       {"unauthorized", stats.authentication_failures}};
  counters.handler_failures = stats.handler_failures;
  counters.web_config_reloads_ok = stats.web_config_reloads;
  counters.web_config_reloads_failed = stats.web_config_reload_failures;
  return counters;
}

/// Families about an ensemble as a whole: one visit to one member can say nothing about it.
const std::set<std::string_view>& ensemble_families() {
  static const std::set<std::string_view> kNames = [] {
    std::set<std::string_view> names;
    for (const CatalogueRow& row : native_catalogue())
      if (row.group == Group::kEnsemble) names.insert(row.name);
    return names;
  }();
  return kNames;
}

}  // namespace

Observations observations_of(const Chronicle& chronicle) {
  Observations observations;
  observations.publication = chronicle.publication();
  observations.events = [&chronicle](std::uint64_t after, std::size_t limit) {
    return chronicle.events(after, limit);
  };
  observations.history = [&chronicle](const SeriesRequest& request, const HistoryQuery& query) {
    return chronicle.history(request, query);
  };
  observations.latest_row = [&chronicle](const std::string& ensemble) {
    return chronicle.latest_row(ensemble);
  };
  observations.now = [] { return Moment::now(); };
  return observations;
}

Response Routes::State::metrics(const Request& request) const {
  const auto wanted = parse_family_query(request.query, families);
  if (!wanted) return text_error(wanted.error());
  const auto snapshot = observations.publication->current();
  const Moment now = observations.now();
  std::set<std::string> named;
  const auto [first, last] = request.query.equal_range("name[]");
  for (auto one = first; one != last; ++one) named.insert(one->second);
  return exposition_response(request, *texts, [&](SampleSink& all) {
    FamilyFilter filter([&named](std::string_view family) { return has_sample_of(family, named); }, all);
    SampleSink& sink = named.empty() ? all : filter;
    collect(*snapshot, wanted->selection, now, sink);
    if (!wanted->exporter) return;
    const ProcessStats process = read_process_stats(boot_time_seconds);
    const HttpCounters http = counters_of(observations.http_stats());
    collect_exporter({*snapshot, build, process, http}, now, sink);
  });
}

Response Routes::State::probe(const Request& request) const {
  const auto wanted = parse_probe_query(request.query, request.header("X-Prometheus-Scrape-Timeout-Seconds"),
                                        probe_policy, ensembles, families);
  if (!wanted) return text_error(wanted.error());
  const Moment begun = observations.now();
  const auto visited = observations.probe(wanted->ensemble, wanted->target);
  const Moment now = observations.now();
  if (!visited) return text_error(visited.error());
  bool answered = false;
  for (const EnsembleView& ensemble : (*visited)->ensembles)
    for (const MemberView& member : ensemble.members)
      answered = answered || member.state != ServingState::kUnreachable;
  return exposition_response(request, *std::make_shared<TextPool>(), [&](SampleSink& sink) {
    write_gauge(sink, "watchkeeper_probe_success",
                "1 when the target answered on any of its surfaces, else 0.", answered ? 1 : 0);
    write_gauge(sink, "watchkeeper_probe_duration_seconds", "Time that the visit to the target took.",
                seconds(now - begun));
    FamilyFilter of_members([](std::string_view name) { return !ensemble_families().contains(name); }, sink);
    collect(**visited, wanted->families, now, of_members);
  });
}

Response Routes::State::status() const {
  const auto snapshot = observations.publication->current();
  return json_response(status_document(*snapshot, build, longest_interval, observations.now()));
}

Response Routes::State::members(const Request& request) const {
  const auto snapshot = observations.publication->current();
  const Moment now = observations.now();
  const auto member_name = query_text(request.query, "member");
  if (!member_name) return refused(member_name.error());
  const auto ensemble_name = query_text(request.query, "ensemble");
  if (!ensemble_name) return refused(ensemble_name.error());
  Json list = Json::array();
  if (!member_name->empty()) {
    const auto found = find_member(*snapshot, *member_name, *ensemble_name);
    if (!found) return refused(found.error());
    list.push_back(member_document(found->ensemble->name, *found->member, now));
  } else {
    const EnsembleView* only = nullptr;
    if (!ensemble_name->empty()) {
      const auto found = find_ensemble(*snapshot, *ensemble_name);
      if (!found) return refused(found.error());
      only = *found;
    }
    for (const EnsembleView& ensemble : snapshot->ensembles) {
      if (only != nullptr && only != &ensemble) continue;
      for (const MemberView& member : ensemble.members)
        list.push_back(member_document(ensemble.name, member, now));
    }
  }
  return json_response(
      {{"time", rfc3339(now.wall)},
       {"snapshot", {{"sequence", snapshot->sequence}, {"time", rfc3339(snapshot->taken.wall)}}},
       {"members", std::move(list)}});
}

Response Routes::State::events(const Request& request) const {
  const auto snapshot = observations.publication->current();
  const auto query = parse_events_query(request.query, *snapshot);
  if (!query) return refused(query.error());
  return json_response(
      events_document(*query, observations.events(query->after, EventsQuery::kLimitMax), *snapshot));
}

Response Routes::State::history(const Request& request) const {
  const auto query =
      parse_history_query(request.query, *observations.publication->current(), observations.now());
  if (!query) return refused(query.error());
  return history_response(*query, observations.history);
}

Response Routes::State::all_ensembles() const {
  return json_response(ensembles_table(*observations.publication->current(), observations.now()));
}

Response Routes::State::below_ensemble(const Request& request) const {
  const auto snapshot = observations.publication->current();
  const auto not_found = [&](const std::string& message) {
    return wants_json(request.segments) ? json_error(404, message) : page_not_found(message);
  };
  auto path = parse_page_path(request.segments);
  if (!path)
    return not_found(
        "an ensemble has the pages members, connections, configuration, sources, events and inside, each "
        "also with "
        ".json behind its name");
  auto ensemble = find_ensemble(*snapshot, path->ensemble);
  if (!ensemble) {
    const auto shorter = without_json_suffix(*path);
    const auto found = shorter ? find_ensemble(*snapshot, shorter->ensemble) : ensemble;
    if (!found) return not_found(found.error().message);
    path = shorter;
    ensemble = found;
  }
  return path->json ? table(request, **ensemble, path->table) : page_document(request);
}

Response Routes::State::table(const Request& request, const EnsembleView& ensemble, PageTable table) const {
  const Moment now = observations.now();
  switch (table) {
    case PageTable::kNone:
      return json_response({{"time", rfc3339(now.wall)}, {"ensemble", ensemble_document(ensemble, now)}});
    case PageTable::kMembers:
      return json_response(members_table(ensemble, observations.latest_row(ensemble.name),
                                         status_lifetime(longest_interval), now));
    case PageTable::kConnections:
      return json_response(connections_table(ensemble, now));
    case PageTable::kConfiguration:
      return json_response(configuration_table(ensemble, now));
    case PageTable::kSources:
      return json_response(sources_table(ensemble, now));
    case PageTable::kInside:
      return json_response(inside_table(ensemble, now));
    case PageTable::kEvents:
      break;
  }
  Request of_ensemble = request;
  of_ensemble.query.erase("ensemble");
  of_ensemble.query.emplace("ensemble", ensemble.name);
  return events(of_ensemble);
}

Routes::Routes(Observations observations, std::vector<EnsembleSpec> ensembles, const Settings& settings) {
  auto state = std::make_shared<State>();
  state->observations = std::move(observations);
  state->ensembles = std::move(ensembles);
  state->families.native = settings.families.native.value_or(true);
  state->families.zk = settings.families.zk.value_or(true);
  state->families.zookeeper39 = settings.families.zookeeper39.value_or(false);
  state->families.zookeeper39_instance = !settings.single_member;
  state->probe_policy = settings.probe.value_or(ProbePolicy::kAny);
  for (const EnsembleSpec& ensemble : state->ensembles)
    state->longest_interval = std::max(state->longest_interval, ensemble.interval);
  state->families.fresh_for = status_lifetime(state->longest_interval);
  state->build = build_info();
  const Observations& seen = state->observations;
  state->feed = std::make_shared<StreamFeed>(StreamSources{.publication = seen.publication,
                                                           .events = seen.events,
                                                           .latest_row = seen.latest_row,
                                                           .now = seen.now,
                                                           .build = state->build,
                                                           .longest_interval = state->longest_interval});
  state_ = std::move(state);
}

std::vector<std::pair<std::string, Handler>> Routes::exact() const {
  const auto state = state_;
  return {
      {"/metrics", [state](const Request& request) { return state->metrics(request); }},
      {"/probe", [state](const Request& request) { return state->probe(request); }},
      {"/api/v1/status", [state](const Request&) { return state->status(); }},
      {"/api/v1/members", [state](const Request& request) { return state->members(request); }},
      {"/api/v1/events", [state](const Request& request) { return state->events(request); }},
      {"/api/v1/history", [state](const Request& request) { return state->history(request); }},
      {"/api/v1/safe-to-stop",
       [state](const Request& request) {
         return safe_to_stop(request.query, *state->observations.publication->current(),
                             state->longest_interval, state->observations.now());
       }},
      {"/api/v1/inside",
       [state](const Request&) {
         return json_response(
             inside_document(*state->observations.publication->current(), state->observations.now()));
       }},
      {"/livez",
       [state](const Request&) {
         return livez(*state->observations.publication->current(), state->longest_interval,
                      state->observations.now());
       }},
      {"/readyz",
       [state](const Request& request) {
         return readyz(*state->observations.publication->current(), state->longest_interval,
                       state->observations.now(), request.query.contains("verbose"));
       }},
      {"/api/v1/stream", [state](const Request& request) { return state->feed->open(request); }},
      {"/", page_document},
      {"/ensembles", page_document},
      {"/ensembles.json", [state](const Request&) { return state->all_ensembles(); }},
  };
}

std::vector<std::pair<std::string, Handler>> Routes::prefixes() const {
  return {
      {"/assets/", page_asset},
      {"/runbooks/", page_runbook},
      {"/ensemble/", [state = state_](const Request& request) { return state->below_ensemble(request); }},
  };
}

void Routes::add_to(HttpServer& server) const {
  for (auto& [path, handler] : exact()) server.handle(path, std::move(handler));
  for (auto& [prefix, handler] : prefixes()) server.handle_prefix(prefix, std::move(handler));
}

}  // namespace wk::exporter
