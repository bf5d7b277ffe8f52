#include "server/node/build_time.h"

#include <fmt/format.h>

#include <string>

#include "base/build_info.h"
#include "server/node/words.h"
#include "watchkeeper_build_time.h"

namespace wk::node {

std::string_view build_time() { return WK_BUILD_TIME; }

std::string version_text() {
  const BuildInfo build = build_info();
  return fmt::format("3.9.5-watchkeeper-{}-{}, built on {}", build.version, build.revision, build_time());
}

}  // namespace wk::node
