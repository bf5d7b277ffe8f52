#include "base/ensemble_name.h"

#include <algorithm>

namespace wk {

bool legal_ensemble_name(std::string_view name) {
  // "." and ".." cannot stand in the path of a URL.
  return !name.empty() && name.size() <= 64 && name != "." && name != ".." &&
         std::ranges::all_of(
             name, [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\'' && c != '\\'; });
}

}  // namespace wk
