#include "base/open_descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
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

}  // namespace
}  // namespace wk
