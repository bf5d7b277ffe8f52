#include "base/endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>

namespace wk {
namespace {

bool is_address(int family, std::string_view text) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(family, std::string(text).c_str(), bytes.data()) == 1;
}

}  // namespace

std::string endpoint_text(std::string_view host, std::uint16_t port) {
  return host.find(':') == std::string_view::npos ? fmt::format("{}:{}", host, port)
                                                  : fmt::format("[{}]:{}", host, port);
}

bool numeric_host(std::string_view host) {
  return host.find(':') != std::string_view::npos ||
         (!host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

std::optional<std::string_view> host_fault(std::string_view host, bool bracketed) {
  if (host.empty()) return "the host is missing";
  if (bracketed) {
    const auto zone = host.find('%');
    if (is_address(AF_INET6, host.substr(0, zone)) && zone != host.size() - 1) return std::nullopt;
    return "brackets are for IPv6 addresses, and this is none";
  }
  if (host.find(':') != std::string_view::npos)
    return "a host has no colon, and an IPv6 address needs brackets";
  if (!numeric_host(host) || is_address(AF_INET, host)) return std::nullopt;
  return host.find('.') == std::string_view::npos ? "the host has only digits"
                                                  : "an IPv4 address has four numbers from 0 to 255";
}

}  // namespace wk
