#include "exporter/view/event_sink.h"

#include <utility>

namespace wk::exporter {

EventSink::EventSink(const std::string& ensemble, Moment at, Counts& counts, std::vector<Event>& events)
    : ensemble_(ensemble), at_(at), counts_(counts), events_(events) {}

void EventSink::tell(EventType type, Severity severity, const std::string& member, std::string text,
                     std::optional<std::chrono::nanoseconds> duration) {
  ++counts_[static_cast<std::size_t>(type)];
  events_.push_back(Event{.id = 0,
                          .at = at_,
                          .type = type,
                          .severity = severity,
                          .ensemble = ensemble_,
                          .member = member,
                          .text = std::move(text),
                          .duration = duration});
}

}  // namespace wk::exporter
