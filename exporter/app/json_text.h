// JSON as the API writes it: field order kept, text that is not UTF-8 repaired, numbers that JavaScript can
// read.
//
// Thread: any; pure functions.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"
#include "exporter/web/http.h"

namespace wk::exporter {

/// Fields keep the order in which they are written: documents are read by people, too.
using Json = nlohmann::ordered_json;

/// `document` in one line, without a line break at its end. Bytes that are not UTF-8 become U+FFFD.
std::string json_line(const Json& document);

/// A response with `document` as its body. Bytes that are not UTF-8 become U+FFFD; never throws for content.
/// \param indent  blanks a level; -1 writes everything into one line
Response json_response(const Json& document, int status = 200, int indent = 1);
/// {"error": message}
Response json_error(int status, std::string_view message);

/// "2026-11-21T22:40:01.250Z".
std::string rfc3339(std::chrono::system_clock::time_point time);

/// Null when absent.
Json json_time(const std::optional<Moment>& moment);
/// Seconds from `moment` to `now`, never negative; null when absent.
Json json_age(const std::optional<Moment>& moment, Moment now);
/// An integer where the number is one that a double holds exactly, so that counts do not appear as "5.0".
Json json_number(double number);
Json json_number(const std::optional<double>& number);
/// Decimal text: 64-bit ids do not fit into JavaScript's numbers. Null when absent.
Json json_id(const std::optional<ServerId>& id);
/// "0x…" as ZooKeeper prints it; null when absent.
Json json_zxid(const std::optional<Zxid>& zxid);

/// Null when absent.
template <typename T>
Json json_optional(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace wk::exporter
