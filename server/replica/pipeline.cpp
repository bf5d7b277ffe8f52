#include "server/replica/pipeline.h"

#include <fmt/core.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "jute/txn_records.h"
#include "jute/utf8.h"
#include "server/txn/prepare.h"

namespace wk::replica {
namespace {

// Checksum, length and end mark around a payload in the log.
constexpr std::size_t kLogRecordOverhead = 13;

std::int64_t wall_ms(const Moment& now) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now.wall.time_since_epoch()).count();
}

// Calls visit(type, path, bytes of data) for each znode that a transaction's body changes, in its order,
// until visit returns false. Bodies of createX and setData begin with path and data, those of delete and
// setACL with the path; others name none.
template <typename Visit>
bool for_each_change(jute::OpCode type, std::span<const std::byte> body, const Visit& visit) {
  jute::Reader in(body);
  std::string_view path;
  switch (type) {
    case jute::OpCode::kCreate:
    case jute::OpCode::kCreate2:
    case jute::OpCode::kCreateContainer:
    case jute::OpCode::kCreateTtl:
    case jute::OpCode::kSetData: {
      std::optional<std::string_view> data;
      read(in, path);
      read(in, data);
      return !in.ok() || visit(type, path, data.value_or(std::string_view{}).size());
    }
    case jute::OpCode::kSetAcl:
    case jute::OpCode::kDelete:
    case jute::OpCode::kDeleteContainer:
      read(in, path);
      return !in.ok() || visit(type, path, std::size_t{0});
    case jute::OpCode::kMulti: {
      jute::MultiTxn multi;
      read(in, multi);
      if (!in.ok()) return true;
      for (const jute::MultiPartTxn& part : multi.parts)
        if (part.type != jute::OpCode::kMulti &&
            !for_each_change(part.type, std::as_bytes(std::span(part.body)), visit))
          return false;
      return true;
    }
    default:
      return true;
  }
}

void count_body(State& state, jute::OpCode type, std::span<const std::byte> body) {
  for_each_change(type, body, [&state](jute::OpCode change, std::string_view path, std::size_t data_bytes) {
    if (change == jute::OpCode::kSetAcl) return true;  // moves no data
    state.stats.namespaces.record_write(path, path.size() + data_bytes);
    state.notable.hot_writes.record(path);
    return true;
  });
}

// The first path that a transaction changes; empty when there is none.
std::string first_path(jute::OpCode type, std::span<const std::byte> body) {
  std::string found;
  for_each_change(type, body, [&found](jute::OpCode, std::string_view path, std::size_t) {
    found = jute::cut(path, SlowRequests::kMaxPathBytes);
    return false;
  });
  return found;
}

}  // namespace

Pipeline::Pipeline(State& state, Outbox& outbox, quorum::Verifier voters)
    : state_(state),
      outbox_(outbox),
      acknowledgements_(std::move(voters), state.database->last_applied),
      outstanding_(state.settings.operations.digest),
      snapshot_trigger_(state.settings.snap_count, state.settings.snap_size_bytes,
                        state.settings.random_seed),
      last_logged_(state.database->last_applied),
      last_synced_(state.database->last_applied) {}

std::optional<Zxid> Pipeline::submit(const txn::Request& request, const Moment& now) {
  WK_CHECK(accepts_writes_, "a write was submitted while the log has no room");
  const Zxid zxid{last_logged_.value + 1};
  std::vector<std::byte>& log = outbox_.output().log_bytes;
  const txn::Prepared prepared = txn::prepare(request, zxid, wall_ms(now), state_.settings.operations,
                                              state_.database->tree, outstanding_, log);
  if (prepared.size == 0) return std::nullopt;
  last_logged_ = zxid;
  Stats& stats = state_.stats;
  ++stats.transactions_logged;
  stats.log_payload_bytes += prepared.size;
  stats.log_queue.record(in_flight_.size());
  in_flight_.push({zxid, request.connection, request.session, now.steady, in_flight_.size(), {}},
                  std::span(log).subspan(prepared.offset, prepared.size));
  stages_.submitted(zxid, now.steady);
  outbox_.output().appends.push_back({zxid, prepared.offset, prepared.size});
  snapshot_trigger_.appended(prepared.size + kLogRecordOverhead);
  return zxid;
}

void Pipeline::log_synced(const LogSynced& synced, const Moment& now) {
  const Zxid zxid = synced.zxid;
  if (zxid <= last_synced_) return;
  WK_CHECK(zxid <= last_logged_, fmt::format("the log reports {} as synced, but {} was given to it last",
                                             zxid.to_string(), last_logged_.to_string()));
  std::uint64_t transactions = 0;
  for (const WriteStages::Batch& batch : stages_.synced(zxid, synced.taken, synced.written, synced.synced)) {
    transactions += batch.transactions();
    state_.stats.log_latency.record(now.steady - batch.at.front(), batch.transactions());
  }
  state_.stats.log_batch.record(transactions);
  last_synced_ = zxid;
  acknowledgements_.record(state_.settings.server, zxid);
  // This server's own sync completed the quorum: how long the core took to learn of it is the core's time.
  const bool known = synced.synced != std::chrono::steady_clock::time_point{};
  commit_up_to(acknowledgements_.committed(), known ? synced.synced : now.steady, now);
}

