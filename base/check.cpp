#include "base/check.h"

#include <spdlog/spdlog.h>

#include <cstdlib>

namespace wk {

void check_failed(const char* expression, const char* file, int line, std::string_view detail) {
  spdlog::critical("invariant broken at {}:{}: {} ({})", file, line, expression, detail);
  spdlog::shutdown();  // flushes what the asynchronous logger still holds
  std::abort();
}

}  // namespace wk
