#include "server/node/surveys.h"

#include <algorithm>

namespace wk::node {

std::chrono::nanoseconds Surveys::slice() {
  const Moment now = Moment::now();
  // In turn, so that a long walk does not hold the others up.
  std::size_t next = all_.size();
  for (std::size_t i = 1; i <= all_.size() && next == all_.size(); ++i)
    if (const std::size_t candidate = (last_ + i) % all_.size(); all_[candidate]->due() <= now.steady)
      next = candidate;
  std::chrono::nanoseconds pause = kPauseMost;
  if (next < all_.size()) {
    last_ = next;
    all_[next]->slice(now);
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - now.steady;
    all_[next]->note_slice(took);
    return std::clamp<std::chrono::nanoseconds>(took * kPauseFactor, kPauseLeast, kPauseMost);
  }
  for (const Survey* survey : all_)
    pause = std::min<std::chrono::nanoseconds>(pause, survey->due() - now.steady);
  return std::max<std::chrono::nanoseconds>(pause, kPauseLeast);
}

}  // namespace wk::node
