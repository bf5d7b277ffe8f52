#include "exporter/app/settings.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/near_miss.h"

namespace wk::exporter {

const char* name(ProbePolicy policy) {
  switch (policy) {
    case ProbePolicy::kAny:
      return "any";
    case ProbePolicy::kListed:
      return "listed";
    case ProbePolicy::kOff:
      return "off";
  }
  return "unknown";
}

Result<ProbePolicy> parse_probe_policy(std::string_view text) {
  for (const ProbePolicy policy : {ProbePolicy::kAny, ProbePolicy::kListed, ProbePolicy::kOff})
    if (text == name(policy)) return policy;
  static constexpr std::array<std::string_view, 3> kWords{"any", "listed", "off"};
  return Error{Errc::kInvalidInput, fmt::format("\"{}\" is no probe policy; write any, listed or off{}",
                                                printable(text, 40), did_you_mean(text, kWords))};
}

Settings overlay(const Settings& file, const Settings& flags) {
  Settings both = file;
  if (!flags.listen_addresses.empty()) both.listen_addresses = flags.listen_addresses;
  if (flags.families.native) both.families.native = flags.families.native;
  if (flags.families.zk) both.families.zk = flags.families.zk;
  if (flags.families.zookeeper39) both.families.zookeeper39 = flags.families.zookeeper39;
  if (flags.probe) both.probe = flags.probe;
  return both;
}

}  // namespace wk::exporter
