// The HTTP server of the exporter: routes, authentication, TLS, compression and limits.
//
// civetweb carries it (transport.h): each connection has a thread of its own, on which its requests are
// authenticated and its handlers run. Debian 12's civetweb has no IPv6. Public functions: any one thread,
// except stats(): any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "exporter/web/http.h"
#include "exporter/web/listen_address.h"
#include "exporter/web/transport.h"

namespace wk::exporter {

struct HttpOptions {
  std::vector<ListenAddress> listen = {ListenAddress{"", 9141}};
  std::optional<std::filesystem::path> web_config;  ///< exporter-toolkit's file: TLS, users, headers
  std::size_t requests_max = 16;  ///< answered at the same time; more get 503; at least 4 (basic_auth.h)
  /// Responses with a stream that are sent at the same time; more get 503. Each holds a thread, but counts in
  /// requests_max only until its handler has returned.
  std::size_t streams_max = 16;
  /// Threads, hence connections that are served at the same time; more wait. More than requests_max and
  /// streams_max together. Each costs about 25 KB whether it is used or not.
  std::size_t connections_max = 64;
  ConnectionLimits connection;
};

/// Counts since start, for the catalogue.
struct HttpStats {
  std::array<std::uint64_t, 4> responses{};        ///< by status class: 2xx, 3xx, 4xx, 5xx
  std::uint64_t authentication_failures = 0;       ///< 401
  std::uint64_t rejected_authentication_busy = 0;  ///< 503: too many passwords to check
  std::uint64_t rejected_requests = 0;             ///< 503: requests_max
  std::uint64_t rejected_streams = 0;              ///< 503: streams_max
  std::uint64_t rejected_connections = 0;          ///< not kept alive: half of connections_max were open
  std::uint64_t malformed_requests = 0;            ///< 400, 431, 505: not HTTP, or past a limit
  std::uint64_t timeouts = 0;                      ///< connections ended because the client was slow
  std::uint64_t tls_failures = 0;                  ///< handshakes that failed
  std::uint64_t handler_failures = 0;              ///< 500: a handler threw
  std::uint64_t web_config_reloads = 0;
  std::uint64_t web_config_reload_failures = 0;
  std::size_t streams = 0;  ///< being sent now
};

class HttpServer {
 public:
  /// Bodies above this are compressed when the client accepts gzip.
  static constexpr std::size_t kGzipBytesMin = 1024;

  explicit HttpServer(HttpOptions options);
  /// As stop().
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Routes GET and HEAD of exactly `path`. Before start() only.
  void handle(std::string path, Handler handler);
  /// Routes GET and HEAD of every path that begins with `prefix`, where no exact path matches; the longest
  /// prefix wins.
  void handle_prefix(std::string prefix, Handler handler);

  /// Reads the web configuration, listens on all addresses and begins to serve. Once only.
  /// \return  an error that names the file or the address, and the remedy; nothing listens then
  Result<void> start();

  /// What it listens on, with the real port where 0 was asked for; in the order of HttpOptions::listen.
  [[nodiscard]] std::vector<ListenAddress> addresses() const;

  /// Ends streams, lets running handlers finish, gives clients a second to take their responses, then stops
  /// listening and cuts all connections. Idempotent.
  void stop();

  [[nodiscard]] HttpStats stats() const;

 private:
  class Service;
  std::unique_ptr<Service> service_;
};

}  // namespace wk::exporter
