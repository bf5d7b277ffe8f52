// When the sources of this build were committed.
//
// Thread: any; constant.
#pragma once

#include <string_view>

namespace wk::node {

/// "11/22/2026 05:36 GMT"; "01/01/1970 00:00 GMT" outside a git checkout. In the form of ZooKeeper 3.6 and
/// older.
std::string_view build_time();

}  // namespace wk::node
