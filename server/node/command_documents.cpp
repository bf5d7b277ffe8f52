#include "server/node/command_documents.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <system_error>
#include <utility>

#include "base/endpoint.h"
#include "server/node/java_text.h"

namespace wk::node {
namespace {

using exporter::Json;

/// Adds a field that is not there yet. As an object's own operator[], without looking through all the others.
void add(Json& object, std::string key, Json value) {
  object.get_ref<Json::object_t&>().emplace_back(std::move(key), std::move(value));
}

Json size(std::optional<std::uint64_t> bytes) { return bytes ? Json(*bytes) : Json(-1); }

/// The five fields that every connection has.
Json brief_connection(const ConnectionLine& connection) {
  return {{"remote_socket_address", endpoint_text(connection.address, connection.port)},
          {"interest_ops", connection.interest_ops},
          {"outstanding_requests", connection.queued},
          {"packets_received", connection.received},
          {"packets_sent", connection.sent}};
}

Json whole_connection(const ConnectionLine& connection) {
  Json document = brief_connection(connection);
  if (!connection.session) return document;
  const ConnectionLine::Session& session = *connection.session;
  document["session_id"] = session.id.value;
  document["last_operation"] = session.last_operation;
  document["established"] = session.established_ms;
  document["session_timeout"] = session.timeout_ms;
  document["last_cxid"] = session.last_cxid;
  document["last_zxid"] = session.last_zxid ? static_cast<std::int64_t>(session.last_zxid->value) : -1;
  document["last_response_time"] = session.last_response_ms;
  document["last_latency"] = session.latency_last_ms;
  document["min_latency"] = session.latency_min_ms;
  document["avg_latency"] = session.latency_mean_ms;
  document["max_latency"] = session.latency_max_ms;
  return document;
}

/// -1 is Apache's word for none yet.
Json buffer_sizes(const ServerStatsFacts& facts) {
  const auto size = [](const std::optional<std::size_t>& bytes) { return bytes ? Json(*bytes) : Json(-1); };
  return {{"last_buffer_size", size(facts.last_response)},
          {"min_buffer_size", size(facts.least_response)},
          {"max_buffer_size", size(facts.most_response)}};
}

Json paths_by_session(const PathsBySession& paths) {
  Json document = Json::object();
  for (const auto& [session, list] : paths) add(document, std::to_string(session.value), list);
  return document;
}

/// A number as it stands in mntr, or the text itself.
Json number_or_text(std::string_view text) {
  std::int64_t whole = 0;
  const char* const end = text.data() + text.size();
  if (const auto [rest, code] = std::from_chars(text.data(), end, whole); code == std::errc() && rest == end)
    return whole;
  double number = 0;
  const bool is_number =
      !text.empty() && (text.front() == '-' || (text.front() >= '0' && text.front() <= '9'));
  if (const auto [rest, code] = std::from_chars(text.data(), end, number);
      is_number && code == std::errc() && rest == end)
    return number;
  return text;
}

}  // namespace

Json configuration_document(const ServerConfiguration& configuration) {
  return {{"client_port", configuration.client_port},
          {"data_dir", configuration.data_dir},
          {"data_log_dir", configuration.log_dir},
          {"tick_time", configuration.tick_ms},
          {"max_client_cnxns", configuration.connections_per_address_max},
          {"min_session_timeout", configuration.session_timeout_min_ms},
          {"max_session_timeout", configuration.session_timeout_max_ms},
          {"server_id", configuration.server_id},
          {"client_port_listen_backlog", configuration.listen_backlog}};
}

Json connections_document(std::span<const ConnectionLine> connections) {
  Json list = Json::array();
  for (const ConnectionLine& connection : connections) list.push_back(whole_connection(connection));
  return {{"connections", std::move(list)}, {"secure_connections", Json::array()}};
}

Json dirs_document(std::optional<std::uint64_t> data_bytes, std::optional<std::uint64_t> log_bytes) {
  return {{"datadir_size", size(data_bytes)}, {"logdir_size", size(log_bytes)}};
}

Json dump_document(const SessionsByEnd& sessions, const PathsBySession& ephemerals) {
  Json ends = Json::object();
  for (const auto& [at, ids] : sessions) {
    Json list = Json::array();
    for (const SessionId id : ids) list.push_back(id.value);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch());
    add(ends, std::to_string(ms.count()), std::move(list));
  }
  return {{"expiry_time_to_session_ids", std::move(ends)},
          {"session_id_to_ephemeral_paths", paths_by_session(ephemerals)}};
}

