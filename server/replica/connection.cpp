#include "server/replica/connection.h"

#include <utility>

#include "base/check.h"

namespace wk::replica {
namespace {

// An emptied queue gives its memory back above this, so that ten thousand idle connections stay small.
constexpr std::size_t kKeptCapacity = 16;

}  // namespace

void PendingQueue::push(Pending pending) {
  reply_bytes_ += pending.reply_bytes;
  items_.push_back(std::move(pending));
}

Pending PendingQueue::pop() {
  WK_CHECK(!empty(), "nothing is pending on this connection");
  Pending front = std::move(items_[head_++]);
  reply_bytes_ -= front.reply_bytes;
  if (empty()) {
    if (items_.capacity() > kKeptCapacity)
      std::vector<Pending>().swap(items_);
    else
      items_.clear();
    head_ = 0;
  } else if (head_ >= items_.size() / 2 && head_ >= kKeptCapacity) {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  return front;
}

const char* name(Connection::Stage stage) {
  switch (stage) {
    case Connection::Stage::kFresh:
      return "fresh";
    case Connection::Stage::kOpening:
      return "opening";
    case Connection::Stage::kOpen:
      return "open";
    case Connection::Stage::kFinishing:
      return "finishing";
  }
  return "unknown";
}

}  // namespace wk::replica
