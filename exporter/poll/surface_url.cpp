#include "exporter/poll/surface_url.h"

#include <fmt/format.h>

// Debian ships Boost.URL's headers without its library here: this is its one translation unit.
#include <boost/url/parse.hpp>
#include <boost/url/src.hpp>
#include <boost/url/url_view.hpp>

#include <charconv>
#include <system_error>

#include "base/log.h"

namespace wk::exporter {

Result<SurfaceUrl> parse_surface_url(std::string_view url) {
  const auto fault = [url](std::string_view what) {
    return Error{Errc::kInvalidInput,
                 fmt::format("URL \"{}\": {}; write http://HOST:PORT/PATH", wk::printable(url), what)};
  };
  const auto parsed = boost::urls::parse_uri({url.data(), url.size()});
  if (!parsed) return fault(parsed.error().message());
  const boost::urls::url_view view = *parsed;
  SurfaceUrl result;
  if (view.scheme_id() == boost::urls::scheme::https)
    result.tls = true;
  else if (view.scheme_id() != boost::urls::scheme::http)
    return fault("the scheme is neither http nor https");
  if (view.has_userinfo()) return fault("user and password belong into the credentials of the configuration");
  if (view.has_query() || view.has_fragment()) return fault("query and fragment are not allowed");
  if (view.host().empty()) return fault("the host is missing");
  result.host = view.host_type() == boost::urls::host_type::ipv6 ? view.host_address() : view.host();
  if (view.has_port() && !view.port().empty()) {
    const std::string port = view.port();  // port_number() of this Boost takes 99999 modulo 65536
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
    if (error != std::errc{} || end != port.data() + port.size() || result.port == 0)
      return fault("the port is not 1 to 65535");
  } else {
    result.port = result.tls ? 443 : 80;
  }
  result.authority = view.encoded_host_and_port();
  result.path = view.encoded_path();
  while (result.path.ends_with('/')) result.path.pop_back();
  return result;
}

}  // namespace wk::exporter
