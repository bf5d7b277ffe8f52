// What of a configuration may be shown to who may only read.
//
// Thread: any; pure.
#pragma once

#include <string>
#include <string_view>

namespace wk::config {

/// The text of a zoo.cfg, line by line as it stands, but for the values of keys that hold a password or a
/// digest of one: "***". Differs: Apache shows them to everybody.
std::string without_secrets(std::string_view text);

}  // namespace wk::config
