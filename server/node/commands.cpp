#include "server/node/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <system_error>
#include <utility>

#include "server/node/command_documents.h"
#include "server/node/process_environment.h"
#include "server/storage/file_names.h"

namespace wk::node {
namespace {

using exporter::Json;

/// More entries than one answer lists. A message of its own, for the server is well.
constexpr Errc kTooLong = Errc::kInvalidInput;

/// Asks for a list whose length `count` tells, unless it is too long.
template <typename Count, typename List>
auto ask_list(const CommandSources& from, Count count, List list, std::string_view what,
              std::string_view instead) -> Result<std::invoke_result_t<List>> {
  using Listed = std::invoke_result_t<List>;
  auto answer = from.inquiries.ask([count, list] {
    const std::size_t entries = count();
    return std::pair(entries, entries > kListedMax ? Listed{} : list());
  });
  if (!answer) return answer.error();
  if (answer->first > kListedMax) return Error{kTooLong, too_long_text(answer->first, what, instead)};
  return std::move(answer->second);
}

constexpr std::string_view kInsteadOfConnections =
    "the page's table of connections has the busiest ones, server_stats how many there are";
constexpr std::string_view kInsteadOfWatches = "watch_summary tells how many there are";

Result<std::vector<ConnectionLine>> ask_connections(const CommandSources& from) {
  return ask_list(
      from, [&from] { return from.inspection.port().connections(); },
      [&from] { return from.inspection.connections(ConnectionId{}); }, "connections", kInsteadOfConnections);
}

Result<ServerStatsFacts> ask_server_stats(const CommandSources& from) {
  return from.inquiries.ask([&from] {
    const replica::Stats& stats = from.inspection.replica().stats();
    const auto uptime = Moment::now() - from.stats.started;
    return ServerStatsFacts{
        .status = from.inspection.status(from.words.asked_since_reset()),
        .last_response = stats.last_response_size,
        .least_response = stats.least_response_size,
        .most_response = stats.most_response_size,
        .slow_fsyncs = from.stats.slow_fsyncs,
        .auth_failures = stats.auth_failures,
        .uptime_ms = std::chrono::duration_cast<std::chrono::milliseconds>(uptime).count(),
        .data_dir_bytes = from.inspection.surroundings().snapshot_folder_bytes,
        .log_dir_bytes = from.inspection.surroundings().log_folder_bytes};
  });
}

/// The fields of a command's answer, or why there are none. (A Result cannot hold a Json, which converts to
/// everything, errors included.)
struct Told {
  Told(Json document) : fields(std::move(document)) {}
  Told(Error why) : error(std::move(why)) {}

