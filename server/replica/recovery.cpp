#include "server/replica/recovery.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "jute/reader.h"
#include "jute/txn_records.h"
#include "server/txn/apply.h"
#include "server/txn/events.h"

namespace wk::replica {
namespace {

tree::DataTreeSettings tree_settings(const Settings& settings) {
  return {settings.owners, settings.hash_seed};
}

}  // namespace

/// Nobody is connected yet, so nobody watches.
class Recovery::NoClients final : public txn::EventSink {
 public:
  std::span<const jute::Id> identities(ConnectionId) override { return {}; }
  void fired(std::span<const ConnectionId> watchers, jute::EventType, std::string_view, Zxid) override {
    WK_CHECK(watchers.empty(), "a watch fired while the log was replayed");
  }
};

Recovery::Recovery(const Settings& settings)
    : settings_(settings),
      database_(std::make_unique<Database>(tree_settings(settings), settings.tick)),
      no_watches_(settings.hash_seed) {}

void Recovery::restore_session(SessionId id, std::int32_t timeout_ms) {
  database_->sessions.commit_open(id, timeout_ms);
}

void Recovery::restart() { database_->sessions = session::SessionTable(settings_.tick); }

void Recovery::snapshot_loaded(Zxid zxid, const std::optional<tree::ZxidDigest>& digest) {
  if (settings_.operations.digest && digest && digest->zxid != Zxid{} && digest->zxid >= zxid)
    awaited_digest_ = digest;
  report_.snapshot = zxid;
  report_.last = zxid;
  database_->last_applied = zxid;
  if (awaited_digest_ && awaited_digest_->zxid == zxid) compare_digests(zxid, false);
}

Result<void> Recovery::replay(std::span<const std::byte> payload) {
  jute::TxnHeader header;
  jute::Reader in(payload);
  read(in, header);
  if (!in.ok()) return in.status();
  if (report_.snapshot && header.zxid <= *report_.snapshot) return {};
  NoClients nobody;
  const txn::ApplyTarget target{database_->tree, database_->sessions, no_watches_, nobody,
                                settings_.operations};
  const Result<txn::Applied> applied = txn::apply(payload, target, nullptr);
  if (!applied) return applied.error();
  ++report_.transactions_replayed;
  if (report_.transactions_replayed > 1 && header.zxid <= report_.last) ++report_.out_of_order;
  report_.last = std::max(report_.last, header.zxid);
  database_->last_applied = report_.last;
  compare_digests(header.zxid, applied->digest_mismatch);
  return {};
}

void Recovery::compare_digests(Zxid zxid, bool transaction_differs) {
  bool differs = transaction_differs;
  if (awaited_digest_) {
    if (zxid != awaited_digest_->zxid) return;
    differs = database_->tree.digest() != awaited_digest_->digest;
    awaited_digest_.reset();
  }
  if (differs && report_.digest_mismatches++ == 0) report_.first_digest_mismatch = zxid;
}

std::unique_ptr<Database> Recovery::take() {
  report_.snapshot_digest_unreached = awaited_digest_.has_value();
  return std::move(database_);
}

}  // namespace wk::replica
