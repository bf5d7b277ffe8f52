// The rules for single values of the configuration, the same whether a flag or a YAML key brings them.
//
// Every error message is "what is wrong; what to write instead", without the name of the flag or key: the
// caller puts it in front, with its place. No message shows a secret. Thread: any; pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "exporter/model/target.h"

namespace wk::exporter {

using namespace std::chrono_literals;

inline constexpr std::chrono::milliseconds kIntervalMin = 20ms;
inline constexpr std::chrono::milliseconds kIntervalMax = 60s;
inline constexpr std::chrono::milliseconds kDetailIntervalMax = 1h;
inline constexpr std::chrono::milliseconds kTimeoutMin = 50ms;
inline constexpr std::chrono::milliseconds kTimeoutMax = 60s;

/// A duration as operators write it: "250ms", "1s", "1.5s", "2m", "1h", or several joined ("1m30s").
/// \return  Errc::kInvalidInput for anything else, a bare number included
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Time between two visits: kIntervalMin … kIntervalMax.
Result<std::chrono::milliseconds> parse_interval(std::string_view text);
/// Time between two visits that ask for detail: kIntervalMin … kDetailIntervalMax. That it is at least the
/// interval is for resolve_detail_interval() to say.
Result<std::chrono::milliseconds> parse_detail_interval(std::string_view text);
/// Deadline of one visit: kTimeoutMin … kTimeoutMax.
Result<std::chrono::milliseconds> parse_timeout(std::string_view text);

/// 1 … 65535.
Result<std::uint16_t> parse_port(std::string_view text);
/// "off", "read", "write".
Result<CanaryMode> parse_canary_mode(std::string_view text);
/// An absolute znode path that the canary may own: not the root and not below /zookeeper.
Result<std::string> parse_canary_path(std::string_view text);
/// "user:password" for digest authentication; the message never shows it.
Result<std::string> parse_canary_auth(std::string_view text);
/// 1 … 64 printable ASCII characters without quotes and backslashes.
Result<std::string> parse_ensemble_name(std::string_view text);
/// "http://HOST[:PORT][/PATH]" or https; no user, query or fragment. Returned without a slash at the end.
Result<std::string> parse_http_url(std::string_view text);
/// "/commands": begins with a slash; no query. Returned without a slash at the end.
Result<std::string> parse_url_path(std::string_view text);
/// A name or address that a certificate may carry.
Result<std::string> parse_server_name(std::string_view text);
/// The rule that PEM files go in pairs: a certificate needs its key and the reverse.
Result<void> check_certificate_pair(const TlsSpec& tls);

}  // namespace wk::exporter
