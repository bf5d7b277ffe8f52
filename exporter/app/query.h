// Reading parameters of a query, with messages that name the parameter and the remedy.
//
// Thread: any; pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"

namespace wk::exporter {

using Query = std::multimap<std::string, std::string>;

/// The value of a parameter that may stand once; "" when it does not. Errc::kInvalidInput when it stands
/// twice.
Result<std::string> query_text(const Query& query, const std::string& name);

/// A whole number from `lowest` to `highest`, or `fallback` when the parameter is missing or empty.
Result<std::uint64_t> query_number(const Query& query, const std::string& name, std::uint64_t lowest,
                                   std::uint64_t highest, std::uint64_t fallback);

/// All values of a parameter that may stand several times, or once with commas; in order, without empty ones.
std::vector<std::string> query_list(const Query& query, const std::string& name);

/// The HTTP status that tells a caller whose mistake `error` is: 404, 403, 503, 400, 504 or 500.
int http_status_of(const Error& error);

}  // namespace wk::exporter
