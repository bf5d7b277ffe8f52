// The base URL of an HTTP surface, taken apart for connecting and asking.
//
// Thread: any; pure function.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace wk::exporter {

struct SurfaceUrl {
  bool tls = false;
  std::string host;        ///< without brackets
  std::uint16_t port = 0;  ///< 80 or 443 when the URL names none
  std::string authority;   ///< for the Host header, as written
  std::string path;        ///< encoded, without a trailing slash: "/commands"; empty for the root
};

/// \param url  "http://HOST[:PORT][/PATH]" or https; neither user, query nor fragment
/// \return     Errc::kInvalidInput with what is wrong
Result<SurfaceUrl> parse_surface_url(std::string_view url);

}  // namespace wk::exporter
