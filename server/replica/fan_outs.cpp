#include "server/replica/fan_outs.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

namespace wk::replica {
namespace {

bool old(const FanOuts::Entry& entry, const Moment& now) { return now - entry.at >= FanOuts::kKept; }

}  // namespace

void FanOuts::keep(std::string_view path, jute::EventType type, std::size_t watchers, const Moment& now) {
  const auto known = std::ranges::find_if(
      entries_, [&](const Entry& entry) { return entry.type == type && entry.path == path; });
  if (known != entries_.end()) {
    if (old(*known, now)) known->watchers = known->times = 0;
    ++known->times;
    if (watchers < known->watchers) return;
    known->watchers = watchers;
    known->at = now;
    return;
  }
  Entry entry{std::string(path), type, watchers, now, 1};
  if (entries_.size() < kCapacity) return entries_.push_back(std::move(entry));
  const auto least = std::ranges::min_element(
      entries_, {}, [&](const Entry& one) { return old(one, now) ? std::size_t{0} : one.watchers; });
  if (old(*least, now) || least->watchers < watchers) *least = std::move(entry);
}

std::vector<FanOuts::Entry> FanOuts::largest(const Moment& now) const {
  std::vector<Entry> found;
  std::ranges::copy_if(entries_, std::back_inserter(found),
                       [&](const Entry& entry) { return !old(entry, now); });
  std::ranges::stable_sort(found, std::ranges::greater{}, &Entry::watchers);
  return found;
}

}  // namespace wk::replica
