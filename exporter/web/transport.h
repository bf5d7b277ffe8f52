// HTTP/1.1 and TLS by civetweb: turns what arrives on sockets into calls of one function, and writes what it
// returns.
//
// civetweb serves each connection by a thread of its own from a pool of `connections_max`; nothing of
// civetweb's own content (files, scripts, directory listings) is reachable. A client holds its thread for at
// most `request_timeout` before each request is complete (the TLS handshake likewise) and `response_timeout`
// while it takes a response; idle connections are kept only while they hold less than half of the pool. When
// a flood holds the whole pool, further connections wait, first in civetweb's queue, then in the kernel's, at
// most `request_timeout` × (connections waiting ÷ connections_max); beyond that the kernel drops them. A body
// of a request is dropped and ends the connection. civetweb ignores header fields after a folded line.
// Thread: any one for all functions but counters(), which any may call; the functions of TransportUse run on
// civetweb's threads, many at a time, from within start() on. Source: RFC 9112; civetweb 1.15's UserManual
// for the options.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "exporter/web/http.h"
#include "exporter/web/listen_address.h"
#include "exporter/web/tls_context.h"

namespace wk::exporter {

struct ConnectionLimits {
  std::size_t header_bytes_max =
      16 * 1024;  ///< request line and header fields together; more is 400; at least 1024
  std::chrono::milliseconds request_timeout{
      5'000};                                      ///< to the end of the first header; also for the handshake
  std::chrono::milliseconds idle_timeout{75'000};  ///< to the end of a further header
  std::chrono::milliseconds response_timeout{30'000};  ///< for the client to take a whole response
};

/// What the owner of a transport does for it.
struct TransportUse {
  /// Answers a request whose `path` is the raw target. Must not throw.
  std::function<Response(Request)> answer;
  /// Called with every response before it is written, also with those that `answer` did not make.
  std::function<void(Response&)> finish;
  /// The TLS context for a new connection; null function = plain HTTP.
  std::function<std::shared_ptr<const TlsContext>()> tls;
};

/// Counts since start.
struct TransportCounters {
  std::uint64_t malformed = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t tls_failures = 0;
  std::uint64_t keep_alive_refused = 0;
};

/// What Transport::start() refuses on any machine and at any time: an address that this build cannot listen
/// on, and with `tls` an installation that cannot serve HTTPS. Binds nothing.
Result<void> check_transport(const std::vector<ListenAddress>& addresses, bool tls);

class Transport {
 public:
  static constexpr std::size_t kHeadersMax = 63;  ///< header fields of a request; more is 431

  /// \param connections_max  threads, hence connections that are served at the same time
  Transport(std::size_t connections_max, const ConnectionLimits& limits, TransportUse use);
  /// As stop().
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// Listens on all `addresses` and begins to serve. Once only.
  /// \return  an error that names the address and the remedy; nothing listens then. Errc::kTls: HTTPS is not
  /// possible
  Result<void> start(const std::vector<ListenAddress>& addresses);

  /// What it listens on, with the real port where 0 was asked for; in the order of start().
  [[nodiscard]] std::vector<ListenAddress> addresses() const;
  [[nodiscard]] TransportCounters counters() const;

  /// Ends all streams, lets requests that are being answered finish (others get 503), gives their clients a
  /// second to take the responses, stops listening, cuts all connections and joins all threads; idle
  /// connections may delay that by two seconds. Idempotent.
  void stop();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace wk::exporter
