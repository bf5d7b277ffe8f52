// Conclusions in words, drawn from the numbers of one ensemble view: named problems, the verdict, and whether
// a member may be stopped.
//
// Thread: any; pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "exporter/model/view.h"

namespace wk::exporter {

/// A member that is further behind than this many transactions does not count as a replacement for one that
/// stops.
inline constexpr std::uint64_t kLagUnsafeTransactions = 1000;

/// Whether the ensemble still serves when member `index` stops now, with the reason in a sentence.
SafeToStop safe_to_stop(const EnsembleView& view, std::size_t index);

/// Everything that is wrong, worst first, each with cause, remedy and the runbook (an alert's name).
std::vector<Problem> problems_of(const EnsembleView& view, Moment now);

/// One sentence: what is the matter, for how long, and which members stand how.
std::string verdict_of(const EnsembleView& view, Moment now);

/// "3 s", "4 min 10 s", "2 h 5 min": a duration for people.
std::string duration_text(std::chrono::nanoseconds duration);

/// 12000 → "12,000".
std::string grouped(std::uint64_t number);

}  // namespace wk::exporter
