// What the poller keeps of one member from visit to visit: how to reach it, and what was learned about
// reaching it.
//
// Thread: io.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "exporter/model/target.h"
#include "exporter/poll/source_choice.h"
#include "exporter/poll/surface_url.h"
#include "exporter/poll/tls_client.h"

namespace wk::exporter {

struct Member {
  explicit Member(TargetSpec target);

  [[nodiscard]] Surfaces surfaces() const { return {admin.has_value(), prometheus.has_value()}; }

  TargetSpec spec;
  std::optional<Result<SurfaceUrl>> admin, prometheus;  ///< absent when not configured
  std::shared_ptr<TlsClient> client_tls;                ///< null: the client port speaks no TLS
  std::shared_ptr<TlsClient> http_tls;                  ///< for https URLs
  std::string authorization;                            ///< value of the HTTP header, empty for none

  SourceMemory memory;
  /// The address of each host that accepted last, tried first while the name still resolves to it.
  std::map<std::string, boost::asio::ip::address> last_good;
};

}  // namespace wk::exporter
