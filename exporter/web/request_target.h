// The request target: what stands between method and version in a request line, taken apart and decoded.
//
// Input is hostile. A decoded path never holds control characters or dot segments, so that it can be looked
// up and logged as it is. Thread: any; pure functions. Source: RFC 9112, 3.2; RFC 3986, 2.1 and 3.3; the
// query is decoded as HTML forms encode it ('+' is a blank).
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace wk::exporter {

/// Parameters in one query.
inline constexpr std::size_t kQueryParametersMax = 64;

struct RequestTarget {
  std::string path;                   ///< decoded, begins with '/'
  std::vector<std::string> segments;  ///< of the path, each decoded on its own; "/" has one, empty
  std::multimap<std::string, std::string> query;  ///< decoded; a name without '=' has an empty value
};

/// \param target  origin form ("/metrics?a=b") or absolute form ("http://host/metrics")
/// \return        Errc::kInvalidInput (form, percent-encoding, control characters, dot segments) or
/// Errc::kTooLarge
///                (more than kQueryParametersMax parameters)
Result<RequestTarget> parse_request_target(std::string_view target);

}  // namespace wk::exporter
