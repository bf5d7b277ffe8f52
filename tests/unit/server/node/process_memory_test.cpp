#include "server/node/process_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace wk::node {
namespace {

class ControlGroupTest : public testing::Test {
 protected:
  ~ControlGroupTest() override { std::filesystem::remove_all(root_); }

  void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }

  const std::filesystem::path root_ =
      std::string(testing::TempDir()) + "wk_control_group." + std::to_string(::getpid());
};

TEST(ProcessMemory, IsRead) {
  const ProcessMemory memory = process_memory();
  EXPECT_GT(memory.resident_bytes, 100'000U);
  EXPECT_GT(memory.system_bytes, memory.resident_bytes);
}

TEST_F(ControlGroupTest, TheLeastOfAllAroundCounts) {
  write("proc/self/cgroup", "0::/system.slice/watchkeeper.service\n");
  write("sys/fs/cgroup/system.slice/watchkeeper.service/memory.max", "max\n");
  EXPECT_EQ(control_group_memory_max(root_), std::nullopt);
  write("sys/fs/cgroup/system.slice/memory.max", "4096000\n");
  EXPECT_EQ(control_group_memory_max(root_), 4'096'000U);
  write("sys/fs/cgroup/system.slice/watchkeeper.service/memory.max", "9000000\n");
  EXPECT_EQ(control_group_memory_max(root_), 4'096'000U);
}

// A container sees its own group as the top.
TEST_F(ControlGroupTest, TheTopItself) {
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/memory.max", "123\n");
  EXPECT_EQ(control_group_memory_max(root_), 123U);
}

TEST_F(ControlGroupTest, VersionOneAndNoneTellNothing) {
  EXPECT_EQ(control_group_memory_max(root_), std::nullopt);
  write("proc/self/cgroup", "4:memory:/user.slice\n");
  write("sys/fs/cgroup/memory.max", "123\n");
  EXPECT_EQ(control_group_memory_max(root_), std::nullopt);
}

}  // namespace
}  // namespace wk::node
