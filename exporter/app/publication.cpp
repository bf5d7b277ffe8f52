#include "exporter/app/publication.h"

#include <utility>

#include "base/check.h"

namespace wk::exporter {

void Publication::publish(std::shared_ptr<const Snapshot> next) {
  WK_CHECK(next != nullptr, "nothing was published");
  {
    const std::lock_guard lock(mutex_);
    WK_CHECK(next->sequence > sequence_, "a snapshot came after its successor");
    sequence_ = next->sequence;
    current_.swap(next);
  }
  changed_.notify_all();
  // The snapshot before goes here, without the lock, unless somebody still reads it.
}

std::shared_ptr<const Snapshot> Publication::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void Publication::wait_for_newer(std::uint64_t seen, const std::atomic<bool>& given_up,
                                 std::chrono::milliseconds patience) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return sequence_ > seen || given_up; });
}

void Publication::wake() const {
  // With the lock, nobody is between his look at `given_up` and his sleep.
  { const std::lock_guard lock(mutex_); }
  changed_.notify_all();
}

}  // namespace wk::exporter
