// Addresses of peers as ZooKeeper writes them.
//
// Thread: any; pure.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace wk::net {

/// IPv4 dotted (also where it arrives mapped into IPv6), IPv6 uncompressed as Java prints it
/// ("0:0:0:0:0:0:0:1", without a scope). "?" for other families. Source: java.net.InetAddress.getHostAddress.
std::string address_text(const sockaddr_storage& address);

/// 0 for other families.
std::uint16_t port_of(const sockaddr_storage& address);

}  // namespace wk::net
