#include "base/build_info.h"

#include "watchkeeper_revision.h"

namespace wk {

BuildInfo build_info() {
#if defined(__clang__)
  return {WK_VERSION, WK_REVISION, "clang " __clang_version__};
#else
  return {WK_VERSION, WK_REVISION, "gcc " __VERSION__};
#endif
}

}  // namespace wk
