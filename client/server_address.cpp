#include "client/server_address.h"

#include <fmt/format.h>

#include <charconv>

#include "base/endpoint.h"
#include "base/log.h"

namespace wk::client {
namespace {

Error bad_entry(std::string_view entry, std::string_view why) {
  return {Errc::kInvalidInput, fmt::format("\"{}\" is no server address: {}; write host:port, for example "
                                           "zk1.example.org:2181 or [2001:db8::1]:2181",
                                           printable(entry), why)};
}

Result<std::uint16_t> parse_port(std::string_view entry, std::string_view digits) {
  unsigned value = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (fault != std::errc{} || end != digits.data() + digits.size() || value == 0 || value > 65535)
    return bad_entry(entry, "the port must be a number from 1 to 65535");
  return static_cast<std::uint16_t>(value);
}

Result<ServerAddress> parse_server(std::string_view entry) {
  if (entry.find('/') != std::string_view::npos)
    return bad_entry(entry, "neither a scheme nor a path (chroot) belongs to it");
  std::string_view host = entry;
  std::string_view rest;
  if (entry.starts_with('[')) {
    const auto bracket = entry.find(']');
    if (bracket == std::string_view::npos) return bad_entry(entry, "the bracket is not closed");
    host = entry.substr(1, bracket - 1);
    rest = entry.substr(bracket + 1);
    if (!rest.empty() && rest.front() != ':') return bad_entry(entry, "only a port may follow the bracket");
  } else if (const auto colon = entry.find(':');
             colon != std::string_view::npos && colon == entry.rfind(':')) {
    host = entry.substr(0, colon);
    rest = entry.substr(colon);
  }
  if (const auto fault = host_fault(host, entry.starts_with('['))) return bad_entry(entry, *fault);
  for (const char c : host)
    if (c <= ' ' || c == '[' || c == ']' || c == 0x7f)
      return bad_entry(entry, "the host holds a character that no host name has");
  if (rest.empty()) return ServerAddress{std::string(host), kDefaultClientPort};
  auto port = parse_port(entry, rest.substr(1));
  if (!port) return std::move(port).error();
  return ServerAddress{std::string(host), *port};
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string ServerAddress::to_string() const { return endpoint_text(host, port); }

Result<std::vector<ServerAddress>> parse_servers(std::string_view text) {
  std::vector<ServerAddress> servers;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto comma = std::min(text.find(',', begin), text.size());
    if (servers.size() == kMaxServers)
      return Error{Errc::kTooLarge, fmt::format("more than {} server addresses", kMaxServers)};
    auto server = parse_server(trim(text.substr(begin, comma - begin)));
    if (!server) return std::move(server).error();
    servers.push_back(*std::move(server));
    begin = comma + 1;
  }
  return servers;
}

}  // namespace wk::client
