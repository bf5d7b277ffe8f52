#include "exporter/sources/membership.h"

#include <algorithm>

#include "exporter/sources/text.h"

namespace wk::exporter {
namespace {

constexpr std::size_t kHostLimit = 255;

// "HOST" or "[IPV6]" and what follows behind the next colon.
struct Head {
  std::string_view host, rest;
};
std::optional<Head> split_host(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find("]:");
    if (end == std::string_view::npos) return std::nullopt;
    return Head{text.substr(1, end - 1), text.substr(end + 2)};
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return Head{text.substr(0, colon), text.substr(colon + 1)};
}

bool is_wildcard(std::string_view host) {
  return host.empty() || host == "0.0.0.0" || host == "::" || host == "0:0:0:0:0:0:0:0";
}

}  // namespace

std::optional<MembershipEntry> parse_membership_entry(std::string_view id, std::string_view text) {
  const auto number = parse_integer<std::int64_t>(id);
  if (!number || *number < 0) return std::nullopt;
  const auto semicolon = text.find(';');
  const std::string_view quorum = trimmed(text.substr(0, semicolon));
  const auto head = split_host(quorum.substr(0, quorum.find('|')));
  if (!head || head->host.empty()) return std::nullopt;
  const auto second = head->rest.find(':');
  if (second == std::string_view::npos) return std::nullopt;
  const std::string_view tail = head->rest.substr(second + 1);
  const auto quorum_port = parse_integer<std::uint16_t>(head->rest.substr(0, second));
  const auto election_port = parse_integer<std::uint16_t>(tail.substr(0, tail.find(':')));
  if (!quorum_port || !election_port) return std::nullopt;

  MembershipEntry entry;
  entry.id = ServerId{*number};
  entry.host = clean_text(head->host, kHostLimit);
  entry.quorum_port = *quorum_port;
  entry.election_port = *election_port;
  entry.voter = !quorum.ends_with(":observer");
  if (semicolon != std::string_view::npos)
    entry.client_address = client_address(text.substr(semicolon + 1), entry.host);
  return entry;
}

std::string client_address(std::string_view address, std::string_view quorum_host) {
  address = trimmed(address);
  std::optional<HostPort> parts = parse_host_port(address);
  if (!parts) {
    const auto port = parse_integer<std::uint16_t>(address);
    if (!port) return {};
    parts = HostPort{{}, *port};
  }
  const std::string host = clean_text(is_wildcard(parts->host) ? quorum_host : parts->host, kHostLimit);
  const bool bracketed = host.find(':') != std::string::npos;
  return (bracketed ? "[" + host + "]" : host) + ":" + std::to_string(parts->port);
}

}  // namespace wk::exporter
