// All surveys of a server, and when their slices may run: seldom enough that together they cost a thousandth
// of the core thread.
//
// Thread: core.
#pragma once

#include <array>
#include <chrono>

#include "base/time.h"
#include "server/net/client_port.h"
#include "server/node/connection_survey.h"
#include "server/node/session_survey.h"
#include "server/node/tree_survey.h"
#include "server/node/watch_survey.h"
#include "server/replica/replica.h"

namespace wk::node {

class Surveys {
 public:
  /// After a slice the core does other things for this many times as long.
  static constexpr int kPauseFactor = 1'000;
  /// From one slice to the next, at least and at most.
  static constexpr std::chrono::milliseconds kPauseLeast{1};
  static constexpr std::chrono::milliseconds kPauseMost{1'000};

  Surveys(const replica::Replica& replica, const net::ClientPort& port)
      : sessions_(replica),
        connections_(replica, port),
        watches_(replica.watches()),
        znodes_(replica.tree()) {}

  /// Walks a slice of the next survey in turn that is due. \return  when to come again
  std::chrono::nanoseconds slice();

  [[nodiscard]] const SessionSurvey& sessions() const { return sessions_; }
  [[nodiscard]] const ConnectionSurvey& connections() const { return connections_; }
  [[nodiscard]] const WatchSurvey& watches() const { return watches_; }
  [[nodiscard]] const TreeSurvey& znodes() const { return znodes_; }

 private:
  SessionSurvey sessions_;
  ConnectionSurvey connections_;
  WatchSurvey watches_;
  TreeSurvey znodes_;
  const std::array<Survey*, 4> all_{&sessions_, &connections_, &watches_, &znodes_};
  std::size_t last_ = 0;
};

}  // namespace wk::node
