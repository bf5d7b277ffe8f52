#include "exporter/app/startup_memory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace wk::exporter {
namespace {

/// RssFile of this process in kilobytes.
long resident_of_files() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssFile:")) return std::stol(line.substr(8));
  return -1;
}

TEST(StartupMemory, CodeThatRanOnceIsNoLongerResident) {
  const long before = resident_of_files();
  ASSERT_GT(before, 0);
  EXPECT_GT(return_startup_memory(), 100U * 1024);
  EXPECT_LT(resident_of_files(), before);
}

TEST(StartupMemory, CodeAndDataComeBackWhenTheyAreNeeded) {
  return_startup_memory();
  EXPECT_EQ(std::to_string(1.5), "1.500000");
  return_startup_memory();
  EXPECT_THROW(std::stol("no number"), std::invalid_argument);
}

}  // namespace
}  // namespace wk::exporter
