// Where something listens, as people write it.
//
// Thread: any; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wk {

/// "HOST:PORT", with an IPv6 address in brackets. Source: RFC 3986, section 3.2.2;
/// java.net.InetSocketAddress.toString of Java 14 and later, behind the slash.
/// \param host  a name or an address without brackets
std::string endpoint_text(std::string_view host, std::uint16_t port);

/// True for what is an address or a number and no name: with a colon, or of digits and dots alone.
bool numeric_host(std::string_view host);

/// Why `host`, as it stands in a HOST:PORT, means no host: it is missing, an IPv6 address without brackets
/// (of which nobody knows where the port begins), no IPv6 address in brackets, or of digits and dots alone
/// and no IPv4 address (the system's resolver takes 2181 for 0.0.8.133). Nothing where it may be a name or an
/// address; which characters a name has is the caller's rule. \param bracketed  `host` stood in brackets and
/// comes without them
std::optional<std::string_view> host_fault(std::string_view host, bool bracketed);

}  // namespace wk
