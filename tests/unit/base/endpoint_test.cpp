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

}  // namespace
}  // namespace wk
