#include "exporter/web/listen_address.h"

#include <fmt/format.h>

#include <charconv>

#include "base/log.h"

namespace wk::exporter {

std::string ListenAddress::to_string() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", ipv6 ? "[" : "", host, ipv6 ? "]" : "", port);
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto invalid = [&](std::string_view why) {
    return Error{
        Errc::kInvalidInput,
        fmt::format("listen address '{}': {}; write it like :9141 or 127.0.0.1:9141", printable(text), why)};
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return invalid("has no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos)
      return invalid("has brackets around something other than IPv6");
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return invalid("an IPv6 address needs brackets");
  }
  ListenAddress address{std::string(host), 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    return invalid("the port is not a number from 0 to 65535");
  }
  return address;
}

}  // namespace wk::exporter
