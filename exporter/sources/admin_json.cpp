#include "exporter/sources/admin_json.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <variant>
#include <vector>

#include "exporter/sources/conf.h"
#include "exporter/sources/cons.h"
#include "exporter/sources/four_letter.h"
#include "exporter/sources/membership.h"
#include "exporter/sources/mntr.h"
#include "exporter/sources/status_builder.h"

namespace wk::exporter {
namespace {

using Json = nlohmann::json;

// AdminServer nests three levels; deeper values are not kept.
constexpr int kDepthLimit = 8;
constexpr int kHttpOk = 200;
constexpr int kHttpInternalError = 500;

using Document = std::variant<Json, Parsed>;

Parsed failure(SourceState state, std::string_view detail) { return parsed_failure(state, detail); }

Parsed missing(std::string_view member) {
  return failure(SourceState::kMalformed, "the JSON object lacks " + std::string(member));
}

// What an HTML error page says in its title, else its beginning.
std::string_view title_of(std::string_view body) {
  const auto open = body.find("<title>");
  if (open == std::string_view::npos) return body.substr(0, body.find('\n'));
  const std::string_view text = body.substr(open + 7);
  return text.substr(0, text.find('<'));
}

// The root object, or why there is none. `keep` may refuse values as the parser completes them.
template <typename Keep>
Document parse_document(int http_status, std::string_view body, Keep keep) {
  if (http_status == kHttpInternalError && body.find("NullPointerException") != std::string_view::npos)
    return failure(SourceState::kNotServing,
                   "HTTP 500, java.lang.NullPointerException: the server object is missing");
  if (http_status != kHttpOk)
    return failure(SourceState::kHttpError, "HTTP " + std::to_string(http_status) + ": " +
                                                std::string(title_of(body).substr(0, kDetailLimit)));
  if (body.empty()) return failure(SourceState::kTruncated, "the body is empty");
  Json root;
  try {
    root = Json::parse(body, [&](int depth, Json::parse_event_t event, Json& parsed) {
      const bool start =
          event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
      if (start && depth >= kDepthLimit) return false;
      return keep(depth, event, parsed);
    });
  } catch (const Json::exception& error) {
    const auto* syntax = dynamic_cast<const Json::parse_error*>(&error);
    const bool at_end = syntax != nullptr && syntax->byte > body.size();
    return failure(at_end ? SourceState::kTruncated : SourceState::kMalformed,
                   at_end ? std::string("the JSON text ends in the middle") : std::string(error.what()));
  }
  if (!root.is_object()) return failure(SourceState::kMalformed, "the answer is no JSON object");
  const auto error = root.find("error");
  if (error == root.end() || !root.contains("command")) return missing("\"command\" and \"error\"");
  if (error->is_string()) {
    const auto& text = error->get_ref<const std::string&>();
    if (const auto general = classify(text); general && general->state == SourceState::kNotServing)
      return *general;
    return failure(SourceState::kHttpError, text);
  }
  return root;
}

Document parse_document(int http_status, std::string_view body) {
  return parse_document(http_status, body, [](int, Json::parse_event_t, Json&) { return true; });
}

const Json* member(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::optional<std::string_view> text_of(const Json* value) {
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_ref<const std::string&>());
}

std::optional<std::int64_t> integer_of(const Json* value) {
  if (value == nullptr || !value->is_number_integer()) return std::nullopt;
  // Java's longs are signed; what needs the 64th bit is no number of AdminServer's.
  if (value->is_number_unsigned() && !std::in_range<std::int64_t>(value->get<std::uint64_t>()))
    return std::nullopt;
  return value->get<std::int64_t>();
}

std::optional<std::uint64_t> size_of(const Json* value) {
  const auto number = integer_of(value);
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::optional<std::chrono::milliseconds> milliseconds_of(const Json* value) {
  const auto number = integer_of(value);
  if (!number || *number < 0) return std::nullopt;
  return std::chrono::milliseconds(*number);
}

std::optional<bool> flag_of(const Json* value) {
  if (value == nullptr || !value->is_boolean()) return std::nullopt;
  return value->get<bool>();
}

void add_number(StatusBuilder& builder, std::string_view metric_name, const Json* value) {
  if (value != nullptr && value->is_number()) builder.add_plain(metric_name, value->get<double>());
}

// "max_client_cnxns" → "maxClientCnxns".
std::string conf_spelling(std::string_view key) {
  std::string result;
  bool raise = false;
  for (const char c : key) {
    if (c == '_') {
      raise = true;
      continue;
    }
    result += raise && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    raise = false;
  }
  return result;
}

// The singular spellings are those of 3.5, which knew one address a member.
std::optional<std::string_view> first_text(const Json& object, std::string_view plural,
                                           std::string_view singular) {
  if (const Json* list = member(object, plural); list != nullptr && list->is_array() && !list->empty())
    return text_of(&list->front());
  return text_of(member(object, singular));
}

std::optional<MembershipEntry> membership_entry(std::string_view id, const Json& value) {
  if (value.is_string()) return parse_membership_entry(id, value.get_ref<const std::string&>());
  const auto server = first_text(value, "server_addresses", "server_address");
  const auto election = first_text(value, "election_addresses", "election_address");
  if (!server || !election) return std::nullopt;
  const auto quorum_address = parse_host_port(*server);
  const auto election_address = parse_host_port(*election);
  const auto number = parse_integer<std::int64_t>(id);
  if (!quorum_address || !election_address || !number || *number < 0) return std::nullopt;
  constexpr std::size_t kHostLimit = 255;
  MembershipEntry entry;
  entry.id = ServerId{*number};
  entry.host = clean_text(quorum_address->host, kHostLimit);
  entry.quorum_port = quorum_address->port;
  entry.election_port = election_address->port;
  entry.voter = text_of(member(value, "learner_type")) != std::string_view("observer");
  entry.client_address = client_address(text_of(member(value, "client_address")).value_or(""), entry.host);
  return entry;
}

std::optional<ClientConnection> connection_of(const Json& object) {
  ClientConnection connection;
  const auto address = text_of(member(object, "remote_socket_address"));
  if (!address || !set_address(connection, *address)) return std::nullopt;
  if (const auto id = integer_of(member(object, "session_id")); id && *id != 0)
    connection.session = SessionId{*id};
  connection.queued = size_of(member(object, "outstanding_requests"));
  connection.received = size_of(member(object, "packets_received"));
  connection.sent = size_of(member(object, "packets_sent"));
  connection.session_timeout = milliseconds_of(member(object, "session_timeout"));
  connection.latency_average = milliseconds_of(member(object, "avg_latency"));
  connection.latency_maximum = milliseconds_of(member(object, "max_latency"));
  constexpr std::size_t kOperationLength = 32;
  connection.last_operation =
      clean_text(text_of(member(object, "last_operation")).value_or(""), kOperationLength);
  return connection;
}

}  // namespace

Parsed parse_admin_monitor(int http_status, std::string_view body) {
  Document document = parse_document(http_status, body);
  if (auto* failed = std::get_if<Parsed>(&document)) return std::move(*failed);
  const Json& root = std::get<Json>(document);
  const auto version = text_of(member(root, "version"));
  const auto role = text_of(member(root, "server_state"));
  if (!version || !role) return missing("version or server_state");
  StatusBuilder builder;
  builder.set_version(*version);
  builder.set_role(*role);
  if (const auto phase = text_of(member(root, "peer_state"))) builder.set_phase(*phase);
  constexpr auto kTexts =
      std::to_array<std::string_view>({"version", "server_state", "peer_state", "command", "error"});
  std::vector<std::string_view> named;
  for (const auto& [key, value] : root.items()) {
    if (std::ranges::find(kTexts, key) != kTexts.end()) continue;
    if (is_core_gauge(key)) named.push_back(key);
    if (value.is_number()) {
      builder.add_mntr(key, value.get<double>());
    } else if (value.is_string()) {
      builder.add_mntr(key, value.get_ref<const std::string&>());
    } else if (!value.is_null()) {
      builder.drop();
    }
  }
  StatusAnswer answer = builder.finish();
  const bool texts_only = answer.measurements.empty() && answer.others.empty() && answer.dropped == 0;
  if (!texts_only && !has_core_gauges(answer, named)) return missing("gauges that every server prints");
  return parsed_ok(std::move(answer));
}

Parsed parse_admin_server_stats(int http_status, std::string_view body) {
  Document document = parse_document(http_status, body);
  if (auto* failed = std::get_if<Parsed>(&document)) return std::move(*failed);
  const Json& root = std::get<Json>(document);
  const Json* stats = member(root, "server_stats");
  const auto version = text_of(member(root, "version"));
  const auto zxid = stats == nullptr ? std::nullopt : integer_of(member(*stats, "last_processed_zxid"));
  const auto role = stats == nullptr ? std::nullopt : text_of(member(*stats, "server_state"));
  if (!version || !zxid || !role) return missing("version, server_state or last_processed_zxid");

  StatusBuilder builder;
  builder.set_version(*version);
  builder.set_role(*role);
  if (flag_of(member(root, "read_only")).value_or(false)) builder.answer().role = Role::kReadOnly;
  builder.answer().zxid = Zxid{std::bit_cast<std::uint64_t>(*zxid)};
  struct Field {
    std::string_view json, metric;
  };
  constexpr auto kFields =
      std::to_array<Field>({{"packets_sent", "packets_sent"},
                            {"packets_received", "packets_received"},
                            {"fsync_threshold_exceed_count", "fsync_threshold_exceed_count"},
                            {"outstanding_requests", "outstanding_requests"},
                            {"min_latency", "min_latency"},
                            {"avg_latency", "avg_latency"},
                            {"max_latency", "max_latency"},
                            {"num_alive_client_connections", "num_alive_connections"},
                            {"uptime", "uptime"},
                            {"auth_failed_count", "auth_failed_count"},
                            {"non_mtlsremote_conn_count", "non_mtls_remote_conn_count"},
                            {"non_mtlslocal_conn_count", "non_mtls_local_conn_count"}});
  for (const auto& [json, metric] : kFields) add_number(builder, metric, member(*stats, json));
  add_number(builder, "znode_count", member(root, "node_count"));
  if (const Json* sizes = member(root, "client_response")) {
    add_number(builder, "last_client_response_size", member(*sizes, "last_buffer_size"));
    add_number(builder, "min_client_response_size", member(*sizes, "min_buffer_size"));
    add_number(builder, "max_client_response_size", member(*sizes, "max_buffer_size"));
  }
  if (const Json* sizes = member(root, "proposal_stats")) {
    add_number(builder, "last_proposal_size", member(*sizes, "last_buffer_size"));
    add_number(builder, "min_proposal_size", member(*sizes, "min_buffer_size"));
    add_number(builder, "max_proposal_size", member(*sizes, "max_buffer_size"));
  }
  return parsed_ok(builder.finish());
}

Parsed parse_admin_configuration(int http_status, std::string_view body) {
  Document document = parse_document(http_status, body);
  if (auto* failed = std::get_if<Parsed>(&document)) return std::move(*failed);
  const Json& root = std::get<Json>(document);
  if (!root.contains("client_port")) return missing("client_port");
  ConfigurationAnswer answer;
  std::map<std::string, std::string> entries;
  for (const auto& [key, value] : root.items()) {
    if (key == "command" || key == "error" || value.is_structured() || value.is_null()) continue;
    if (entries.size() >= kConfigurationEntryLimit || key.size() > kConfigurationTextLimit) continue;
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    entries.insert_or_assign(conf_spelling(clean_text(key, kConfigurationTextLimit)),
                             clean_text(text, kConfigurationTextLimit));
  }
  answer.entries.assign(entries.begin(), entries.end());
  if (const auto id = integer_of(member(root, "server_id"))) answer.server_id = ServerId{*id};
  return parsed_ok(std::move(answer));
}

Parsed parse_admin_voting_view(int http_status, std::string_view body) {
  Document document = parse_document(http_status, body);
  if (auto* failed = std::get_if<Parsed>(&document)) return std::move(*failed);
  const Json& root = std::get<Json>(document);
  const Json* view = member(root, "current_config");
  if (view == nullptr || !view->is_object()) return missing("current_config");
  ConfigurationAnswer answer;
  for (const auto& [id, value] : view->items()) {
    if (answer.membership.size() >= kMembershipLimit) break;
    auto entry = membership_entry(id, value);
    if (!entry)
      return failure(SourceState::kMalformed, "member " + id.substr(0, 32) + " lacks readable addresses");
    answer.membership.push_back(*std::move(entry));
  }
  std::ranges::sort(answer.membership, {}, &MembershipEntry::id);
  return parsed_ok(std::move(answer));
}

Parsed parse_admin_connections(int http_status, std::string_view body) {
  // A member may have tens of thousands of connections: each object is counted when it is complete, and not
  // kept.
  constexpr int kConnectionDepth = 2;
  constexpr auto kMembers =
      std::to_array<std::string_view>({"command", "connections", "error", "secure_connections"});
  constexpr auto kConnectionMembers = std::to_array<std::string_view>(
      {"avg_latency", "last_operation", "max_latency", "outstanding_requests", "packets_received",
       "packets_sent", "remote_socket_address", "session_id", "session_timeout"});
  const auto is_one_of = [](const Json& key, const auto& names) {
    return std::ranges::find(names, key.get_ref<const std::string&>()) != names.end();
  };
  ConnectionTally tally;
  bool readable = true;
  const Document document =
      parse_document(http_status, body, [&](int depth, Json::parse_event_t event, Json& parsed) {
        // What is not read is not kept either: a JSON value takes many times the memory of its text.
        switch (event) {
          case Json::parse_event_t::key:
            return (depth == 1 && is_one_of(parsed, kMembers)) ||
                   (depth == kConnectionDepth + 1 && is_one_of(parsed, kConnectionMembers));
          case Json::parse_event_t::object_start:
            return depth <= kConnectionDepth;
          case Json::parse_event_t::array_start:
            return depth < kConnectionDepth;
          case Json::parse_event_t::value:
            return depth != kConnectionDepth;
          case Json::parse_event_t::array_end:
            return true;
          case Json::parse_event_t::object_end:
            if (depth != kConnectionDepth) return true;
            break;
        }
        if (auto connection = connection_of(parsed)) {
          tally.add(*std::move(connection));
        } else {
          // A connection that closed while the list was made has no address any more.
          const Json* address = member(parsed, "remote_socket_address");
          readable = readable && address != nullptr && address->is_null();
        }
        return false;
      });
  if (const auto* failed = std::get_if<Parsed>(&document)) return *failed;
  const Json* list = member(std::get<Json>(document), "connections");
  if (list == nullptr || !list->is_array()) return missing("connections");
  if (!readable) return failure(SourceState::kMalformed, "a connection lacks remote_socket_address");
  return parsed_ok(tally.finish());
}

Parsed parse_admin_zabstate(int http_status, std::string_view body) {
  const Document document = parse_document(http_status, body);
  if (const auto* failed = std::get_if<Parsed>(&document)) return *failed;
  const Json& root = std::get<Json>(document);
  const auto phase = text_of(member(root, "zabstate"));
  if (!phase) return missing("zabstate");
  StatusBuilder words;
  words.set_phase(*phase);
  ZabAnswer answer;
  answer.phase = words.answer().phase;
  if (const auto id = integer_of(member(root, "myid"))) answer.my_id = ServerId{*id};
  answer.is_leader = flag_of(member(root, "is_leader"));
  answer.voting = flag_of(member(root, "voting"));
  if (const auto zxid = text_of(member(root, "last_zxid"))) answer.last_zxid = parse_zxid(*zxid);
  return parsed_ok(answer);
}

Parsed parse_admin_dirs(int http_status, std::string_view body) {
  const Document document = parse_document(http_status, body);
  if (const auto* failed = std::get_if<Parsed>(&document)) return *failed;
  const Json& root = std::get<Json>(document);
  if (!root.contains("datadir_size") || !root.contains("logdir_size"))
    return missing("datadir_size or logdir_size");
  return parsed_ok(DirsAnswer{size_of(member(root, "datadir_size")), size_of(member(root, "logdir_size"))});
}

Parsed parse_admin_watch_summary(int http_status, std::string_view body) {
  const Document document = parse_document(http_status, body);
  if (const auto* failed = std::get_if<Parsed>(&document)) return *failed;
  const Json& root = std::get<Json>(document);
  const auto connections = size_of(member(root, "num_connections"));
  const auto paths = size_of(member(root, "num_paths"));
  const auto watches = size_of(member(root, "num_total_watches"));
  if (!connections || !paths || !watches) return missing("num_connections, num_paths or num_total_watches");
  return parsed_ok(WatchesAnswer{*connections, *paths, *watches});
}

Parsed parse_admin_hash(int http_status, std::string_view body) {
  const Document document = parse_document(http_status, body);
  if (const auto* failed = std::get_if<Parsed>(&document)) return *failed;
  const Json* list = member(std::get<Json>(document), "digests");
  if (list == nullptr || !list->is_array()) return missing("digests");
  DigestsAnswer answer;
  for (const Json& row : *list) {
    const auto zxid = integer_of(member(row, "zxid"));
    const auto value = integer_of(member(row, "digest"));
    if (!zxid || !value) return missing("zxid or digest in a digest");
    answer.digests.push_back(
        {Zxid{std::bit_cast<std::uint64_t>(*zxid)}, std::bit_cast<std::uint64_t>(*value)});
  }
  // Nothing promises the order that the contract of DigestsAnswer does.
  auto& digests = answer.digests;
  std::sort(digests.begin(), digests.end());
  if (digests.size() > DigestsAnswer::kLimit)
    digests.erase(digests.begin(), digests.end() - std::ptrdiff_t{DigestsAnswer::kLimit});
  return parsed_ok(std::move(answer));
}

}  // namespace wk::exporter
