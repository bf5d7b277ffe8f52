#include "base/check.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

#include "base/log_end.h"

namespace wk {

void check_failed(const char* expression, const char* file, int line, std::string_view detail) {
  const std::string what = fmt::format("invariant broken at {}:{}: {} ({})", file, line, expression, detail);
  spdlog::critical("{}", what);
  // What the asynchronous logger still holds is written; without it at least this.
  if (!end_logging()) say(what + "\n");
  std::abort();
}

}  // namespace wk
