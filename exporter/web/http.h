// Requests and responses as the handlers of the HTTP server see them.
//
// Thread: any; plain values. A handler runs on the thread of its connection and must be safe on several at a
// time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "exporter/web/text_buffer.h"

namespace wk::exporter {

struct Request {
  std::string method;  ///< "GET" or "HEAD" in a handler; a HEAD's body is dropped for it
  std::string path;    ///< decoded; no control characters, no dot segments
  std::multimap<std::string, std::string> query;             ///< decoded
  std::vector<std::pair<std::string, std::string>> headers;  ///< in the order of arrival
  std::string remote_address;  ///< address of the peer without port; IPv4 in dotted form
  /// What stands between the slashes of the path, each decoded on its own: a segment may hold a slash.
  std::vector<std::string> segments = {};

  /// The values of header `name` (in any case) joined with ", " as RFC 9110, 5.3 allows; empty when there is
  /// none.
  [[nodiscard]] std::string header(std::string_view name) const;
};

/// A body that is made while it is sent, until one side ends it.
class BodyStream {
 public:
  BodyStream() = default;
  virtual ~BodyStream() = default;
  BodyStream(const BodyStream&) = delete;
  BodyStream& operator=(const BodyStream&) = delete;

  /// The next piece, not empty; waits until there is one. Null when the body has ended. A client that is gone
  /// is noticed only by writing to it: return a piece of some kind at least every ten seconds. Called on the
  /// thread of the connection.
  virtual std::shared_ptr<const std::string> next() = 0;
  /// Makes a next() that waits, and every later one, return null. Any thread.
  virtual void end() = 0;
};

/// A text that lives as long as the process.
struct StaticText {
  std::string_view text;
};

/// What a document has in itself instead of in files, as the default Content-Security-Policy must let it
/// through: each "'sha256-BASE64'". Texts that live as long as the process.
struct InlineHashes {
  std::span<const std::string_view> scripts, styles;
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  /// A shared text is one for many clients, or its memory is used again (text_pool.h).
  std::variant<std::string, std::shared_ptr<const std::string>, std::shared_ptr<const TextBuffer>, StaticText,
               std::shared_ptr<BodyStream>>
      body;
  std::vector<std::pair<std::string, std::string>> headers;  ///< beside those the server sets itself
  InlineHashes inline_hashes{};

  /// Empty when the body is a stream.
  [[nodiscard]] std::string_view body_text() const;
  /// Null when the body is a text.
  [[nodiscard]] std::shared_ptr<BodyStream> body_stream() const;
};

/// An answer in plain text.
Response plain_response(int status, std::string text);

using Handler = std::function<Response(const Request&)>;

/// "Not Found" for 404; empty for a number that the server never sends.
std::string_view reason_phrase(int status);

/// Whether both are the same name or word of a header, in any case.
bool equal_header_name(std::string_view a, std::string_view b);

}  // namespace wk::exporter
