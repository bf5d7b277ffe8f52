// What changes at one member from visit to visit: sources that fail and recover, restarts, storms, slow
// flushes. Events of a kind that a load can repeat are told once a minute, those of sources once for each
// source.
//
// Thread: one owner. Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "exporter/model/view.h"
#include "exporter/view/event_sink.h"

namespace wk::exporter {

/// What happened between two statuses of a member to what it counts.
enum class Counting : std::uint8_t {
  kGoesOn,
  kReset,      ///< its statistics began anew, the process goes on: somebody typed `srst`
  kRestarted,  ///< the process began anew
};

/// A counter that survives changes of role went back, or the member was unreachable and `packets_received`,
/// which a new server within the process resets, too: the process began anew, unless both statuses tell an
/// `uptime` that grew as time passed. Source: Apache's ServerStats.java: `srst` leaves the start time alone,
/// a new role takes a new one and leaves those counters alone.
/// \param elapsed  between the two
Counting counting(const StatusAnswer& before, const StatusAnswer& after, std::chrono::nanoseconds elapsed,
                  bool was_unreachable);

class MemberTrend {
 public:
  /// Tells sources that answered before the visit and no longer do, and the other way round.
  /// \param member  name as configured
  void tell_sources(const std::string& member, const SourceStatuses& before, const SourceStatuses& after,
                    EventSink& events);

  /// Takes what the counters grew by from one status to the next; tells what grew too fast. Only for counting
  /// that went on: what grew before a reset is not known.
  /// \param elapsed  between the two; nothing is concluded unless above 0
  void take_growth(const std::string& member, const StatusAnswer& before, const StatusAnswer& after,
                   std::chrono::nanoseconds elapsed, EventSink& events);

  /// Mean time of a flush of the transaction log, of the newest interval that had one; 0 before, where it is
  /// not told, and when that was more than a minute ago.
  [[nodiscard]] double fsync_mean_ms(Moment now) const;
  /// The member throttled requests or refused connections within the newest interval.
  [[nodiscard]] bool throttling() const { return throttling_; }

 private:
  void tell_rarely(EventType type, Severity severity, const std::string& member, std::string text,
                   EventSink& events);
  void take_fsync(const std::string& member, const StatusAnswer& before, const StatusAnswer& after,
                  std::chrono::nanoseconds elapsed, EventSink& events);

  double fsync_mean_ms_ = 0;
  Moment fsync_at_;
  bool throttling_ = false;
  std::array<std::optional<Moment>, kEventTypeCount> last_told_;
  std::array<std::optional<Moment>, kProbeCount> failure_told_, recovery_told_;
};

}  // namespace wk::exporter
