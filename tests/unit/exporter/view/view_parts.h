// The pieces that tests of the view's leaves are put together from: moments, members, answers, and an ear for
// events. Time is a value.
#pragma once

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/model/zk_metric.h"
#include "exporter/view/event_sink.h"
#include "tests/unit/exporter/view/ensemble_story.h"

namespace wk::exporter {

inline Moment after(std::chrono::nanoseconds since_start) { return EnsembleStory::start() + since_start; }

inline Zxid zxid_of(std::uint32_t epoch, std::uint32_t counter) {
  return Zxid{(static_cast<std::uint64_t>(epoch) << 32) | counter};
}

inline StatusAnswer status_of(Role role,
                              std::initializer_list<std::pair<std::string_view, double>> numbers = {}) {
  StatusAnswer status;
  status.role = role;
  for (const auto& [metric, value] : numbers) EnsembleStory::add(status, metric, value);
  return status;
}

/// Puts a changed copy in the place of a shared answer; of an empty one where there is none.
template <typename Answer, typename Change>
void change(Shared<Answer>& shared, const Change& edit) {
  Answer answer = shared.copy();
  edit(answer);
  shared = std::move(answer);
}

/// Changes what is known of a member.
template <typename Change>
void learn(MemberView& member, const Change& edit) {
  auto facts = std::make_shared<MemberFacts>(*member.facts);
  edit(*facts);
  member.facts = std::move(facts);
}

/// zk1:2181, zk2:2181, … all of which serve as voters of one quorum; nothing else is known of them.
inline EnsembleView ensemble_of(int members) {
  EnsembleView view;
  view.voters = members;
  view.majority = members / 2 + 1;
  for (int number = 1; number <= members; ++number) {
    MemberView& member = view.members.emplace_back();
    member.name = "zk" + std::to_string(number) + ":2181";
    member.state = ServingState::kServing;
    member.state_since = EnsembleStory::start();
    member.facts = std::make_shared<MemberFacts>();
    member.polls = 2;
  }
  return view;
}

/// Keeps what is told to its sinks.
class Ear {
 public:
  EventSink at(Moment moment) { return {ensemble_, moment, counts_, events}; }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> result;
    std::transform(events.begin(), events.end(), std::back_inserter(result),
                   [](const Event& event) { return event.text; });
    return result;
  }

  std::vector<Event> events;

 private:
  std::string ensemble_ = "default";
  EventSink::Counts counts_{};
};

}  // namespace wk::exporter
