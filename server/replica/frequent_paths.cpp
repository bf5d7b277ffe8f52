#include "server/replica/frequent_paths.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "jute/utf8.h"

namespace wk::replica {
namespace {

// Entries that have faded to less than this are forgotten.
constexpr double kForgotten = 0.01;

double certain_weight(const FrequentPaths::Entry& entry) { return entry.weight - entry.error; }

}  // namespace

void FrequentPaths::record(std::string_view path, double weight) {
  path = jute::cut(path, kMaxPathBytes);
  total_ += weight;
  const std::uint64_t hash = std::hash<std::string_view>{}(path);
  for (std::size_t i = 0; i < size_; ++i)
    if (hashes_[i] == hash && entries_[i].path == path) {
      entries_[i].weight += weight;
      return;
    }
  std::size_t place = size_;
  if (size_ < kCapacity) {
    ++size_;
    entries_[place].weight = 0;
  } else {
    const auto lightest = std::ranges::min_element(entries_, {}, &Entry::weight);
    place = static_cast<std::size_t>(lightest - entries_.begin());
  }
  Entry& entry = entries_[place];
  hashes_[place] = hash;
  entry.path = path;
  entry.error = entry.weight;
  entry.weight += weight;
}

void FrequentPaths::decay(double factor) {
  total_ *= factor;
  for (std::size_t i = 0; i < size_;) {
    Entry& entry = entries_[i];
    entry.weight *= factor;
    entry.error *= factor;
    if (entry.weight >= kForgotten) {
      ++i;
      continue;
    }
    --size_;
    hashes_[i] = hashes_[size_];
    std::swap(entry, entries_[size_]);
  }
  if (size_ == 0) total_ = 0;
}

std::vector<const FrequentPaths::Entry*> FrequentPaths::heaviest(std::size_t limit) const {
  std::vector<const Entry*> found;
  found.reserve(size_);
  for (std::size_t i = 0; i < size_; ++i) found.push_back(&entries_[i]);
  const auto wanted = found.begin() + static_cast<std::ptrdiff_t>(std::min(limit, found.size()));
  std::ranges::partial_sort(found, wanted, std::ranges::greater{},
                            [](const Entry* entry) { return certain_weight(*entry); });
  found.erase(wanted, found.end());
  return found;
}

}  // namespace wk::replica
