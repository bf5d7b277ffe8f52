// Where the watcher puts each snapshot, and where everybody else takes the newest one or waits for it.
//
// Thread: one publisher; all const functions from any thread. current() takes no lock.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "exporter/model/view.h"

namespace wk::exporter {

class Publication {
 public:
  /// \param next  not null; its sequence is above that of the one before
  void publish(std::shared_ptr<const Snapshot> next);

  /// The newest snapshot; null before the first publish().
  [[nodiscard]] std::shared_ptr<const Snapshot> current() const { return current_.load(); }

  /// Waits until the newest snapshot has a sequence above `seen`, until `given_up` is true and wake() was
  /// called, or for `patience`.
  void wait_for_newer(std::uint64_t seen, const std::atomic<bool>& given_up,
                      std::chrono::milliseconds patience) const;

  /// Lets all that wait look at their `given_up`.
  void wake() const;

 private:
  std::atomic<std::shared_ptr<const Snapshot>> current_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::uint64_t sequence_ = 0;  ///< under mutex_; of current_
};

}  // namespace wk::exporter
