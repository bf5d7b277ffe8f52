// The newest events, bounded in number, with ids that never repeat within a process.
//
// Thread: one writer and any readers, guarded by the owner (exporter/app/chronicle.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "exporter/model/event.h"

namespace wk::exporter {

class EventLog {
 public:
  static constexpr std::size_t kLimit = 5000;

  /// Gives the event the next id and keeps it; the oldest one leaves when the log is full.
  void append(Event event);

  /// Events with an id above `after`, oldest first, at most `limit` (the newest ones when there are more).
  [[nodiscard]] std::vector<Event> after(std::uint64_t id, std::size_t limit) const;

  [[nodiscard]] std::uint64_t last_id() const { return last_id_; }
  /// Events that have left the log because it was full.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  std::deque<Event> events_;
  std::uint64_t last_id_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace wk::exporter
