// From "HOST:PORT" to a target: what an ensemble says once for all its members.
//
// Thread: any; pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "exporter/model/target.h"

namespace wk::exporter {

/// What members inherit unless they say otherwise themselves.
struct TargetDefaults {
  std::chrono::milliseconds timeout{1000};
  std::optional<TlsSpec> tls;
  std::optional<std::uint16_t> admin_port;       ///< absent = AdminServer is not asked
  std::string admin_command_url = "/commands";   ///< admin.commandURL of zoo.cfg; begins with a slash
  std::optional<std::uint16_t> prometheus_port;  ///< absent = the Prometheus endpoint is not asked
  std::optional<BasicAuthSpec> http_auth;
};

/// The target at `address` ("zk1", "zk1:2181", "[::1]:2181") with everything else from `defaults`. Its name
/// is always written with the port, so that one server has one name. \return  Errc::kInvalidInput; the
/// message shows the address and a correct example
Result<TargetSpec> make_target(std::string_view address, const TargetDefaults& defaults);

}  // namespace wk::exporter
