#include "exporter/view/event_log.h"

#include <algorithm>
#include <utility>

namespace wk::exporter {

void EventLog::append(Event event) {
  event.id = ++last_id_;
  if (events_.size() == kLimit) {
    events_.pop_front();
    ++dropped_;
  }
  events_.push_back(std::move(event));
}

std::vector<Event> EventLog::after(std::uint64_t id, std::size_t limit) const {
  auto first = std::upper_bound(events_.begin(), events_.end(), id,
                                [](std::uint64_t wanted, const Event& event) { return wanted < event.id; });
  if (static_cast<std::size_t>(events_.end() - first) > limit)
    first = events_.end() - static_cast<std::ptrdiff_t>(limit);
  return {first, events_.end()};
}

}  // namespace wk::exporter
