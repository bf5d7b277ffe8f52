#include "server/node/internals.h"

#include <array>
#include <chrono>

#include "server/txn/operation.h"

namespace wk::node {
namespace {

using exporter::ServerInternals;

void copy_requests(const replica::Replica& replica, ServerInternals& to) {
  const replica::Stats& stats = replica.stats();
  for (std::size_t i = 0; i < replica::kWriteStages; ++i)
    to.write_stages.push_back(
        {replica::name(static_cast<replica::WriteStage>(i)), stats.write_stages.stages[i]});
  to.write_total = stats.write_stages.total;
  for (const txn::Operation& operation : txn::operations()) {
    if (operation.asker != txn::Asker::kClient) continue;
    const replica::OperationStats& counted = stats.operations[txn::index_of(operation)];
    to.operations.push_back({operation.name(), counted.requests, counted.errors, counted.latency});
  }
  to.transactions_applied = stats.transactions_applied;
  to.transactions_failed = stats.error_transactions;
  to.transactions_in_flight = replica.pipeline().in_flight().size();
  to.requests_outstanding = replica.outstanding_requests();
  to.containers_removed = stats.containers_removed;
}

void copy_disk(const replica::Replica& replica, const NodeStats& node, const Surroundings& surroundings,
               ServerInternals& to) {
  to.fsync = node.fsync;
  to.log_batch = node.log_batch;
  to.log_bytes = node.log_bytes;
  to.log_files_created = node.log_files_created;
  to.slow_fsyncs = node.slow_fsyncs;
  to.log_full = node.log_full;
  to.snapshots.finished = node.snapshot_ns.count();
  to.snapshots.failed = node.snapshots_failed;
  to.snapshots.duration = std::chrono::nanoseconds(node.snapshot_ns.sum());
  to.snapshots.running = replica.pipeline().snapshot_running();
  if (node.last_snapshot) {
    to.snapshots.last_finished = node.last_snapshot->wall;
    to.last_snapshot_zxid = node.last_snapshot_zxid;
    to.last_snapshot_bytes = node.last_snapshot_bytes;
  }
  to.purges.finished = node.purges;
  to.purges.failed = node.purges_failed;
  to.purges.duration = node.purge_time;
  to.purges.running = node.purging;
  if (node.last_purge) to.purges.last_finished = node.last_purge->wall;
  if (node.last_purge_failed) to.last_purge_failed = node.last_purge_failed->wall;
  to.purged_files = node.purged_files;
  to.snapshot_folder_bytes = surroundings.snapshot_folder_bytes;
  to.log_folder_bytes = surroundings.log_folder_bytes;
}

void copy_clients(const replica::Replica& replica, const net::ClientPortStats& port, ServerInternals& to) {
  const replica::Stats& stats = replica.stats();
  const replica::Connections& connections = replica.connections();
  for (std::size_t i = 0; i < replica::Connection::kStages; ++i) {
    const auto stage = static_cast<replica::Connection::Stage>(i);
    to.connections_by_state.push_back({replica::name(stage), connections.count(stage)});
  }
  to.connections_paused = connections.paused_count();
  for (std::size_t i = 0; i < replica::kCloseReasons; ++i)
    to.connections_closed.push_back({replica::name(static_cast<replica::CloseReason>(i)), stats.closes[i]});
  to.connections_refused = {{"address_limit", port.refused_by_address_limit},
                            {"total_limit", port.refused_by_total_limit},
                            {"no_descriptor", port.refused_without_descriptor},
                            {"frame_too_long", port.frames_too_long},
                            {"http", port.http_requests},
                            {"tls", port.tls_hellos},
                            {"unanswered_too_long", port.closed_unanswered},
                            {"does_not_read", port.closed_not_reading}};
  to.connections_accepted = port.accepted;
  to.connections_ended_by_peer = port.ended_by_peer;
  const replica::NamespaceTraffic::Traffic& unnamed = stats.namespaces.remainder();
  to.limits_hit = {{"outstanding_requests", stats.throttled},
                   {"unsent_bytes", port.choked},
                   {"log_space", stats.writes_refused_no_space},
                   {"namespaces", unnamed.reads.count + unnamed.writes.count}};
  to.bytes_received = port.bytes_received;
  to.bytes_sent = port.bytes_sent;
}

void copy_sessions(const replica::Replica& replica, ServerInternals& to) {
  const replica::Stats& stats = replica.stats();
  to.sessions = replica.sessions().size();
  to.session_changes = {{"opened", stats.sessions_opened},
                        {"resumed", stats.sessions_resumed},
                        {"refused", stats.sessions_refused},
                        {"expired", stats.sessions_expired},
                        {"closed", stats.sessions_closed}};
  const session::ExpiryQueue::Occupancy occupancy = replica.sessions().expiry_occupancy();
  to.expiry_buckets = occupancy.buckets;
  to.expiry_bucket_most = occupancy.most;
}

void copy_watches(const replica::Stats& stats, ServerInternals& to) {
  static constexpr std::array<const char*, 4> kEvents{"created", "deleted", "data_changed",
                                                      "children_changed"};
  for (std::size_t i = 0; i < kEvents.size(); ++i) to.fan_out.push_back({kEvents[i], stats.fan_out[i]});
}

void copy_memory(const replica::Replica& replica, ServerInternals& to) {
  const tree::DataTree::Memory tree = replica.tree().memory();
  to.memory_bytes = {{"znode_records", tree.records},
                     {"znode_index", tree.index},
                     {"znode_names_and_data", tree.names_and_data},
                     {"watches", replica.watches().allocated_bytes()},
                     {"sessions", replica.sessions().allocated_bytes()},
                     {"transactions_in_flight", replica.pipeline().in_flight().allocated_bytes()}};
}

}  // namespace

std::shared_ptr<ServerInternals> internals(const InternalsSources& from, const Moment& now) {
  auto made = std::make_shared<ServerInternals>();
  copy_requests(from.replica, *made);
  copy_disk(from.replica, from.node, from.surroundings, *made);
  made->wake_up = from.node.wake_up;
  made->publish = from.node.publish;
  made->longest_wake_up = from.node.longest_wake_up.value(now.steady);
  copy_clients(from.replica, from.port.stats(), *made);
  copy_sessions(from.replica, *made);
  copy_watches(from.replica.stats(), *made);
  copy_memory(from.replica, *made);
  made->reply_bytes_max = from.reply_bytes_max;
  return made;
}

}  // namespace wk::node
