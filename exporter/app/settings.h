// What the sidecar does, beside the ensembles it watches: choices that flags and the configuration file
// share.
//
// A choice that was not made is absent, so that the two can be laid over each other; flags win.
// Thread: any; plain values.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "exporter/web/listen_address.h"

namespace wk::exporter {

/// Which targets /probe may visit.
enum class ProbePolicy {
  kAny,     ///< whatever the caller names
  kListed,  ///< members of configured ensembles only
  kOff,     ///< none
};
const char* name(ProbePolicy policy);
/// "any", "listed", "off"; the message of the error is "what; remedy".
Result<ProbePolicy> parse_probe_policy(std::string_view text);

/// Metric families by their names in flags, in YAML and in `family=` of a scrape.
inline constexpr std::array<std::string_view, 3> kFamilyNames{"native", "zk", "zookeeper39"};

struct FamilyChoice {
  std::optional<bool> native, zk, zookeeper39;
};

struct Settings {
  /// The program is the only member that it tells of: zookeeper39 has no label `instance`, which Prometheus
  /// sets itself.
  bool single_member = false;
  std::vector<ListenAddress> listen_addresses;  ///< empty = not chosen
  FamilyChoice families;
  std::optional<ProbePolicy> probe;
};

inline constexpr std::uint16_t kDefaultHttpPort = 9141;
inline constexpr std::size_t kListenAddressLimit = 16;

/// `file` with everything that `flags` chose laid over it.
Settings overlay(const Settings& file, const Settings& flags);

}  // namespace wk::exporter
