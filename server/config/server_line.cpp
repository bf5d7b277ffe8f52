#include "server/config/server_line.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "server/config/value.h"

namespace wk::config {
namespace {

constexpr std::string_view kForm =
    "write host:quorumPort:electionPort[:participant|observer][;[clientHost:]clientPort], for example "
    "zk1:2888:3888;2181";

Error malformed(std::string_view value, std::string_view why) {
  return {Errc::kInvalidInput,
          fmt::format("{} does not have the form server_config or server_config;client_config: {}; {}", value,
                      why, kForm)};
}

/// Java's String.split drops empty parts at the end.
std::string_view without_trailing(std::string_view text, char separator) {
  while (text.ends_with(separator)) text.remove_suffix(1);
  return text;
}

/// "a:b:[::1]:c" → parts; a bracketed address is one part without its brackets. Nothing when brackets do not
/// match.
std::optional<std::vector<std::string>> split(std::string_view text) {
  std::vector<std::string> parts;
  text = without_trailing(text, ':');
  while (true) {
    if (text.starts_with('[')) {
      const std::size_t end = text.find(']');
      if (end == std::string_view::npos) return std::nullopt;
      parts.emplace_back(text.substr(1, end - 1));
      text.remove_prefix(end + 1);
      if (!text.empty() && text.front() != ':') return std::nullopt;
    } else {
      const std::size_t end = text.find(':');
      parts.emplace_back(text.substr(0, end));
      text.remove_prefix(std::min(end, text.size()));
    }
    if (text.empty()) return parts;
    text.remove_prefix(1);
  }
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto number = parse_strict_int(text);
  if (!number || *number < 0 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

}  // namespace

Result<ServerLine> parse_server_line(ServerId id, std::string_view value) {
  ServerLine line{.id = id, .addresses = {}, .role = PeerRole::kParticipant, .client = std::nullopt};
  const std::string_view whole = without_trailing(value, ';');
  const std::size_t semicolon = whole.find(';');
  if (semicolon != std::string_view::npos) {
    const std::string_view client = whole.substr(semicolon + 1);
    const auto parts = split(client);
    if (!parts || parts->size() > 2 || client.find(';') != std::string_view::npos)
      return malformed(value, "what follows the semicolon is no client address");
    const auto port = parse_port(parts->back());
    if (!port) return malformed(value, fmt::format("\"{}\" is no client port", parts->back()));
    std::string_view host = "0.0.0.0";
    if (parts->size() == 2) host = parts->front();
    if (host.empty()) host = "127.0.0.1";  // As java.net.InetAddress reads an empty name.
    line.client = ListenAddress{std::string(host), *port};
  }
  std::optional<PeerRole> role;
  std::string_view rest = without_trailing(whole.substr(0, semicolon), '|');
  while (true) {
    const std::size_t bar = rest.find('|');
    const std::string_view address = rest.substr(0, bar);
    const auto parts = split(address);
    if (!parts || parts->size() < 3 || parts->size() > 4)
      return malformed(value, fmt::format("\"{}\" is not host:port:port", address));
    const auto quorum = parse_port((*parts)[1]), election = parse_port((*parts)[2]);
    if ((*parts)[0].empty()) return malformed(value, "the host is missing");
    if (!quorum || !election)
      return malformed(value, fmt::format("\"{}\" is no port", quorum ? (*parts)[2] : (*parts)[1]));
    if (*quorum == *election)
      return Error{
          Errc::kInvalidInput,
          fmt::format("Client and election port must be different! Please update the configuration file on "
                      "server.{}; give \"{}\" two ports",
                      id.value, address)};
    PeerRole own = PeerRole::kParticipant;
    if (parts->size() == 4) {
      const std::string_view written = trimmed((*parts)[3]);
      if (equal_ignoring_case(written, "observer")) {
        own = PeerRole::kObserver;
      } else if (!equal_ignoring_case(written, "participant")) {
        return Error{Errc::kInvalidInput,
                     fmt::format("Unrecognised peertype: {}; write participant or observer", written)};
      }
    }
    if (role && *role != own)
      return Error{Errc::kInvalidInput,
                   "Multiple addresses should have similar roles; write the same role behind each address"};
    role = own;
    line.addresses.push_back({(*parts)[0], *quorum, *election});
    if (bar == std::string_view::npos) break;
    rest.remove_prefix(bar + 1);
  }
  line.role = *role;
  return line;
}

}  // namespace wk::config
