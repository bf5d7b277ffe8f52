#include "server/node/surroundings.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <utility>

#include "tests/unit/server/node/posted_core.h"
#include "tests/unit/server/storage/memory_file_system.h"

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
  SurroundingsReader reader(storage::posix_file_system(), folder_ + "data", folder_ + "log", core_.poster());
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
  SurroundingsReader reader(storage::posix_file_system(), folder_ + "data", folder_ + "log", core_.poster());
  reader.read_now(now_);
  std::ofstream(folder_ + "log/log.2") << std::string(30, 'x');
  reader.refresh(now_ + std::chrono::seconds{1});
  // Asked again before the answer is there: one reading at a time.
  reader.refresh(now_ + std::chrono::seconds{2});
  core_.run_one();
  EXPECT_EQ(reader.newest().log_folder_bytes, 70U) << "read a second ago";
  reader.refresh(now_ + SurroundingsReader::kFolderInterval);
  core_.run_one();
  core_.run_one();
  EXPECT_EQ(reader.newest().log_folder_bytes, 100U);
  reader.stop();
  EXPECT_TRUE(core_.idle());
}

TEST_F(SurroundingsTest, WhileADiskHangsTheProcessIsToldAndTheFoldersAreUnknown) {
  storage::MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("/data"));
  SurroundingsReader reader(files, "/data", "/data", core_.poster());
  reader.read_now(now_);
  EXPECT_EQ(reader.newest().log_folder_bytes, 0U);
  std::promise<void> hangs, goes_on;
  auto gone_on = goes_on.get_future().share();
  files.before = [&, told = false](std::string_view, const std::string&) mutable -> Result<void> {
    if (!std::exchange(told, true)) hangs.set_value();
    gone_on.wait();
    return {};
  };
  reader.refresh(now_ + SurroundingsReader::kFolderInterval);
  hangs.get_future().wait();
  core_.run_one();
  for (const std::chrono::seconds after : {SurroundingsReader::kFolderAgeMax, std::chrono::seconds{31}}) {
    EXPECT_TRUE(reader.newest().log_folder_bytes) << "it is not that old";
    const auto before = reader.newest().open_descriptors;
    const int opened = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    reader.refresh(now_ + after);
    core_.run_one();
    EXPECT_EQ(reader.newest().open_descriptors, before + 1) << "the process is not told";
    ::close(opened);
    reader.refresh(now_ + after);
    core_.run_one();
  }
  EXPECT_FALSE(reader.newest().log_folder_bytes);
  EXPECT_FALSE(reader.newest().snapshot_folder_bytes);
  EXPECT_FALSE(reader.newest().log_disk);
  EXPECT_FALSE(reader.stop_until(SurroundingsReader::Time{}));
  goes_on.set_value();
  core_.run_one();
  EXPECT_EQ(reader.newest().log_folder_bytes, 0U) << "the disk is back";
  reader.stop();
}

TEST_F(SurroundingsTest, AFolderThatCannotBeReadIsUnknownAndNotEmpty) {
  storage::FileSystem& files = storage::posix_file_system();
  EXPECT_EQ(folder_bytes(files, folder_ + "data"), 300U);
  EXPECT_EQ(folder_bytes(files, folder_ + "none"), std::nullopt);
  EXPECT_EQ(folder_bytes(files, folder_ + "data/snapshot.0"), std::nullopt);
  storage::MemoryFileSystem broken;
  ASSERT_TRUE(broken.create_directories("/data"));
  EXPECT_EQ(folder_bytes(broken, "/data"), 0U);
  broken.before = [](std::string_view, const std::string&) -> Result<void> {
    return Error{Errc::kIo, "Input/output error"};
  };
  EXPECT_EQ(folder_bytes(broken, "/data"), std::nullopt);
}

}  // namespace
}  // namespace wk::node
