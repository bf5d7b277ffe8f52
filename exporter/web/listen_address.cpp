#include "exporter/web/listen_address.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/endpoint.h"
#include "base/log.h"

namespace wk::exporter {
namespace {

bool in_host(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
         c == '_' || c == ':';
}

}  // namespace

std::string ListenAddress::to_string() const { return endpoint_text(host, port); }

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto invalid = [&](std::string_view why) {
    return Error{
        Errc::kInvalidInput,
        fmt::format("listen address '{}': {}; write it like :9141 or 127.0.0.1:9141", printable(text), why)};
  };
  if (text.find('/') != std::string_view::npos) return invalid("neither a scheme nor a path belongs to it");
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return invalid("has no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool bracketed = host.size() > 1 && host.starts_with('[') && host.ends_with(']');
  if (bracketed)
    host = host.substr(1, host.size() - 2);
  else if (host.find_first_of("[]") != std::string_view::npos)
    return invalid("brackets stand around an IPv6 address or nowhere");
  else if (host == "*")
    return invalid("leave the host out to listen on all addresses");
  else if (!std::all_of(host.begin(), host.end(), in_host))
    return invalid("the host holds a character that no host name has");
  // Without a host it is all addresses.
  if (!host.empty() || bracketed)
    if (const auto fault = host_fault(host, bracketed)) return invalid(*fault);
  ListenAddress address{std::string(host), 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    return invalid("the port is not a number from 0 to 65535");
  }
  return address;
}

}  // namespace wk::exporter
