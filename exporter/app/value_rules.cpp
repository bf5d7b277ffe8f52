#include "exporter/app/value_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/endpoint.h"
#include "base/ensemble_name.h"
#include "base/log.h"
#include "base/near_miss.h"

namespace wk::exporter {
namespace {

Error invalid(std::string message) { return {Errc::kInvalidInput, std::move(message)}; }

struct DurationUnit {
  std::string_view name;
  double milliseconds;
};
/// "ms" stands before "m": the first unit that fits is taken.
constexpr std::array<DurationUnit, 4> kDurationUnits{{{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}}};
/// Nothing in the configuration is longer, and sums stay far from overflow.
constexpr double kLongestDurationMs = 24.0 * 3600e3;

std::string duration_text(std::chrono::milliseconds duration) {
  if (duration % 1h == 0ms) return fmt::format("{}h", duration / 1h);
  if (duration % 1s == 0ms) return fmt::format("{}s", duration / 1s);
  return fmt::format("{}ms", duration.count());
}

Result<std::chrono::milliseconds> parse_within(std::string_view text, std::chrono::milliseconds lowest,
                                               std::chrono::milliseconds highest) {
  const auto parsed = parse_duration(text);
  if (!parsed) return parsed.error();
  if (*parsed < lowest || *parsed > highest)
    return invalid(fmt::format("\"{}\" is out of range; write {} to {}", printable(text, 40),
                               duration_text(lowest), duration_text(highest)));
  return *parsed;
}

std::string without_end_slash(std::string_view text) {
  while (text.ends_with('/')) text.remove_suffix(1);
  return std::string(text);
}

bool all_url_characters(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("\"\\<>^`{|}?#@").find(c) == std::string_view::npos;
  });
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return invalid(
        fmt::format("\"{}\" is no duration; write a number with its unit, for example 250ms, 1s or 2m",
                    printable(text, 40)));
  };
  if (text.empty()) return bad();
  double total_ms = 0;
  for (std::string_view rest = text; !rest.empty();) {
    // from_chars would also take "inf", "nan" and a sign.
    if (rest.front() < '0' || rest.front() > '9') return bad();
    double number = 0;
    const auto [end, fault] =
        std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (fault != std::errc{}) return bad();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const auto* unit =
        std::ranges::find_if(kDurationUnits, [&](const auto& each) { return rest.starts_with(each.name); });
    if (unit == kDurationUnits.end()) return bad();
    rest.remove_prefix(unit->name.size());
    total_ms += number * unit->milliseconds;
    if (!(total_ms <= kLongestDurationMs))
      return invalid(fmt::format("\"{}\" is too long; write at most 24h", printable(text, 40)));
  }
  return std::chrono::milliseconds(std::llround(total_ms));
}

Result<std::chrono::milliseconds> parse_interval(std::string_view text) {
  return parse_within(text, kIntervalMin, kIntervalMax);
}

Result<std::chrono::milliseconds> parse_detail_interval(std::string_view text) {
  return parse_within(text, kIntervalMin, kDetailIntervalMax);
}

Result<std::chrono::milliseconds> parse_timeout(std::string_view text) {
  return parse_within(text, kTimeoutMin, kTimeoutMax);
}

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size() || value == 0)
    return invalid(fmt::format("\"{}\" is no port; write a number from 1 to 65535", printable(text, 40)));
  return value;
}

Result<CanaryMode> parse_canary_mode(std::string_view text) {
  for (const CanaryMode mode : {CanaryMode::kOff, CanaryMode::kRead, CanaryMode::kWrite})
    if (text == name(mode)) return mode;
  static constexpr std::array<std::string_view, 3> kWords{"off", "read", "write"};
  return invalid(fmt::format("\"{}\" is no canary mode; write off, read or write{}", printable(text, 40),
                             did_you_mean(text, kWords)));
}

