#include "server/node/connection_survey.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/txn/operation.h"

namespace wk::node {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

exporter::ClientConnection row_of(const replica::Connection& connection, const net::Connection* socket) {
  const replica::ConnectionStats& stats = connection.stats;
  exporter::ClientConnection row;
  row.address = connection.address;
  if (socket != nullptr) row.port = socket->peer_port();
  row.session = connection.session;
  row.queued = connection.pending.size();
  row.received = stats.received;
  row.sent = stats.sent;
  row.session_timeout = connection.timeout;
  if (stats.latencies > 0) {
    row.latency_average =
        duration_cast<milliseconds>(stats.latency_sum / static_cast<std::int64_t>(stats.latencies));
    row.latency_maximum = duration_cast<milliseconds>(stats.most_latency);
  }
  if (const txn::Operation* const operation = txn::find_operation(stats.last_op); operation != nullptr)
    row.last_operation = operation->last_operation;
  return row;
}

}  // namespace

void ConnectionSurvey::begin(const Moment&) {
  place_ = 0;
  with_session_ = 0;
  memory_bytes_ = 0;
}

bool ConnectionSurvey::walk(const Moment& now) {
  const replica::Connections& connections = replica_.connections();
  const std::size_t end = std::min(connections.size(), place_ + kPlacesASlice);
  for (; place_ < end; ++place_) look_at(connections.at(place_), now);
  return place_ >= connections.size();
}

void ConnectionSurvey::look_at(const replica::Connection& connection, const Moment& now) {
  const replica::ConnectionStats& stats = connection.stats;
  const Seen present{now.steady, stats.received, stats.bytes_received + stats.bytes_sent};
  // One that took the place of another that ended may come a second time.
  if (!seen_.emplace(connection.id.value, present).second) return;
  const net::Connection* const socket = port_.find(connection.id);
  memory_bytes_ += connection.allocated_bytes() + (socket == nullptr ? 0 : socket->allocated_bytes());
  if (connection.session != SessionId{}) {
    ++with_session_;
    if (busiest_.wants(stats.received)) busiest_.add(stats.received, row_of(connection, socket));
  }
  rank(connection, socket, present);
}

void ConnectionSurvey::rank(const replica::Connection& connection, const net::Connection* socket,
                            const Seen& present) {
  Seen before{connection.stats.established.steady, 0, 0};
  if (const auto known = seen_before_.find(connection.id.value); known != seen_before_.end())
    // Fewer than before: its statistics were reset.
    if (known->second.requests <= present.requests) before = known->second;
  const double passed = seconds(present.at - before.at);
  if (passed <= 0) return;
  const double requests = static_cast<double>(present.requests - before.requests) / passed;
  const double bytes = static_cast<double>(present.bytes - before.bytes) / passed;
  if (!by_requests_.wants(requests) && !by_bytes_.wants(bytes)) return;
  const exporter::Talker talker{connection.address,
                                socket == nullptr ? std::uint16_t{0} : socket->peer_port(),
                                connection.session, requests, bytes};
  if (by_requests_.wants(requests)) by_requests_.add(requests, talker);
  if (by_bytes_.wants(bytes)) by_bytes_.add(bytes, talker);
}

void ConnectionSurvey::finish() {
  found_.by_requests = by_requests_.take();
  found_.by_bytes = by_bytes_.take();
  found_.busiest = busiest_.take();
  found_.with_session = with_session_;
  found_.memory_bytes = memory_bytes_;
  seen_before_ = std::exchange(seen_, {});
}

}  // namespace wk::node
