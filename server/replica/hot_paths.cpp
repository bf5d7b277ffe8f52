#include "server/replica/hot_paths.h"

#include <algorithm>
#include <cmath>

namespace wk::replica {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr std::chrono::seconds kFadeInterval{1};

}  // namespace

void HotPaths::sample(std::string_view path) {
  operations_ += drawn_;
  paths_.record(path, static_cast<double>(interval_));
  draw();
}

void HotPaths::draw() {
  // xorshift64: 1 … 2 * interval - 1, interval on average.
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  drawn_ = until_sample_ = 1 + random_ % (2 * interval_ - 1);
}

void HotPaths::tick(Time now) {
  if (ticked_ == Time{}) ticked_ = faded_ = now;
  const Seconds passed = now - ticked_;
  if (passed.count() > 0) {
    const std::uint64_t operations = operations_ + (drawn_ - until_sample_);
    operations_ = 0;
    ticked_ = now;
    const auto wanted = static_cast<std::uint64_t>(static_cast<double>(operations) / passed.count() /
                                                   static_cast<double>(kSamplesASecond));
    interval_ = std::max<std::uint64_t>(wanted, 1);
    draw();
  }
  if (now - faded_ < kFadeInterval) return;
  const double factor = std::exp(-Seconds(now - faded_).count() / Seconds(kMemory).count());
  covered_ = covered_ * factor + Seconds(kMemory).count() * (1 - factor);
  faded_ = now;
  paths_.decay(factor);
}

double HotPaths::covered(Time now) const { return covered_ + std::max(0.0, Seconds(now - faded_).count()); }

double HotPaths::a_second(Time now) const {
  const double seconds = covered(now);
  return seconds > 0 ? paths_.total() / seconds : 0;
}

std::vector<HotPaths::Hot> HotPaths::hottest(std::size_t limit, Time now) const {
  std::vector<Hot> hot;
  const double seconds = covered(now);
  if (seconds <= 0 || paths_.total() <= 0) return hot;
  for (const FrequentPaths::Entry* entry : paths_.heaviest(limit)) {
    const double weight = entry->weight - entry->error;
    hot.push_back({entry->path, weight / seconds, weight / paths_.total()});
  }
  return hot;
}

}  // namespace wk::replica
