#include "server/replica/replica.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "server/replica/departure.h"

namespace wk::replica {
namespace {

// How often what counts as slow follows the load.
constexpr std::chrono::seconds kLatencyLookInterval{1};

}  // namespace

Replica::Replica(const Settings& settings, std::unique_ptr<Database> database, const Moment& now)
    : state_(settings, std::move(database)),
      outbox_(state_),
      pipeline_(state_, outbox_, quorum::Verifier::majority(std::span(&state_.settings.server, 1))),
      handshake_(state_, outbox_, pipeline_, now),
      requests_(state_, outbox_, pipeline_, handshake_),
      expiry_(state_, pipeline_),
      clean_up_(state_, pipeline_, now) {
  pipeline_.set_settlement(requests_);
  state_.stats.since = now;
  state_.now = now;
}

std::size_t Replica::start(std::optional<Zxid> snapshot, const Moment& now, Output& output) {
  outbox_.begin(output);
  const std::size_t orphans = remove_orphans();
  state_.database->sessions.start_tracking(now.steady);
  // Orphans are removed from no log: replaying the log on the old snapshot would bring them back, and with
  // them refuse or lose what was created in their places since.
  if (snapshot != last_applied() || orphans > 0) pipeline_.start_snapshot();
  return orphans;
}

std::size_t Replica::remove_orphans() {
  tree::DataTree& tree = state_.database->tree;
  std::vector<std::string> orphans;
  std::vector<SessionId> owners;
  for (const auto& [session, ephemerals] : tree.ephemeral_sessions()) {
    if (sessions().contains(session)) continue;
    owners.push_back(session);
    for (tree::Znode node = tree.first_ephemeral(session); node; node = tree.next_ephemeral(node))
      orphans.push_back(node.path());
  }
  for (const std::string& path : orphans) tree.delete_node(path, last_applied());
  for (const SessionId owner : owners) tree.forget_session(owner);
  return orphans.size();
}

void Replica::step(const Input& input, Output& output) {
  outbox_.begin(output);
  state_.notable.still.record(state_.now.steady, input.now.steady);
  state_.now = input.now;
  std::visit([&](const auto& event) { on(event, input.now); }, input.event);
}

void Replica::on(const Tick&, const Moment& now) {
  const bool expiring = expiry_.on_tick(now);
  const bool searching = clean_up_.on_tick(now);
  if (expiring || searching) outbox_.output().more_work = true;
  Notable& notable = state_.notable;
  notable.hot_reads.tick(now.steady);
  notable.hot_writes.tick(now.steady);
  if (now.steady - looked_at_latency_ < kLatencyLookInterval) return;
  looked_at_latency_ = now.steady;
  notable.slow.tick(now.steady, state_.stats.latency);
}

void Replica::on(const ClientOpened& opened, const Moment& now) {
  state_.connections.add(opened.connection, opened.address, now);
  ++state_.stats.connections_opened;
}

void Replica::on(const ClientFrame& frame, const Moment& now) {
  if (Connection* connection = state_.connections.find(frame.connection))
    requests_.on_frame(*connection, frame.payload, now);
}

void Replica::on(const ClientFetched& fetched, const Moment& now) {
  const Connection* const connection = state_.connections.find(fetched.connection);
  if (connection == nullptr || connection->stage != Connection::Stage::kOpen) return;
  state_.database->sessions.touch(connection->session, connection->timeout, now.steady);
}

void Replica::on(const ClientGone& gone, const Moment&) {
  if (state_.connections.find(gone.connection) == nullptr) return;
  if (gone.closed)
    ++state_.stats.closes[static_cast<std::size_t>(*gone.closed)];
  else
    ++state_.stats.connections_gone;
  forget_connection(state_, gone.connection, gone.closed);
}

void Replica::on(const AppendsHandedOver&, const Moment& now) { pipeline_.handed_over(now); }

void Replica::on(const LogSynced& synced, const Moment& now) {
  state_.notable.slow_syncs.record(synced.written, synced.synced);
  pipeline_.log_synced(synced, now);
}

void Replica::on(const LogSpaceExhausted& exhausted, const Moment& now) {
  pipeline_.log_space_exhausted(exhausted.durable, now);
}

void Replica::on(const LogSpaceBack&, const Moment&) { pipeline_.log_space_back(); }

void Replica::on(const SnapshotFinished& finished, const Moment&) {
  pipeline_.snapshot_finished(finished.written);
}

void Replica::on(const PurgeUnderWay& purge, const Moment&) { state_.notable.purging = purge.under_way; }

void Replica::on(const OutputDelivered& delivered, const Moment& now) {
  outbox_.delivered(now);
  state_.notable.slow.delivered(delivered.began, now, pipeline_.stages());
  pipeline_.delivered(delivered.began, now);
}

void Replica::reset_stats(const Moment& now) {
  state_.stats = Stats{};
  state_.stats.since = now;
}

}  // namespace wk::replica
