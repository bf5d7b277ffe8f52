// The canaries of all members: which of them fail and since when, and rounds as a whole.
//
// A round is over when every member has reported it; it succeeded when one member did.
// Thread: one owner. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "exporter/model/view.h"
#include "exporter/view/event_sink.h"

namespace wk::exporter {

class CanaryRounds {
 public:
  /// Rounds that may be open at a time; older ones are closed as they stand.
  static constexpr std::size_t kOpenRounds = 8;

  explicit CanaryRounds(std::size_t members) : failing_(members) {}

  /// Writes the member's canary and the rounds of the ensemble; tells members that fail and recover.
  void take(const CanaryReport& report, EnsembleView& view, EventSink& events);

  /// Since when no member's canary succeeds; absent while one does.
  [[nodiscard]] std::optional<Moment> all_failing_since() const;

 private:
  /// A member's canary since its last success.
  struct Failing {
    Moment since;
    bool told = false;
  };
  /// A round that not all members have reported yet.
  struct Round {
    std::uint64_t number = 0;
    std::size_t reports = 0;
    bool ok = false;
  };

  void take_member(const CanaryReport& report, const MemberView& member, EventSink& events);
  void take_round(const CanaryReport& report, EnsembleView& view);

  std::vector<std::optional<Failing>> failing_;  ///< by member; absent while it succeeds
  std::vector<Round> rounds_;                    ///< oldest first; at most kOpenRounds
};

}  // namespace wk::exporter
