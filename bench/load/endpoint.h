// Where connections go, and from which address they come.
//
// Thread: any; plain values.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace wk::bench {

struct Endpoint {
  std::string name{};  ///< host:port as the user wrote it, for messages
  sockaddr_storage address{};
  socklen_t size = 0;

  /// For calls of the system.
  [[nodiscard]] const sockaddr* generic() const;
};

/// \param server  host:port; the host is an address or a name
Result<Endpoint> resolve(const std::string& server);
Result<std::vector<Endpoint>> resolve_all(const std::vector<std::string>& servers);

/// Connections that come from one loopback address. The kernel has 28,000 ports for outgoing connections from
/// one address to one port; from half of them on, finding a free one takes it milliseconds.
inline constexpr std::size_t kConnectionsPerSource = 10'000;

/// The loopback address from which connection `number` has to come: 127.0.0.2 for the second
/// kConnectionsPerSource connections, and so on. Nothing when the kernel may choose: for the first ones, and
/// for servers elsewhere, whose way back only the kernel knows.
std::optional<in_addr> source_of(const Endpoint& endpoint, std::size_t number);

}  // namespace wk::bench