Result<std::string> parse_canary_path(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return invalid(
        fmt::format("\"{}\" {}; write an absolute path of its own, for example /watchkeeper-canary",
                    printable(text, 80), why));
  };
  if (!text.starts_with('/')) return bad("is no znode path");
  if (text == "/") return bad("is the root of the tree");
  if (text.size() > 512) return bad("is longer than 512 characters");
  if (text == "/zookeeper" || text.starts_with("/zookeeper/")) return bad("belongs to ZooKeeper itself");
  std::string_view rest = text;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const auto slash = std::min(rest.find('/'), rest.size());
    const std::string_view segment = rest.substr(0, slash);
    if (segment.empty() || segment == "." || segment == "..")
      return bad("holds an empty, \".\" or \"..\" part");
    if (std::ranges::any_of(segment, [](char c) { return c <= ' ' || c >= 0x7f; }))
      return bad("holds a character that is not printable ASCII");
    rest.remove_prefix(slash);
  }
  return std::string(text);
}

Result<std::string> parse_canary_auth(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0)
    return invalid("is no digest credential; write user:password");
  if (text.size() > 1024) return invalid("is longer than 1024 characters; write user:password");
  return std::string(text);
}

Result<std::string> parse_ensemble_name(std::string_view text) {
  if (!legal_ensemble_name(text))
    return invalid(fmt::format("\"{}\" is no ensemble name; {}", printable(text, 80), kEnsembleNameRemedy));
  return std::string(text);
}

Result<std::string> parse_http_url(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return invalid(
        fmt::format("\"{}\" {}; write for example http://zk1:8080/commands", printable(text, 120), why));
  };
  std::string_view rest = text;
  if (rest.starts_with("http://"))
    rest.remove_prefix(7);
  else if (rest.starts_with("https://"))
    rest.remove_prefix(8);
  else
    return bad("is no http:// or https:// URL");
  // A password in the URL would be shown by this very message, so it is refused without showing anything.
  if (rest.substr(0, rest.find('/')).find('@') != std::string_view::npos)
    return invalid("the URL holds a user name or password; write those under http_auth");
  if (text.size() > 1024) return bad("is longer than 1024 characters");
  if (!all_url_characters(rest)) return bad("holds a query, a fragment or a character that no URL has");
  const std::string_view authority = rest.substr(0, rest.find('/'));
  std::string_view host = authority;
  std::string_view port;
  bool bracketed = false;
  if (const auto bracket = authority.find(']');
      authority.starts_with('[') && bracket != std::string_view::npos) {
    bracketed = true;
    host = authority.substr(1, bracket - 1);
    port = authority.substr(bracket + 1);
  } else if (const auto colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (host.empty()) return bad("names no host");
  if (const auto fault = host_fault(host, bracketed)) return bad(fmt::format("names no host: {}", *fault));
  if (!port.empty() && (port.front() != ':' || !parse_port(port.substr(1)))) return bad("has no valid port");
  return without_end_slash(text);
}

Result<std::string> parse_url_path(std::string_view text) {
  if (!text.starts_with('/') || text.size() > 256 || !all_url_characters(text))
    return invalid(
        fmt::format("\"{}\" is no path of a URL; write for example /commands", printable(text, 80)));
  return without_end_slash(text);
}

Result<std::string> parse_server_name(std::string_view text) {
  const bool legal = !text.empty() && text.size() <= 255 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_:%").find(c) != std::string_view::npos;
  });
  if (!legal)
    return invalid(fmt::format("\"{}\" is no name of a host; write it as it stands in the certificates",
                               printable(text, 80)));
  return std::string(text);
}

Result<void> check_certificate_pair(const TlsSpec& tls) {
  if (tls.cert_file.empty() == tls.key_file.empty()) return {};
  return invalid(tls.key_file.empty() ? "a certificate without its key; name the key file, too"
                                      : "a key without its certificate; name the certificate file, too");
}

}  // namespace wk::exporter
