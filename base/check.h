// Checks that stay on in release builds: a broken invariant logs what and where, then aborts.
//
// Thread: any.
#pragma once

#include <string_view>

namespace wk {

/// Logs the failed expression with its place and the detail, flushes the log, and aborts the process.
[[noreturn]] void check_failed(const char* expression, const char* file, int line, std::string_view detail);

}  // namespace wk

/// Aborts when `condition` is false. `detail` (convertible to std::string_view) is evaluated only then.
#define WK_CHECK(condition, detail)                                 \
  do {                                                              \
    if (!(condition)) [[unlikely]]                                  \
      ::wk::check_failed(#condition, __FILE__, __LINE__, (detail)); \
  } while (false)
