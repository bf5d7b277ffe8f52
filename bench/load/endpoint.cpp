#include "bench/load/endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>

#include <cstring>
#include <memory>

namespace wk::bench {

const sockaddr* Endpoint::generic() const {
  const void* const raw = &address;
  return static_cast<const sockaddr*>(raw);
}

Result<Endpoint> resolve(const std::string& server) {
  const std::size_t colon = server.rfind(':');
  if (colon == std::string::npos || colon + 1 == server.size()) {
    return Error{Errc::kInvalidInput, fmt::format("\"{}\" is not host:port", server)};
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error =
          getaddrinfo(server.substr(0, colon).c_str(), server.substr(colon + 1).c_str(), &hints, &found);
      error != 0) {
    return Error{Errc::kUnresolved, fmt::format("{}: {}", server, gai_strerror(error))};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  Endpoint endpoint;
  endpoint.name = server;
  endpoint.size = found->ai_addrlen;
  std::memcpy(&endpoint.address, found->ai_addr, found->ai_addrlen);
  return endpoint;
}

Result<std::vector<Endpoint>> resolve_all(const std::vector<std::string>& servers) {
  std::vector<Endpoint> endpoints;
  for (const std::string& server : servers) {
    auto endpoint = resolve(server);
    if (!endpoint) return endpoint.error();
    endpoints.push_back(std::move(*endpoint));
  }
  return endpoints;
}

std::optional<in_addr> source_of(const Endpoint& endpoint, std::size_t number) {
  const std::size_t group = number / kConnectionsPerSource;
  if (group == 0 || endpoint.address.ss_family != AF_INET) return std::nullopt;
  sockaddr_in to{};
  std::memcpy(&to, &endpoint.address, sizeof to);
  constexpr std::uint32_t kLoopbackNet = 127;
  if (ntohl(to.sin_addr.s_addr) >> 24U != kLoopbackNet) return std::nullopt;
  return in_addr{htonl(INADDR_LOOPBACK + static_cast<std::uint32_t>(group))};
}

}  // namespace wk::bench
