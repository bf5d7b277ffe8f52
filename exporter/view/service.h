// Whether clients are served, and for how long they were not.
//
// Judged by evidence: a leader and a quorum in sync, unless every member's canary, which once worked, fails.
// Docs: docs/adr/0001-service-is-judged-by-evidence.md. Thread: one owner. Pure.
#pragma once

#include <chrono>
#include <optional>

#include "exporter/model/view.h"

namespace wk::exporter {

class Service {
 public:
  /// Reads leader, quorum_margin and the canaries; writes serving, unserved and unserved_since.
  /// \param canaries_fail_since  since when every member's canary fails; absent while one succeeds
  /// \param leaderless_since     since when nobody is known to lead
  /// \param judged               every member was visited: outages are counted from then on
  /// \param previous             when this was last called: a running outage has grown since
  /// \param unasked              for so long no canary could succeed: the exporter was held up itself
  void derive(EnsembleView& view, std::optional<Moment> canaries_fail_since,
              std::optional<Moment> leaderless_since, bool judged, Moment previous, Moment now,
              std::chrono::nanoseconds unasked = {});

 private:
  std::optional<Moment> served_since_;  ///< when service last began
};

}  // namespace wk::exporter
