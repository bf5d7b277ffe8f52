// Removes containers that have lost their last child and TTL nodes that have outlived their time.
//
// Every check interval the tree is searched in slices; what is due is removed at a limited rate, one
// deleteContainer transaction each, which is checked again when it is prepared. The business of the leader
// alone. Thread: core. Source: ContainerManager.java; reference "Ephemerals, containers, TTL".
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "base/time.h"
#include "server/replica/pipeline.h"
#include "server/replica/state.h"

namespace wk::replica {

class CleanUp {
 public:
  /// Znodes that one step looks at, and paths that may wait for their removal: the search goes on when there
  /// is room.
  static constexpr std::size_t kExaminedAStep = 4'096;
  static constexpr std::size_t kMaxDue = 16'384;
  /// Removals that may follow one another at once after a late tick.
  static constexpr std::size_t kMaxBurst = 256;

  /// \param started  the first search begins one interval later
  CleanUp(State& state, Pipeline& pipeline, const Moment& started);

  /// \return  true when the search wants to go on at once
  bool on_tick(const Moment& now);

  /// Paths found that wait for their removal.
  [[nodiscard]] std::size_t due() const { return due_.size(); }

 private:
  bool search(const Moment& now);
  void remove(const Moment& now);

  using Time = std::chrono::steady_clock::time_point;

  State& state_;
  Pipeline& pipeline_;
  Time next_search_;
  Time next_removal_;
  bool searching_ = false;
  std::deque<std::string> due_;
  std::vector<std::string> found_;
};

}  // namespace wk::replica
