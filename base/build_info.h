// Which build this is.
//
// Thread: any; constant.
#pragma once

#include <string>

namespace wk {

struct BuildInfo {
  std::string version;   ///< of the project
  std::string revision;  ///< of the source tree; "unknown" outside a git checkout
  std::string compiler;
};

BuildInfo build_info();

}  // namespace wk
