// Log lines for requests that took longer than watchkeeper.slowRequestMs, a few at most however many they
// are.
//
// At most kLines in kWindow; the next line tells how many were not logged. Thread: core. Time is an argument.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "server/replica/slow_requests.h"

namespace wk::node {

class SlowRequestLog {
 public:
  static constexpr std::size_t kLines = 5;
  static constexpr std::chrono::seconds kWindow{10};

  std::vector<std::string> lines(const replica::SlowRequests::ToLog& slow,
                                 std::chrono::steady_clock::time_point now);

 private:
  std::chrono::steady_clock::time_point window_{};
  std::size_t logged_ = kLines;  // in the window
  std::uint64_t left_out_ = 0;
};

}  // namespace wk::node
