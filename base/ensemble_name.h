// What an ensemble may be called: by the sidecar's configuration, and by a server's own.
//
// Thread: any; pure.
#pragma once

#include <string_view>

namespace wk {

/// The name of an ensemble that was given none.
inline constexpr std::string_view kDefaultEnsembleName = "default";

/// What to do about a name that is not legal.
inline constexpr std::string_view kEnsembleNameRemedy =
    "write 1 to 64 printable characters without quotes, for example production";

/// 1 … 64 printable ASCII characters without quotes and backslashes: it is the value of a label, and a part
/// of paths of URLs.
bool legal_ensemble_name(std::string_view name);

}  // namespace wk
