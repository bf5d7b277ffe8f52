#include "server/net/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

namespace wk::net {
namespace {

template <typename Address>
sockaddr_storage stored(const Address& address) {
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, sizeof address);
  return storage;
}

sockaddr_storage ip4(const char* text, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  EXPECT_EQ(::inet_pton(AF_INET, text, &address.sin_addr), 1);
  return stored(address);
}

sockaddr_storage ip6(const char* text, std::uint16_t port, std::uint32_t scope = 0) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_scope_id = scope;
  EXPECT_EQ(::inet_pton(AF_INET6, text, &address.sin6_addr), 1);
  return stored(address);
}

TEST(Address, Ip4IsDotted) {
  EXPECT_EQ(address_text(ip4("192.0.2.17", 2181)), "192.0.2.17");
  EXPECT_EQ(port_of(ip4("192.0.2.17", 2181)), 2181);
}

TEST(Address, Ip6IsWrittenWithoutCompressionAsJavaDoes) {
  EXPECT_EQ(address_text(ip6("::1", 65535)), "0:0:0:0:0:0:0:1");
  EXPECT_EQ(address_text(ip6("2001:db8::ab:0:c0de", 1)), "2001:db8:0:0:0:ab:0:c0de");
  EXPECT_EQ(port_of(ip6("::1", 65535)), 65535);
}

TEST(Address, ScopeIsLeftOut) { EXPECT_EQ(address_text(ip6("fe80::1", 1, 7)), "fe80:0:0:0:0:0:0:1"); }

TEST(Address, Ip4InsideIp6IsDotted) {
  EXPECT_EQ(address_text(ip6("::ffff:10.1.2.3", 40000)), "10.1.2.3");
  EXPECT_EQ(port_of(ip6("::ffff:10.1.2.3", 40000)), 40000);
}

TEST(Address, OtherFamiliesHaveNoText) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  EXPECT_EQ(address_text(stored(address)), "?");
  EXPECT_EQ(port_of(stored(address)), 0);
}

}  // namespace
}  // namespace wk::net
