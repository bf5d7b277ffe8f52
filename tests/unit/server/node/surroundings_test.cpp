#include "server/node/surroundings.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/unit/server/node/posted_core.h"

namespace wk::node {
namespace {

using Time = SurroundingsReader::Time;

class SurroundingsTest : public testing::Test {
 protected:
  SurroundingsTest() {
    for (const char* name : {"data", "log"}) std::filesystem::create_directories(folder_ + name);
    std::ofstream(folder_ + "data/snapshot.0") << std::string(300, 'x');
    std::ofstream(folder_ + "log/log.1") << std::string(70, 'x');
  }
  ~SurroundingsTest() override { std::filesystem::remove_all(folder_); }

  const std::string folder_ =
      std::string(testing::TempDir()) + testing::UnitTest::GetInstance()->current_test_info()->name() + "/";
  PostedCore core_;
  const Time now_{std::chrono::seconds{1'000}};
};

TEST_F(SurroundingsTest, AreReadAtOnceBeforeAnybodyIsServed) {
  SurroundingsReader reader(folder_ + "data", folder_ + "log", core_.poster());
  EXPECT_EQ(reader.newest().open_descriptors, -1);
  EXPECT_FALSE(reader.newest().log_folder_bytes);
  reader.read_now(now_);
  EXPECT_GE(reader.newest().open_descriptors, 3);
  EXPECT_EQ(reader.newest().snapshot_folder_bytes, 300U);
  EXPECT_EQ(reader.newest().log_folder_bytes, 70U);
  ASSERT_TRUE(reader.newest().log_disk);
  EXPECT_GT(reader.newest().log_disk->bytes, reader.newest().log_disk->used_bytes);
  EXPECT_FALSE(reader.newest().snapshot_disk) << "the same disk is told once";
  EXPECT_GT(reader.newest().resident_bytes, 100'000U);
  EXPECT_GT(reader.newest().memory_bytes_max, 0U);
}

TEST_F(SurroundingsTest, AreReadAnewBesideTheCoreAndFoldersSeldomer) {
  SurroundingsReader reader(folder_ + "data", folder_ + "log", core_.poster());
  reader.read_now(now_);
  std::ofstream(folder_ + "log/log.2") << std::string(30, 'x');
  reader.refresh(now_ + std::chrono::seconds{1});
  // Asked again before the answer is there: one reading at a time.
  reader.refresh(now_ + SurroundingsReader::kFolderInterval);
  core_.run_one();
  EXPECT_EQ(reader.newest().log_folder_bytes, 70U) << "read a second ago";
  reader.refresh(now_ + SurroundingsReader::kFolderInterval);
  core_.run_one();
  EXPECT_EQ(reader.newest().log_folder_bytes, 100U);
  reader.stop();
  EXPECT_TRUE(core_.idle());
}

}  // namespace
}  // namespace wk::node
