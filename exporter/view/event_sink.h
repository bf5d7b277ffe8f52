// Where the parts of the ensemble view tell what changed.
//
// Each telling becomes one event of the ensemble at the moment that is being derived, and is counted by type.
// Thread: one owner; a sink lives for one call of the tracker.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "exporter/model/event.h"

namespace wk::exporter {

class EventSink {
 public:
  using Counts = std::array<std::uint64_t, kEventTypeCount>;

  /// \param counts  told events by type, ever   \param events  where they are appended
  /// All references must outlive the sink.
  EventSink(const std::string& ensemble, Moment at, Counts& counts, std::vector<Event>& events);

  /// \param member    as configured; empty when the event is the ensemble's
  /// \param text      one sentence with the numbers
  /// \param duration  of what just ended
  void tell(EventType type, Severity severity, const std::string& member, std::string text,
            std::optional<std::chrono::nanoseconds> duration = std::nullopt);

  /// The moment that every event of this sink bears.
  [[nodiscard]] Moment at() const { return at_; }

 private:
  const std::string& ensemble_;
  Moment at_;
  Counts& counts_;
  std::vector<Event>& events_;
};

}  // namespace wk::exporter
