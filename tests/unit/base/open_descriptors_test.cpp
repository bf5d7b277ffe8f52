#include "base/open_descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace wk {
namespace {

TEST(OpenDescriptors, GrowWithEachThatIsOpened) {
  const auto before = open_descriptors();
  ASSERT_TRUE(before);
  std::vector<int> opened;
  for (int i = 0; i < 100; ++i) opened.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(open_descriptors(), *before + 100);
  for (const int descriptor : opened) ::close(descriptor);
  EXPECT_EQ(open_descriptors(), before);
}

// As on Linux before 6.2, where the size of the folder tells nothing.
TEST(OpenDescriptors, AreListedWhereTheSizeIsNotTheirNumber) {
  const std::filesystem::path proc =
      std::string(testing::TempDir()) + "wk_descriptors." + std::to_string(::getpid());
  std::filesystem::create_directories(proc / "self" / "fd");
  for (const char* descriptor : {"0", "1", "2", "3"}) std::ofstream(proc / "self" / "fd" / descriptor) << "";
  EXPECT_EQ(open_descriptors(proc), 3U) << "four, less the one that a listing has open";
  std::filesystem::remove_all(proc);
  EXPECT_EQ(open_descriptors(proc), std::nullopt);
}

TEST(DescriptorLimit, IsRaisedToTheHardOneAndTold) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_GT(before.rlim_max, 256U);
  const rlimit low{256, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const auto raised = raise_descriptor_limit();
  rlimit after{};
  EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  ::setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_TRUE(raised);
  EXPECT_EQ(raised->before, 256U);
  EXPECT_EQ(raised->now, before.rlim_max);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
}

}  // namespace
}  // namespace wk
