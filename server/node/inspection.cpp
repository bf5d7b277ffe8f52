#include "server/node/inspection.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "server/node/words.h"
#include "server/txn/operation.h"

namespace wk::node {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

std::int64_t ms(std::chrono::nanoseconds duration) { return duration_cast<milliseconds>(duration).count(); }

std::string_view last_operation_name(jute::OpCode code) {
  const txn::Operation* const operation = txn::find_operation(code);
  return operation == nullptr ? "NA" : operation->last_operation;
}

ConnectionLine::Session session_line(const replica::Connection& connection) {
  const replica::ConnectionStats& stats = connection.stats;
  ConnectionLine::Session line;
  line.id = connection.session;
  line.last_operation = last_operation_name(stats.last_op);
  line.established_ms = duration_cast<milliseconds>(stats.established.wall.time_since_epoch()).count();
  line.timeout_ms = connection.timeout.count();
  line.last_cxid = stats.last_cxid;
  if (stats.latencies > 0) {
    line.last_zxid = stats.last_zxid;
    line.last_response_ms = ms(stats.last_response.steady.time_since_epoch());
    line.latency_last_ms = ms(stats.last_latency);
    line.latency_min_ms = ms(stats.least_latency);
    line.latency_max_ms = ms(stats.most_latency);
    line.latency_mean_ms = ms(stats.latency_sum) / static_cast<std::int64_t>(stats.latencies);
  }
  return line;
}

/// As Java prints it.
std::string watched_path_text(std::string_view path) {
  return path == tree::kNullPath ? "null" : std::string(path);
}

}  // namespace

std::string too_long_text(std::size_t entries, std::string_view what, std::string_view instead) {
  return fmt::format("{} {} are more than the {} that one answer lists; {}", entries, what, kListedMax,
                     instead);
}

Inspection::Inspection(const config::Config& config, std::string data_dir, std::string log_dir,
                       const replica::Replica& replica, const net::ClientPort& port,
                       const Surroundings& surroundings)
    : config_(config),
      data_dir_(std::move(data_dir)),
      log_dir_(std::move(log_dir)),
      replica_(replica),
      port_(port),
      surroundings_(surroundings) {}

ServerStatus Inspection::status(std::uint64_t words) const {
  const replica::Stats& stats = replica_.stats();
  const auto latency_ms = [](std::uint64_t ns) { return static_cast<std::int64_t>(ns / 1'000'000); };
  return {.version = version_text(),
          .latency_min_ms = latency_ms(stats.latency.least()),
          .latency_mean_ms = stats.latency.mean() / 1e6,
          .latency_max_ms = latency_ms(stats.latency.most()),
          .received = stats.packets_received + words,
          .sent = stats.packets_sent + (words == 0 ? 0 : words - 1),
          .connections = port_.connections(),
          .outstanding = replica_.outstanding_requests(),
          .zxid = replica_.last_applied(),
          .mode = "standalone",
          .nodes = replica_.tree().node_count()};
}

ServerConfiguration Inspection::configuration() const {
  return {.client_port = config_.client ? port_.bound() : -1,
          .data_dir = data_dir_,
          .log_dir = log_dir_,
          .tick_ms = config_.tick_time.count(),
          .connections_per_address_max = config_.limits.max_connections_per_address,
          .session_timeout_min_ms = config_.sessions.timeout_min.count(),
          .session_timeout_max_ms = config_.sessions.timeout_max.count(),
          .listen_backlog = config_.limits.listen_backlog,
          .server_id = 0};
}

std::vector<ConnectionLine> Inspection::connections(ConnectionId asker) const {
  std::vector<ConnectionLine> lines;
  lines.reserve(port_.connections());
  port_.for_each([&](const net::Connection& socket) {
    ConnectionLine line{.address = socket.address(),
                        .port = socket.peer_port(),
                        .interest_ops = socket.interest_ops(),
                        .queued = 0,
                        .received = socket.id() == asker ? 1U : 0U,
                        .sent = 0,
                        .session = std::nullopt};
    if (const replica::Connection* const connection = replica_.connections().find(socket.id())) {
      line.queued = connection->pending.size();
      line.received = connection->stats.received;
      line.sent = connection->stats.sent;
      if (connection->session != SessionId{}) line.session = session_line(*connection);
    }
    lines.push_back(std::move(line));
  });
  return lines;
}

SessionsByEnd Inspection::sessions_by_end() const {
  SessionsByEnd sessions;
  replica_.sessions().for_each_tracked([&](std::chrono::steady_clock::time_point ends, SessionId id) {
    if (sessions.empty() || sessions.back().first != ends) sessions.push_back({ends, {}});
    sessions.back().second.push_back(id);
  });
  return sessions;
}

PathsBySession Inspection::ephemerals() const {
  PathsBySession ephemerals;
  for (const auto& [session, count] : replica_.tree().ephemeral_sessions()) {
    std::vector<std::string>& paths = ephemerals[session];
    paths.reserve(count);
    for (tree::Znode node = replica_.tree().first_ephemeral(session); node;
         node = replica_.tree().next_ephemeral(node))
      paths.push_back(node.path());
  }
  return ephemerals;
}

std::size_t Inspection::sessions_and_ephemerals() const {
  return replica_.sessions().tracked_count() + replica_.tree().ephemeral_count();
}

SessionId Inspection::session_of(ConnectionId id) const {
  const replica::Connection* const connection = replica_.connections().find(id);
  return connection == nullptr ? SessionId{} : connection->session;
}

PathsBySession Inspection::watches_by_session() const {
  PathsBySession watches;
  replica_.watches().for_each_by_connection(
      tree::WatchKind::kData, [&](ConnectionId connection, std::string_view path) {
        watches[session_of(connection)].push_back(watched_path_text(path));
      });
  return watches;
}

SessionsByPath Inspection::watches_by_path() const {
  SessionsByPath watches;
  replica_.watches().for_each_by_path(tree::WatchKind::kData,
                                      [&](std::string_view path, ConnectionId connection) {
                                        watches[watched_path_text(path)].push_back(session_of(connection));
                                      });
  return watches;
}

tree::WatchCounts Inspection::watch_counts() const {
  return replica_.watches().counts(tree::WatchKind::kData);
}

Digests Inspection::digests() const {
  Digests digests;
  for (const tree::ZxidDigest& one : replica_.digests().entries()) digests.emplace_back(one.zxid, one.digest);
  return digests;
}

}  // namespace wk::node