void Pipeline::commit_up_to(Zxid zxid, std::chrono::steady_clock::time_point acknowledged,
                            const Moment& now) {
  stages_.committed(zxid, acknowledged);
  while (!in_flight_.empty() && in_flight_.front().zxid <= zxid) apply_front(now);
  start_snapshot_if_due();
}

void Pipeline::apply_front(const Moment& now) {
  InFlight entry = in_flight_.front();
  Database& database = *state_.database;
  Connection* waiting = state_.connections.find(entry.connection);
  if (waiting == nullptr && entry.connection != ConnectionId{}) ++state_.stats.stale_replies;
  reply_body_.clear();
  std::optional<txn::ReplyTo> reply_to;
  if (waiting != nullptr) {
    WK_CHECK(!waiting->pending.empty() && waiting->pending.front().zxid == entry.zxid,
             fmt::format("transaction {} does not settle the first pending request of its connection",
                         entry.zxid.to_string()));
    if (waiting->pending.front().kind == Pending::Kind::kWrite)
      reply_to.emplace(txn::ReplyTo{waiting->pending.front().op, reply_body_});
  }
  const ConnectionId session_connection = database.sessions.connection(entry.session);
  const txn::ApplyTarget target{database.tree, database.sessions, state_.watches, outbox_,
                                state_.settings.operations};
  const Result<txn::Applied> applied = txn::apply(entry.payload, target, reply_to ? &*reply_to : nullptr);
  WK_CHECK(applied.has_value(), fmt::format("transaction {}, prepared here, cannot be applied: {}",
                                            entry.zxid.to_string(), applied.error().message));
  database.last_applied = entry.zxid;
  if (state_.settings.operations.digest) database.digests.record(entry.zxid, database.tree.digest());
  outstanding_.applied(entry.zxid);

  Stats& stats = state_.stats;
  ++stats.transactions_applied;
  ++outbox_.output().applied;
  if (applied->error != jute::ErrorCode::kOk || applied->rolled_back) ++stats.error_transactions;
  stats.propagation_latency.record(
      std::chrono::nanoseconds(std::chrono::milliseconds(wall_ms(now) - applied->header.time_ms)));
  if (applied->digest_mismatch) {
    if (stats.digest_mismatches++ == 0) stats.first_digest_mismatch = entry.zxid;
  }
  count_written(entry, *applied);
  note_if_slow(entry, *applied, waiting, now);
  // What settles must not find itself among the outstanding requests.
  entry.payload = {};
  in_flight_.pop_front();
  settlement_->applied(entry, *applied, session_connection, reply_body_);
}

void Pipeline::count_written(const InFlight& entry, const txn::Applied& applied) {
  if (applied.error == jute::ErrorCode::kOk && !applied.rolled_back)
    count_body(state_, applied.header.type, entry.payload.subspan(jute::kTxnHeaderBytes));
}

void Pipeline::note_if_slow(const InFlight& entry, const txn::Applied& applied, const Connection* waiting,
                            const Moment& now) {
  SlowRequests& slow = state_.notable.slow;
  if (waiting == nullptr || waiting->pending.front().kind == Pending::Kind::kResume) return;
  if (!slow.is_slow(entry.appended, now.steady)) return;
  SlowRequest request;
  request.connection = entry.connection;
  request.session = entry.session;
  request.op = waiting->pending.front().op;
  request.zxid = entry.zxid;
  request.received = entry.appended;
  request.queued_before = entry.queued_before;
  request.during_snapshot = snapshot_running_;
  request.during_purge = state_.notable.purging;
  request.path = first_path(applied.header.type, entry.payload.subspan(jute::kTxnHeaderBytes));
  slow.note(std::move(request));
}

void Pipeline::log_space_exhausted(Zxid durable, const Moment& now) {
  log_synced({.zxid = durable}, now);
  stages_.abandoned(durable);
  WK_CHECK(acknowledgements_.committed() == last_synced_,
           "only a server that is a quorum by itself may give up what it has logged");
  accepts_writes_ = false;
  last_logged_ = last_synced_;
  outstanding_.clear();
  // Settling may look at the queue, so what is given up leaves it first.
  const InFlightQueue abandoned = std::exchange(in_flight_, InFlightQueue{});
  state_.stats.transactions_abandoned += abandoned.size();
  for (const InFlight& entry : abandoned.entries()) settlement_->abandoned(entry);
}

void Pipeline::start_snapshot_if_due() {
  if (snapshot_trigger_.due() && !snapshot_running_) start_snapshot();
}

void Pipeline::start_snapshot() {
  snapshot_running_ = true;
  snapshot_trigger_.started();
  ++state_.stats.snapshots_started;
  outbox_.output().start_snapshot = SnapshotStart{state_.database->last_applied};
}

void Pipeline::snapshot_finished(bool written) {
  snapshot_running_ = false;
  if (!written) ++state_.stats.snapshots_failed;
  start_snapshot_if_due();
}

}  // namespace wk::replica
