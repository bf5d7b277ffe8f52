// What the exporter is told to watch: ensembles, their members, and how to reach them.
//
// Filled by the configuration (exporter/app), read by poll, canary and view.
// Thread: any; plain values, constant after start.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ensemble_name.h"
#include "exporter/model/view.h"

namespace wk::exporter {

/// TLS towards the client port and the HTTP surfaces of a member. All files are PEM.
struct TlsSpec {
  std::string ca_file;      ///< trusted certificates; empty = the system's
  std::string cert_file;    ///< our certificate (chain), empty = none
  std::string key_file;     ///< its key; empty together with cert_file
  std::string server_name;  ///< name expected in the member's certificate; empty = the host as configured
  bool verify = true;       ///< false: accept any certificate (expiry is still reported)
};

/// Credentials for AdminServer and the Prometheus endpoint, where a proxy in front of them wants some.
struct BasicAuthSpec {
  std::string username;
  std::string password;
};

struct TargetSpec {
  std::string name;            ///< "HOST:PORT" as written; identity in labels and URLs
  std::string host;            ///< name or address, without brackets for IPv6
  std::uint16_t port = 2181;   ///< client port
  std::optional<TlsSpec> tls;  ///< speak TLS on the client port
  std::string admin_url;       ///< base "http://HOST:PORT/commands"; empty = AdminServer is not asked
  std::string prometheus_url;  ///< "http://HOST:PORT/metrics"; empty = not asked
  std::optional<BasicAuthSpec> http_auth;
  /// Deadline of one visit, resolution and TLS included. 50 ms … 60 s.
  std::chrono::milliseconds timeout{1000};
};

struct EnsembleSpec {
  std::string name{kDefaultEnsembleName};  ///< label value; 1 … 64 printable characters without quotes
  std::vector<TargetSpec> members;
  CanaryMode canary = CanaryMode::kRead;
  std::string canary_path = "/watchkeeper-canary";  ///< private znode of the write mode
  std::optional<std::string> canary_auth;  ///< "user:password" of digest authentication for the canary
  /// Time from one visit to the next. 20 ms … 60 s.
  std::chrono::milliseconds interval{1000};
  /// Time between two visits that also ask for detail (conf, cons, dirs, wchs, hash). At least `interval`.
  std::chrono::milliseconds detail_interval{10'000};
};

inline constexpr std::size_t kEnsembleLimit = 100;
inline constexpr std::size_t kMemberLimit = 100;  ///< of one ensemble

}  // namespace wk::exporter
