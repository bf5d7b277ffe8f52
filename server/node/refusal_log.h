// One log line for connections that were not taken or not kept, however many they are.
//
// Each reason logs at most once in kQuiet; the next line tells how many were not logged.
// Thread: core. Time is an argument.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "server/net/client_port.h"

namespace wk::node {

class RefusalLog {
 public:
  static constexpr std::chrono::seconds kQuiet{10};

  /// The line to log, or nothing while its reason is quiet.
  std::optional<std::string> line(net::Refusal refusal, const std::string& address, std::int64_t number,
                                  std::chrono::steady_clock::time_point now);

 private:
  static constexpr std::size_t kReasons = 8;
  struct State {
    std::optional<std::chrono::steady_clock::time_point> last;
    std::uint64_t suppressed = 0;
  };
  std::array<State, kReasons> states_;
};

}  // namespace wk::node
