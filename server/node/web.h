// The HTTP listeners of a server: /metrics, the page, the API behind it, /livez, /readyz and /commands; the
// latter also at the AdminServer's address when the configuration asks for it.
//
// Thread: from main; handlers run on the HTTP server's threads. They read copies only, but for commands,
// which ask the core and wait for it at most a second.
#pragma once

#include <string>

#include "base/error.h"
#include "exporter/web/server.h"
#include "server/config/config.h"
#include "server/node/commands.h"
#include "server/node/observatory.h"

namespace wk::node {

class Web {
 public:
  /// \param observatory, commands  must outlive this
  Web(const config::Http& http, const config::MetricFamilies& families, const Observatory& observatory,
      const Commands& commands);
  ~Web();
  Web(const Web&) = delete;
  Web& operator=(const Web&) = delete;

  /// Listens and serves. \return  an error that names the address and the remedy
  Result<void> start();
  /// "http://HOST:PORT" as it was bound: "http://0.0.0.0:7000" is open to every network of this machine.
  [[nodiscard]] std::string url() const;
  /// Whether it listens on every address.
  [[nodiscard]] bool everywhere() const;

 private:
  exporter::HttpServer server_;
};

/// /livez and /readyz of a server: not those of the sidecar, whose subject is its watcher. Both judge by the
/// newest report of the core, whatever the age of the snapshot. \param snapshot  of an observatory
exporter::Response server_livez(const exporter::Snapshot& snapshot, const Moment& now);
exporter::Response server_readyz(const exporter::Snapshot& snapshot, const Moment& now);

}  // namespace wk::node
