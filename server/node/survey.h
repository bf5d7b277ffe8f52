// A walk over all of something, in slices on the core thread: what the surveys of sessions, connections,
// watches and znodes have in common.
//
// What changes during a walk may be seen before or after the change, or not at all: surveys are for finding
// what stands out. Thread: core.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/time.h"
#include "exporter/model/internals.h"

namespace wk::node {

class Survey {
 public:
  /// Places that one slice looks at: well below 0.2 ms.
  static constexpr std::size_t kPlacesASlice = 1'024;

  explicit Survey(std::chrono::milliseconds interval) : interval_(interval) {}
  virtual ~Survey() = default;
  Survey(const Survey&) = delete;
  Survey& operator=(const Survey&) = delete;

  /// When the next slice is wanted: at once while a walk is under way.
  [[nodiscard]] std::chrono::steady_clock::time_point due() const { return due_; }
  /// Walks one slice, the first one of a new walk when none is under way.
  void slice(const Moment& now) {
    if (!walking_) {
      walking_ = true;
      began_ = now;
      begin(now);
    }
    if (!walk(now)) return;
    walking_ = false;
    due_ = began_.steady + interval_;
    state_.finished = now;
    state_.took = now - began_;
    finish();
  }
  /// How long the slice before took, for the record.
  void note_slice(std::chrono::nanoseconds took) {
    state_.busy += took;
    if (took > state_.longest_slice) state_.longest_slice = took;
  }
  [[nodiscard]] const exporter::Survey& state() const { return state_; }

 protected:
  virtual void begin(const Moment& now) = 0;
  /// \return  true when everything was looked at
  virtual bool walk(const Moment& now) = 0;
  /// What was found replaces what the walk before had found.
  virtual void finish() = 0;

 private:
  const std::chrono::milliseconds interval_;
  std::chrono::steady_clock::time_point due_{};
  Moment began_{};
  bool walking_ = false;
  exporter::Survey state_;
};

}  // namespace wk::node
