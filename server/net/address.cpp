#include "server/net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <cstring>

namespace wk::net {
namespace {

// Copies instead of casts: a sockaddr_storage is not an object of the other types.
template <typename Address>
Address as(const sockaddr_storage& address) {
  Address result;
  std::memcpy(&result, &address, sizeof result);
  return result;
}

std::string dotted(const std::uint8_t* bytes) {
  return fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]);
}

}  // namespace

std::string address_text(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto ip4 = as<sockaddr_in>(address);
    std::uint8_t bytes[4];
    std::memcpy(bytes, &ip4.sin_addr, sizeof bytes);
    return dotted(bytes);
  }
  if (address.ss_family != AF_INET6) return "?";
  const auto ip6 = as<sockaddr_in6>(address);
  const std::uint8_t* const bytes = ip6.sin6_addr.s6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&ip6.sin6_addr)) return dotted(bytes + 12);
  std::string text;
  for (int i = 0; i < 16; i += 2)
    text += fmt::format("{}{:x}", i == 0 ? "" : ":", (bytes[i] << 8) | bytes[i + 1]);
  return text;
}

std::uint16_t port_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) return ntohs(as<sockaddr_in>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(as<sockaddr_in6>(address).sin6_port);
  return 0;
}

}  // namespace wk::net
