#include "base/startup_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

namespace wk {
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

TEST(StartupMemory, AReadOnlyMappingThatDiffersFromItsFileIsLeftAlone) {
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  const auto size =
      static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) * 600;  // more than one read of the page map
  ASSERT_EQ(::ftruncate(::fileno(file), static_cast<off_t>(size)), 0);
  void* const mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, ::fileno(file), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  char* const last = static_cast<char*>(mapped) + size - 1;
  *last = 'x';
  ASSERT_EQ(::mprotect(mapped, size, PROT_READ), 0);
  return_startup_memory();
  EXPECT_EQ(*last, 'x');
  ::munmap(mapped, size);
  std::fclose(file);
}

}  // namespace
}  // namespace wk
