// Where something listens, as people write it.
//
// Thread: any; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wk {

/// "HOST:PORT", with an IPv6 address in brackets. Source: RFC 3986, section 3.2.2;
/// java.net.InetSocketAddress.toString of Java 14 and later, behind the slash.
/// \param host  a name or an address without brackets
std::string endpoint_text(std::string_view host, std::uint16_t port);

}  // namespace wk
