#include "base/endpoint.h"

#include <gtest/gtest.h>

namespace wk {
namespace {

TEST(Endpoint, BracketsKeepThePortApart) {
  EXPECT_EQ(endpoint_text("127.0.0.1", 2181), "127.0.0.1:2181");
  EXPECT_EQ(endpoint_text("zk1.example.org", 0), "zk1.example.org:0");
  EXPECT_EQ(endpoint_text("0:0:0:0:0:0:0:1", 54321), "[0:0:0:0:0:0:0:1]:54321");
  EXPECT_EQ(endpoint_text("fe80::1%eth0", 65535), "[fe80::1%eth0]:65535");
}

TEST(Endpoint, HostsThatCanBeMeant) {
  for (const char* host :
       {"zk1", "zk-0.zk-headless", "1zk", "zk.1", "2181.example.org", "127.0.0.1", "0.0.0.0"})
    EXPECT_EQ(host_fault(host, false), std::nullopt) << host;
  for (const char* host : {"::1", "::", "2001:db8::1", "fe80::1%eth0", "::ffff:10.0.0.1"})
    EXPECT_EQ(host_fault(host, true), std::nullopt) << host;
}

TEST(Endpoint, HostsThatMeanSomethingElse) {
  EXPECT_EQ(host_fault("", false), "the host is missing");
  EXPECT_EQ(host_fault("", true), "the host is missing");
  for (const char* host : {"::1", "::1:2181", "2001:db8::1", "zk1:2181"})
    EXPECT_EQ(host_fault(host, false), "a host has no colon, and an IPv6 address needs brackets") << host;
  for (const char* host : {"zk1", "2181", "127.0.0.1", "::1:2181:x", ":", "fe80::1%", "1::2::3"})
    EXPECT_EQ(host_fault(host, true), "brackets are for IPv6 addresses, and this is none") << host;
  for (const char* host : {"2181", "0", "0042"})
    EXPECT_EQ(host_fault(host, false), "the host has only digits") << host;
  for (const char* host :
       {"10.0.0", "10.0.0.256", "10.0.0.1.2", "127.1", "010.0.0.1", "10.0.0.1.", ".", "1."})
    EXPECT_EQ(host_fault(host, false), "an IPv4 address has four numbers from 0 to 255") << host;
}

TEST(Endpoint, NumericHostsAreNoNames) {
  for (const char* host : {"::1", "127.0.0.1", "10.0", "3"}) EXPECT_TRUE(numeric_host(host)) << host;
  for (const char* host : {"", "zk1", "1.zk", "zk.1", "a-1"}) EXPECT_FALSE(numeric_host(host)) << host;
}

}  // namespace
}  // namespace wk
