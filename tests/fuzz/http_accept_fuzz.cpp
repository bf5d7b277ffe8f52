// libFuzzer target: everything that the HTTP server reads from a request after the framing, which is
// civetweb's: Accept, Accept-Encoding, Authorization and the request target. The first byte chooses which.
//
// Thread: one. Property: no crash, and what is returned keeps the promises of the headers.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "exporter/web/basic_auth.h"
#include "exporter/web/negotiation.h"
#include "exporter/web/request_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(data + 1, data + size);
  switch (data[0] % 4) {
    case 0:
      WK_CHECK(!wk::exporter::content_type(wk::exporter::choose_format(text)).empty(), text);
      break;
    case 1:
      WK_CHECK(!wk::exporter::accepts_gzip(text) || text.find_first_of("gG*") != std::string::npos, text);
      break;
    case 2:
      if (const auto credentials = wk::exporter::parse_basic_authorization(text)) {
        WK_CHECK(credentials->user.find(':') == std::string::npos, text);
        WK_CHECK(credentials->user.size() + credentials->password.size() < text.size(), text);
      }
      break;
    default:
      if (const auto target = wk::exporter::parse_request_target(text)) {
        WK_CHECK(target->path.starts_with('/'), text);
        WK_CHECK(target->path.find("/../") == std::string::npos, text);
        WK_CHECK(target->path.find('\0') == std::string::npos, text);
        WK_CHECK(target->query.size() <= wk::exporter::kQueryParametersMax, text);
      }
      break;
  }
  return 0;
}
