#include "exporter/poll/schedule.h"

#include <algorithm>

namespace wk::exporter {

Turn next_turn(std::chrono::steady_clock::time_point last, std::chrono::nanoseconds interval,
               std::chrono::steady_clock::time_point now) {
  if (now < last) return {last, 0};
  const auto missed = (now - last) / interval;
  return {last + std::chrono::duration_cast<std::chrono::steady_clock::duration>((missed + 1) * interval),
          static_cast<std::uint64_t>(missed)};
}

bool was_held_up(std::chrono::steady_clock::time_point deadline, std::chrono::steady_clock::time_point now) {
  return now - deadline > std::chrono::seconds{1};
}

std::chrono::nanoseconds stagger(std::string_view ensemble, std::size_t index, std::size_t count,
                                 std::chrono::nanoseconds interval) {
  const std::chrono::nanoseconds spread = std::min<std::chrono::nanoseconds>(interval / 4, kSpreadMax);
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a: the same in every run
  for (const char c : ensemble) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  const auto count_or_one = static_cast<std::int64_t>(std::max<std::size_t>(count, 1));
  const std::chrono::nanoseconds step = spread / (2 * count_or_one);
  const std::chrono::nanoseconds shift = spread / 2 * static_cast<std::int64_t>(hash % 1000) / 1000;
  return shift + step * static_cast<std::int64_t>(index);
}

}  // namespace wk::exporter
