// When the next visit is due: fixed turns, without drift and without a burst after a pause.
//
// Thread: any; pure functions.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wk::exporter {

struct Turn {
  std::chrono::steady_clock::time_point at;
  std::uint64_t missed = 0;  ///< turns between the last one and this that passed without a visit
};

/// The first turn after `now` on the grid that goes through `last`.
/// \param interval  positive
Turn next_turn(std::chrono::steady_clock::time_point last, std::chrono::nanoseconds interval,
               std::chrono::steady_clock::time_point now);

/// Whether a visit that ended at `now` was held up by this process, and says nothing of the member: a
/// deadline is not passed by more than a second otherwise.
bool was_held_up(std::chrono::steady_clock::time_point deadline, std::chrono::steady_clock::time_point now);

/// Members of one ensemble are visited close together, so that their answers can be compared, but not at
/// once.
inline constexpr std::chrono::milliseconds kSpreadMax{100};

/// Delay of member `index` of `count` within its round: at most a quarter of the interval and kSpreadMax; the
/// name of the ensemble shifts all of its members, so that ensembles do not coincide either.
std::chrono::nanoseconds stagger(std::string_view ensemble, std::size_t index, std::size_t count,
                                 std::chrono::nanoseconds interval);

}  // namespace wk::exporter
