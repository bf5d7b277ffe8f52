#include "exporter/app/target_defaults.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "client/server_address.h"

namespace wk::exporter {
namespace {

constexpr std::size_t kHostLength = 255;

/// The name becomes a label and a part of URLs, so it is held to what hosts really are called.
bool host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
         c == '_' || c == ':' || c == '%';
}

std::string http_url(const TargetSpec& target, std::uint16_t port, std::string_view path) {
  const bool literal6 = target.host.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}{}", literal6 ? "[" : "", target.host, literal6 ? "]" : "", port, path);
}

}  // namespace

Result<TargetSpec> make_target(std::string_view address, const TargetDefaults& defaults) {
  // parse_servers() takes lists; here a comma is a mistake.
  auto parsed = client::parse_servers(address.substr(0, address.find(',')));
  if (!parsed) return parsed.error();
  const client::ServerAddress& server = parsed->front();
  if (address.find(',') != std::string_view::npos || server.host.size() > kHostLength ||
      server.host.starts_with('-') || !std::ranges::all_of(server.host, host_character))
    return Error{
        Errc::kInvalidInput,
        fmt::format("\"{}\" is no server address; write host:port, for example zk1.example.org:2181 or "
                    "[2001:db8::1]:2181",
                    printable(address, 80))};
  TargetSpec target;
  target.name = server.to_string();
  target.host = server.host;
  target.port = server.port;
  target.tls = defaults.tls;
  target.http_auth = defaults.http_auth;
  target.timeout = defaults.timeout;
  if (defaults.admin_port)
    target.admin_url = http_url(target, *defaults.admin_port, defaults.admin_command_url);
  if (defaults.prometheus_port)
    target.prometheus_url = http_url(target, *defaults.prometheus_port, "/metrics");
  return target;
}

}  // namespace wk::exporter