  Json fields;
  std::optional<Error> error;
};

// ---------------------------------------------------------------------------------------------------------------
// One function a command

Told configuration(const CommandSources& from) {
  const auto told = from.inquiries.ask([&from] { return from.inspection.configuration(); });
  if (!told) return told.error();
  return configuration_document(*told);
}

Told connections(const CommandSources& from) {
  const auto lines = ask_connections(from);
  if (!lines) return lines.error();
  return connections_document(*lines);
}

Told dirs(const CommandSources& from) {
  const auto told = from.inquiries.ask([&from] { return from.inspection.surroundings(); });
  if (!told) return told.error();
  return dirs_document(told->snapshot_folder_bytes, told->log_folder_bytes);
}

Told dump(const CommandSources& from) {
  const auto facts = ask_list(
      from, [&from] { return from.inspection.sessions_and_ephemerals(); },
      [&from] { return std::pair(from.inspection.sessions_by_end(), from.inspection.ephemerals()); },
      "sessions and ephemeral znodes", "monitor tells global_sessions and ephemerals_count");
  if (!facts) return facts.error();
  return dump_document(facts->first, facts->second);
}

Told environment(const CommandSources&) { return environment_document(process_environment()); }

Told get_trace_mask(const CommandSources& from) {
  const auto mask = from.inquiries.ask([&from] { return from.words.trace_mask(); });
  if (!mask) return mask.error();
  return Json{{"tracemask", *mask}};
}

Told hash(const CommandSources& from) {
  const auto digests = from.inquiries.ask([&from] { return from.inspection.digests(); });
  if (!digests) return digests.error();
  return hash_document(*digests);
}

Told initial_configuration(const CommandSources& from) {
  const std::optional<std::string>& text = from.inspection.configuration_text();
  return Json{{"initial_configuration", text ? Json(*text) : Json(nullptr)}};
}

Told is_read_only(const CommandSources&) { return Json{{"read_only", false}}; }

Told last_snapshot(const CommandSources& from) {
  const std::string& folder = from.inspection.data_dir();
  const auto entries = from.files.list(folder);
  if (!entries) return entries.error();
  const auto snapshots = storage::snapshots_of(*entries);
  std::optional<SnapshotFacts> newest;
  if (!snapshots.empty()) {
    std::error_code error;
    const auto written =
        std::filesystem::last_write_time(storage::join(folder, snapshots.front().name), error);
    if (!error)
      newest = SnapshotFacts{snapshots.front().zxid,
                             std::chrono::duration_cast<std::chrono::seconds>(
                                 std::chrono::file_clock::to_sys(written).time_since_epoch())
                                 .count()};
  }
  return last_snapshot_document(newest);
}

/// As Apache's standalone server answers: it has no quorum.
Told leader(const CommandSources&) { return Error{Errc::kNotFound, "server is not initialized"}; }

Told monitor(const CommandSources& from) {
  const auto text = from.inquiries.ask([&from] { return from.mntr(); });
  if (!text) return text.error();
  return monitor_document(*text);
}

Told observers(const CommandSources&) { return Json{{"synced_observers", 0}, {"observers", Json::array()}}; }

Told ruok(const CommandSources& from) {
  const auto answered = from.inquiries.ask([] { return true; });
  if (!answered) return answered.error();
  return Json::object();
}

Told server_stats(const CommandSources& from) {
  const auto facts = ask_server_stats(from);
  if (!facts) return facts.error();
  return server_stats_document(*facts);
}

Told stats(const CommandSources& from) {
  const auto facts = ask_server_stats(from);
  if (!facts) return facts.error();
  const auto lines = ask_connections(from);
  if (!lines) return lines.error();
  return stats_document(*facts, *lines);
}

Told system_properties(const CommandSources&) { return system_properties_document(process_environment()); }

Told voting_view(const CommandSources&) { return Json{{"current_config", Json::object()}}; }

Told watch_summary(const CommandSources& from) {
  const auto counts = from.inquiries.ask([&from] { return from.inspection.watch_counts(); });
  if (!counts) return counts.error();
  return watch_summary_document(counts->connections, counts->paths, counts->watches);
}

Told watches(const CommandSources& from) {
  const auto list = ask_list(
      from, [&from] { return from.inspection.watch_counts().watches; },
      [&from] { return from.inspection.watches_by_session(); }, "watches", kInsteadOfWatches);
  if (!list) return list.error();
  return watches_document(*list);
}

Told watches_by_path(const CommandSources& from) {
  const auto list = ask_list(
      from, [&from] { return from.inspection.watch_counts().watches; },
      [&from] { return from.inspection.watches_by_path(); }, "watches", kInsteadOfWatches);
  if (!list) return list.error();
  return watches_by_path_document(*list);
}

Told zabstate(const CommandSources&) { return Json{{"voting", false}, {"zabstate", ""}}; }

// ---------------------------------------------------------------------------------------------------------------
// The table

struct Command {
  /// The primary name first.
  std::array<std::string_view, 3> names;
  /// Null for what changes the server.
  Told (*fields)(const CommandSources&) = nullptr;
  std::string_view refusal;
};

constexpr std::string_view kResetByWord =
    "use the four-letter word of that name, where the whitelist allows it";

constexpr std::array kCommands{
    Command{{"configuration", "conf", "config"}, configuration, {}},
    Command{{"connection_stat_reset", "crst"}, nullptr, kResetByWord},
    Command{{"connections", "cons"}, connections, {}},
    Command{{"dirs"}, dirs, {}},
    Command{{"dump"}, dump, {}},
    Command{{"environment", "env", "envi"}, environment, {}},
    Command{{"get_trace_mask", "gtmk"}, get_trace_mask, {}},
    Command{{"hash"}, hash, {}},
    Command{{"initial_configuration", "icfg"}, initial_configuration, {}},
    Command{{"is_read_only", "isro"}, is_read_only, {}},
    Command{{"last_snapshot", "lsnp"}, last_snapshot, {}},
    Command{{"leader", "lead"}, leader, {}},
    Command{{"monitor", "mntr"}, monitor, {}},
    Command{{"observer_connection_stat_reset", "orst"}, nullptr, "there are no observers here"},
    Command{{"observers", "obsr"}, observers, {}},
    Command{{"restore", "rest"}, nullptr, "stop the server and put the snapshot file into its data folder"},
    Command{{"ruok"}, ruok, {}},
    Command{{"server_stats", "srvr"}, server_stats, {}},
    Command{{"set_trace_mask", "stmk"}, nullptr, kResetByWord},
    Command{{"snapshot", "snap"}, nullptr, "copy the newest snapshot file and the logs of the data folder"},
    Command{{"stat_reset", "srst"}, nullptr, kResetByWord},
    Command{{"stats", "stat"}, stats, {}},
    Command{{"system_properties", "sysp"}, system_properties, {}},
    Command{{"voting_view"}, voting_view, {}},
    Command{{"watch_summary", "wchs"}, watch_summary, {}},
    Command{{"watches", "wchc"}, watches, {}},
    Command{{"watches_by_path", "wchp"}, watches_by_path, {}},
    Command{{"zabstate"}, zabstate, {}},
};

const Command* find(std::string_view name) {
  const auto* const found = std::ranges::find_if(kCommands, [name](const Command& command) {
    return !name.empty() && std::ranges::find(command.names, name) != command.names.end();
  });
  return found == kCommands.end() ? nullptr : found;
}

int status_of(const Error& error) {
  switch (error.code) {
    case Errc::kNotAllowed:
      return 403;
    case Errc::kTimedOut:
    case Errc::kTooLarge:
      return 503;
    case Errc::kIo:
      return 500;
    default:
      return 200;
  }
}

CommandAnswer failed(std::string_view command, const Error& error) {
  return {status_of(error), {{"command", command}, {"error", error.message}}};
}

}  // namespace

CommandAnswer Commands::answer(std::string_view name) const {
  const Command* const command = find(name);
  if (command == nullptr) return failed(name, {Errc::kNotFound, fmt::format("Unknown command: {}", name)});
  const std::string_view primary = command->names.front();
  if (command->fields == nullptr)
    return failed(primary, {Errc::kNotAllowed,
                            fmt::format("{} would change the server, and this address only reads; {}",
                                        primary, command->refusal)});
  Told told = command->fields(sources_);
  if (told.error) return failed(primary, *told.error);
  told.fields["command"] = primary;
  told.fields["error"] = nullptr;
  return {200, std::move(told.fields)};
}

std::vector<std::string_view> Commands::names() {
  std::vector<std::string_view> names;
  for (const Command& command : kCommands)
    if (command.fields != nullptr) names.push_back(command.names.front());
  return names;
}

}  // namespace wk::node
