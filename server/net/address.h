// Addresses of peers as ZooKeeper writes them.
//
// Thread: any; pure.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace wk::net {

/// IPv4 dotted (also where it arrives mapped into IPv6), IPv6 uncompressed as Java prints it
/// ("0:0:0:0:0:0:0:1", without a scope). "?" for other families. Source: java.net.InetAddress.getHostAddress.
std::string address_text(const sockaddr_storage& address);

/// "ADDRESS:PORT", with an IPv6 address in brackets. Source: java.net.InetSocketAddress.toString of Java 14
/// and later, behind the slash.
std::string endpoint_text(std::string_view address, std::uint16_t port);

/// 0 for other families.
std::uint16_t port_of(const sockaddr_storage& address);

}  // namespace wk::net
