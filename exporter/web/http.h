// Requests and responses as the handlers of the HTTP server see them.
//
// Thread: any; plain values. A handler runs on the thread of its connection and must be safe on several at a
// time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wk::exporter {

struct Request {
  std::string method;  ///< "GET" or "HEAD" in a handler; a HEAD's body is dropped for it
  std::string path;    ///< decoded; no control characters, no dot segments
  std::multimap<std::string, std::string> query;             ///< decoded
  std::vector<std::pair<std::string, std::string>> headers;  ///< in the order of arrival
  std::string remote_address;  ///< address of the peer without port; IPv4 in dotted form

  /// The values of header `name` (in any case) joined with ", " as RFC 9110, 5.3 allows; empty when there is
  /// none.
  [[nodiscard]] std::string header(std::string_view name) const;
  /// The first value of query parameter `name`, or `fallback`.
  [[nodiscard]] std::string parameter(const std::string& name, std::string_view fallback = "") const;
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::variant<std::string, std::shared_ptr<const std::string>> body;  ///< shared: one text for many clients
  std::vector<std::pair<std::string, std::string>> headers;  ///< beside those the server sets itself

  [[nodiscard]] std::string_view body_text() const;
};

using Handler = std::function<Response(const Request&)>;

/// "Not Found" for 404; empty for a number that the server never sends.
std::string_view reason_phrase(int status);

bool equal_header_name(std::string_view a, std::string_view b);

}  // namespace wk::exporter
