#include "bench/load/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace wk::bench {
namespace {

Result<double> parse_share(std::string_view word, std::string_view text) {
  double share = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  if (error != std::errc{} || end != text.data() + text.size() || !(share >= 0) || share > 1e9) {
    return Error{Errc::kInvalidInput, fmt::format("--mix: the share in \"{}\" is not a number ≥ 0", word)};
  }
  return share;
}

}  // namespace

Result<Mix> parse_mix(std::string_view text) {
  Mix mix{};
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    const std::string_view operation = word.substr(0, word.find('='));
    const auto found = std::find(kOperationNames.begin(), kOperationNames.end(), operation);
    if (found == kOperationNames.end()) {
      return Error{Errc::kInvalidInput, fmt::format("--mix: there is no operation \"{}\"; there are {}",
                                                    operation, fmt::join(kOperationNames, ", "))};
    }
    double share = 1;
    if (operation.size() < word.size()) {
      const auto parsed = parse_share(word, word.substr(operation.size() + 1));
      if (!parsed) return parsed.error();
      share = *parsed;
    }
    mix.at(static_cast<std::size_t>(found - kOperationNames.begin())) += share;
  }
  if (std::all_of(mix.begin(), mix.end(), [](double share) { return share == 0; })) {
    return Error{Errc::kInvalidInput, "--mix: no operation has a share above 0"};
  }
  return mix;
}

}  // namespace wk::bench
