// What the load generator is asked to do: the command line as a value.
//
// Thread: any; plain values.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace wk::bench {

/// What one request does. Keys exist before the load begins; create makes new znodes below a parent of its
/// connection, and delete removes the oldest of those (or makes one when there is none).
enum class Operation : std::uint8_t { kGet, kExists, kSet, kCreate, kDelete, kSync };
inline constexpr std::array<std::string_view, 6> kOperationNames{"get",    "exists", "set",
                                                                 "create", "delete", "sync"};
inline std::string_view name(Operation operation) {
  return kOperationNames.at(static_cast<std::size_t>(operation));
}

/// Shares of operations, in any unit.
using Mix = std::array<double, kOperationNames.size()>;

/// "get", "get=90,set=10", …; an error names the word that is wrong.
Result<Mix> parse_mix(std::string_view text);

enum class Arrivals { kPoisson, kEven };

struct Plan {
  std::vector<std::string> servers{};  ///< host:port; connections are spread over them in turn
  std::size_t connections = 10;
  std::size_t threads = 1;
  std::size_t outstanding_max = 100;  ///< requests that wait for a reply, on each connection
  std::string mix_text = "get";
  Mix mix{};
  std::size_t data_bytes = 100;
  std::size_t keys = 1000;
  std::string root = "/wk-load";
  std::chrono::milliseconds warm_up{2000};
  std::chrono::milliseconds window{2000};
  std::size_t windows = 5;
  std::optional<std::uint64_t> operations{};  ///< so many and no more, without warm-up, in one window
  std::optional<double> rate_per_s{};         ///< open loop: arrivals do not wait for replies
  Arrivals arrivals = Arrivals::kPoisson;
  std::chrono::milliseconds session_timeout{30'000};
  std::vector<int> server_pids{};  ///< processes whose CPU time is divided by the operations
  std::uint64_t seed = 1;
  std::string json_file{};  ///< "-" is standard output
  bool quiet = false;       ///< no table
};

}  // namespace wk::bench
