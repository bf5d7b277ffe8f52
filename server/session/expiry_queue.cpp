#include "server/session/expiry_queue.h"

#include <algorithm>

#include "base/check.h"

namespace wk::session {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

ExpiryQueue::ExpiryQueue(milliseconds tick) : tick_(tick) {
  WK_CHECK(tick.count() > 0, "the width of an expiry bucket must be positive");
}

std::int64_t ExpiryQueue::bucket_after(Time time) const {
  return duration_cast<milliseconds>(time.time_since_epoch()).count() / tick_.count() + 1;
}

ExpiryQueue::Time ExpiryQueue::end_of(std::int64_t bucket) const { return Time{tick_ * bucket}; }

void ExpiryQueue::touch(Slot slot, milliseconds timeout, Time now) {
  if (slot >= links_.size()) links_.resize(std::size_t{slot} + 1);
  const std::int64_t bucket = bucket_after(now + timeout);
  if (links_[slot].bucket == bucket) return;
  remove(slot);
  link(slot, bucket);
}

void ExpiryQueue::link(Slot slot, std::int64_t bucket) {
  List& list = lists_[bucket];
  links_[slot] = {bucket, kNone, list.head};
  if (list.head != kNone) links_[list.head].previous = slot;
  list.head = slot;
  ++list.entries;
  ++size_;
}

void ExpiryQueue::remove(Slot slot) {
  if (!contains(slot)) return;
  Link& link = links_[slot];
  const auto list = lists_.find(link.bucket);
  if (link.previous != kNone) links_[link.previous].next = link.next;
  if (link.next != kNone) links_[link.next].previous = link.previous;
  if (list->second.head == slot) list->second.head = link.next;
  if (--list->second.entries == 0) lists_.erase(list);
  link = Link{};
  --size_;
}

bool ExpiryQueue::contains(Slot slot) const { return slot < links_.size() && links_[slot].bucket != kOut; }

bool ExpiryQueue::take_due(Time now, Slot& slot) {
  if (lists_.empty() || end_of(lists_.begin()->first) > now) return false;
  slot = lists_.begin()->second.head;
  remove(slot);
  return true;
}

void ExpiryQueue::postpone_due(Time now) {
  const std::int64_t later = bucket_after(now);
  while (!lists_.empty() && end_of(lists_.begin()->first) <= now) {
    const Slot slot = lists_.begin()->second.head;
    remove(slot);
    link(slot, later);
  }
}

ExpiryQueue::Occupancy ExpiryQueue::occupancy() const {
  Occupancy occupancy{lists_.size(), 0};
  for (const auto& [bucket, list] : lists_) occupancy.most = std::max(occupancy.most, list.entries);
  return occupancy;
}

void ExpiryQueue::for_each(const std::function<void(Time, Slot)>& visit) const {
  for (const auto& [bucket, list] : lists_)
    for (Slot slot = list.head; slot != kNone; slot = links_[slot].next) visit(end_of(bucket), slot);
}

}  // namespace wk::session
