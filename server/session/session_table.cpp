#include "server/session/session_table.h"

#include <algorithm>
#include <utility>

namespace wk::session {

using std::chrono::milliseconds;

milliseconds TimeoutBounds::clamp(std::int32_t wanted_ms) const {
  // Not std::clamp: a configuration may hold a least above the most, and Apache then lets the most win.
  return std::min(std::max(milliseconds{wanted_ms}, least), most);
}

const SessionTable::Entry* SessionTable::find(SessionId id) const {
  const auto slot = slots_.find(id.value);
  return slot == slots_.end() ? nullptr : &entries_[slot->second];
}

SessionTable::Slot SessionTable::insert(SessionId id) {
  Slot slot = 0;
  if (free_.empty()) {
    slot = static_cast<Slot>(entries_.size());
    entries_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  entries_[slot].id = id;
  slots_.emplace(id.value, slot);
  return slot;
}

void SessionTable::erase(SessionId id, Slot slot) {
  if (entries_[slot].committed) --committed_;
  expiry_.remove(slot);
  slots_.erase(id.value);
  entries_[slot] = Entry{};
  free_.push_back(slot);
}

void SessionTable::commit_open(SessionId id, std::int32_t timeout_ms) {
  const auto found = slots_.find(id.value);
  const Slot slot = found == slots_.end() ? insert(id) : found->second;
  Entry& entry = entries_[slot];
  if (found == slots_.end()) entry.timeout = milliseconds{timeout_ms};
  if (!entry.committed) ++committed_;
  entry.committed = true;
  entry.committed_timeout_ms = timeout_ms;
}

void SessionTable::commit_close(SessionId id) {
  const auto slot = slots_.find(id.value);
  if (slot != slots_.end()) erase(id, slot->second);
}

std::optional<std::int32_t> SessionTable::committed_timeout_ms(SessionId id) const {
  const Entry* entry = find(id);
  if (entry == nullptr || !entry->committed) return std::nullopt;
  return entry->committed_timeout_ms;
}

void SessionTable::for_each_committed(const std::function<void(SessionId, std::int32_t)>& visit) const {
  for (const auto& [id, slot] : slots_)
    if (entries_[slot].committed) visit(SessionId{id}, entries_[slot].committed_timeout_ms);
}

void SessionTable::start_tracking(Time now) {
  tracking_ = true;
  for (const auto& [id, slot] : slots_) {
    Entry& entry = entries_[slot];
    entry.closing = false;
    if (entry.committed) entry.timeout = milliseconds{entry.committed_timeout_ms};
    entry.heard = now;
    expiry_.touch(slot, entry.timeout, now);
  }
}

void SessionTable::stop_tracking() {
  tracking_ = false;
  for (const auto& [id, slot] : slots_) {
    entries_[slot].closing = false;
    expiry_.remove(slot);
  }
}

bool SessionTable::open(SessionId id, milliseconds timeout, Time now) {
  if (contains(id)) return false;
  const Slot slot = insert(id);
  entries_[slot].timeout = timeout;
  entries_[slot].heard = now;
  if (tracking_) expiry_.touch(slot, timeout, now);
  return true;
}

void SessionTable::forget_uncommitted(SessionId id) {
  const auto slot = slots_.find(id.value);
  if (slot != slots_.end() && !entries_[slot->second].committed) erase(id, slot->second);
}

SessionState SessionTable::touch(SessionId id, milliseconds timeout, Time now) {
  const auto found = slots_.find(id.value);
  if (found == slots_.end()) return SessionState::kUnknown;
  const Slot slot = found->second;
  Entry& entry = entries_[slot];
  if (entry.closing) return SessionState::kClosing;
  // A client that pipelines is heard of many times at one moment.
  if (entry.heard == now && entry.timeout == timeout && expiry_.contains(slot)) return SessionState::kOpen;
  hear(entry, now);
  entry.timeout = timeout;
  if (tracking_) expiry_.touch(slot, timeout, now);
  return SessionState::kOpen;
}

void SessionTable::hear(Entry& entry, Time now) {
  const Time before = std::exchange(entry.heard, now);
  if (before == Time{}) return;
  const std::chrono::nanoseconds gap = now - before;
  entry.longest_gap = std::max(entry.longest_gap, gap);
  if (gap * 3 > entry.timeout * 2) ++near_misses_;
}

SessionState SessionTable::state(SessionId id) const {
  const Entry* entry = find(id);
  if (entry == nullptr) return SessionState::kUnknown;
  return entry->closing ? SessionState::kClosing : SessionState::kOpen;
}

bool SessionTable::mark_closing(SessionId id) {
  const auto found = slots_.find(id.value);
  if (found == slots_.end() || entries_[found->second].closing) return false;
  entries_[found->second].closing = true;
  expiry_.remove(found->second);
  return true;
}

void SessionTable::unmark_closing(SessionId id, Time now) {
  const auto found = slots_.find(id.value);
  if (found == slots_.end() || !entries_[found->second].closing) return;
  entries_[found->second].closing = false;
  if (tracking_) expiry_.touch(found->second, entries_[found->second].timeout, now);
}

std::optional<SessionId> SessionTable::take_due(Time now) {
  Slot slot = 0;
  if (!expiry_.take_due(now, slot)) return std::nullopt;
  return entries_[slot].id;
}

ConnectionId SessionTable::connection(SessionId id) const {
  const Entry* entry = find(id);
  return entry == nullptr ? ConnectionId{} : entry->connection;
}

void SessionTable::bind(SessionId id, ConnectionId connection) {
  const auto slot = slots_.find(id.value);
  if (slot != slots_.end()) entries_[slot->second].connection = connection;
}

std::optional<SessionTable::Liveness> SessionTable::liveness(SessionId id) const {
  const Entry* entry = find(id);
  return entry == nullptr ? std::nullopt : std::optional(liveness_of(*entry));
}

std::size_t SessionTable::allocated_bytes() const {
  // The index keeps a byte of metadata beside each place.
  constexpr std::size_t kPlaceBytes = sizeof(std::pair<const std::int64_t, Slot>) + 1;
  return slots_.bucket_count() * kPlaceBytes + entries_.capacity() * sizeof(Entry) +
         free_.capacity() * sizeof(Slot) + expiry_.allocated_bytes();
}

void SessionTable::for_each_tracked(const std::function<void(Time, SessionId)>& visit) const {
  expiry_.for_each([&](Time ends, Slot slot) { visit(ends, entries_[slot].id); });
}

}  // namespace wk::session