Json environment_document(const Entries& entries) {
  Json document = Json::object();
  for (const auto& [key, value] : entries) document[key] = value;
  return document;
}

Json system_properties_document(const Entries& entries) {
  Json document = Json::object();
  for (const auto& [key, value] : entries)
    if ((key.starts_with("java.") || key.starts_with("os.") || key.starts_with("user.")) &&
        !key.starts_with("os.memory."))
      document[key] = value;
  return document;
}

Json hash_document(const Digests& digests) {
  Json list = Json::array();
  for (const auto& [zxid, digest] : digests)
    list.push_back(
        {{"zxid", zxid.value}, {"digest", static_cast<std::int64_t>(digest)}, {"digest_version", 2}});
  return {{"digests", std::move(list)}};
}

Json last_snapshot_document(const std::optional<SnapshotFacts>& snapshot) {
  return {{"zxid", java_hex(snapshot ? static_cast<std::int64_t>(snapshot->zxid.value) : -1)},
          {"timestamp", snapshot ? snapshot->written_s : -1}};
}

Json monitor_document(std::string_view mntr) {
  static constexpr std::string_view kPrefix = "zk_";
  Json document = Json::object();
  while (!mntr.empty()) {
    const std::size_t end = mntr.find('\n');
    const std::string_view line = mntr.substr(0, end);
    mntr.remove_prefix(end == std::string_view::npos ? mntr.size() : end + 1);
    const std::size_t tab = line.rfind('\t');
    if (tab == std::string_view::npos || !line.starts_with(kPrefix)) continue;
    add(document, std::string(line.substr(kPrefix.size(), tab - kPrefix.size())),
        number_or_text(line.substr(tab + 1)));
  }
  return document;
}

Json server_stats_document(const ServerStatsFacts& facts) {
  const ServerStatus& status = facts.status;
  Json stats{{"packets_sent", status.sent},
             {"packets_received", status.received},
             {"fsync_threshold_exceed_count", facts.slow_fsyncs},
             {"client_response_stats", buffer_sizes(facts)},
             {"provider_null", false},
             {"server_state", status.mode},
             {"outstanding_requests", status.outstanding},
             {"min_latency", status.latency_min_ms},
             {"avg_latency", round_to_four_decimals(status.latency_mean_ms)},
             {"max_latency", status.latency_max_ms},
             {"data_dir_size", size(facts.data_dir_bytes)},
             {"log_dir_size", size(facts.log_dir_bytes)},
             {"last_processed_zxid", status.zxid.value},
             {"num_alive_client_connections", status.connections},
             {"uptime", facts.uptime_ms},
             {"auth_failed_count", facts.auth_failures},
             {"non_mtlsremote_conn_count", 0},
             {"non_mtlslocal_conn_count", 0}};
  return {{"version", status.version},
          {"read_only", false},
          {"server_stats", std::move(stats)},
          {"client_response", buffer_sizes(facts)},
          {"node_count", status.nodes}};
}

Json stats_document(const ServerStatsFacts& facts, std::span<const ConnectionLine> connections) {
  Json document = server_stats_document(facts);
  Json list = Json::array();
  for (const ConnectionLine& connection : connections) list.push_back(brief_connection(connection));
  document["connections"] = std::move(list);
  document["secure_connections"] = Json::array();
  return document;
}

Json watch_summary_document(std::size_t connections, std::size_t paths, std::size_t watches) {
  return {{"num_connections", connections}, {"num_paths", paths}, {"num_total_watches", watches}};
}

Json watches_document(const PathsBySession& watches) {
  return {{"session_id_to_watched_paths", paths_by_session(watches)}};
}

Json watches_by_path_document(const SessionsByPath& watches) {
  Json document = Json::object();
  for (const auto& [path, sessions] : watches) {
    Json list = Json::array();
    for (const SessionId session : sessions) list.push_back(session.value);
    add(document, path, std::move(list));
  }
  return {{"path_to_session_ids", std::move(document)}};
}

}  // namespace wk::node
