// Where the watcher puts each snapshot, and where everybody else takes the newest one or waits for it.
//
// Thread: one publisher; all const functions from any thread. The lock is held to copy or exchange a pointer.
// (An atomic shared_ptr would do, but GCC 12's releases its reader's lock without ordering the read before
// it.)
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
  [[nodiscard]] std::shared_ptr<const Snapshot> current() const;

  /// Waits until the newest snapshot has a sequence above `seen`, until `given_up` is true and wake() was
  /// called, or for `patience`.
  void wait_for_newer(std::uint64_t seen, const std::atomic<bool>& given_up,
                      std::chrono::milliseconds patience) const;

  /// Lets all that wait look at their `given_up`.
  void wake() const;

 private:
  mutable std::mutex mutex_;  ///< guards what follows
  mutable std::condition_variable changed_;
  std::shared_ptr<const Snapshot> current_;
  std::uint64_t sequence_ = 0;  ///< of current_
};

}  // namespace wk::exporter
