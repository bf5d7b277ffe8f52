#include "server/replica/snapshot_trigger.h"

#include <algorithm>

#include "base/check.h"

namespace wk::replica {

SnapshotTrigger::SnapshotTrigger(std::uint64_t snap_count, std::optional<std::uint64_t> snap_bytes,
                                 std::uint64_t seed)
    : snap_count_(snap_count), snap_bytes_(snap_bytes), random_(seed) {
  WK_CHECK(snap_count >= 2, "snapCount below 2 must be raised by whoever reads the configuration");
  draw();
}

void SnapshotTrigger::appended(std::uint64_t bytes) {
  ++transactions_;
  bytes_ += bytes;
}

bool SnapshotTrigger::due() const {
  return transactions_ > transactions_due_ || (bytes_due_ && bytes_ > *bytes_due_);
}

void SnapshotTrigger::started() {
  transactions_ = 0;
  bytes_ = 0;
  draw();
}

void SnapshotTrigger::draw() {
  // The standard's distributions may differ from library to library; a remainder is the same everywhere, and
  // its bias does not matter here.
  const auto upper_half = [this](std::uint64_t value) {
    return value / 2 + random_() % std::max<std::uint64_t>(value / 2, 1);
  };
  transactions_due_ = upper_half(snap_count_);
  if (snap_bytes_) bytes_due_ = upper_half(*snap_bytes_);
}

}  // namespace wk::replica
