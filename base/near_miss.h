// "Did you mean": the known word that a mistyped one is closest to.
//
// Thread: any; pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace wk {

/// Words longer than this are never compared: nobody mistypes those, and the comparison costs length ×
/// length.
inline constexpr std::size_t kNearMissLength = 64;

/// The word of `known` that is closest to `word`, case aside, or "" when none is close: at most a third of
/// the letters (and at least one) may be wrong, missing, extra or swapped with a neighbour.
std::string_view near_miss(std::string_view word, std::span<const std::string_view> known);

/// "; did you mean \"X\"?" for the closest known word, or "" when none is close.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

}  // namespace wk
