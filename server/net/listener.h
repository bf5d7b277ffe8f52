// A listening TCP socket.
//
// Thread: core.
#pragma once

#include <netdb.h>
#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "server/net/descriptor.h"
#include "server/net/ready_set.h"

namespace wk::net {

/// Binds and listens.
/// \param host     empty: every address, IPv4 and IPv6 on one socket; else an address or a name, of whose
///                 addresses listened_address() chooses one
/// \param port     0 = any free one
/// \param backlog  at most 0: the system's largest
/// \return  Errc::kUnresolved, or Errc::kIo with the reason ("Address already in use") and the place
Result<Descriptor> listen_on(const std::string& host, std::uint16_t port, int backlog);

/// Which of the addresses of a name is listened on: its first IPv4 address, else its first one.
/// Source: java.net.InetAddress.getByName, where java.net.preferIPv6Addresses is false unless it is set.
const addrinfo& listened_address(const addrinfo& first);

/// The port that a listening socket got.
std::uint16_t bound_port(int descriptor);

struct AcceptedSocket {
  Descriptor socket;
  sockaddr_storage peer{};
};

class Listener : public Ready {
 public:
  /// Connections taken at one wake-up, so that a storm of them does not stop those that are there.
  static constexpr int kBatch = 64;

  /// \param on_accept  gets every new connection, non-blocking and closed on exec
  /// \param on_exhausted  told when the process or the system has no descriptor left: one waiting connection
  /// was
  ///                      closed unanswered instead of waiting for ever
  Listener(Descriptor socket, ReadySet& ready_set, std::function<void(AcceptedSocket)> on_accept,
           std::function<void()> on_exhausted);
  ~Listener() override;

  [[nodiscard]] std::uint16_t port() const { return bound_port(socket_.get()); }
  void on_ready(Readiness readiness) override;

 private:
  std::optional<AcceptedSocket> accept_one();

  Descriptor socket_;
  Descriptor spare_;  // Given up for a moment to get rid of a connection when no descriptor is left.
  ReadySet& ready_set_;
  std::function<void(AcceptedSocket)> on_accept_;
  std::function<void()> on_exhausted_;
};

}  // namespace wk::net
