#include "exporter/catalogue/process_stats.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace wk::exporter {
namespace {

constexpr const char* kStat =
    "4711 (a) (b c) S 1 4711 4711 0 -1 4194560 1000 0 0 0 250 50 0 0 20 0 7 0 123400 104857600 2560 "
    "18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";

TEST(ProcessStats, ReadsTheFieldsBehindANameWithBlanksAndParentheses) {
  const auto stats = parse_process_stat(kStat, 100, 4096, 1'600'000'000);
  EXPECT_EQ(stats.threads, 7U);
  EXPECT_EQ(stats.virtual_bytes, 104857600U);
  EXPECT_EQ(stats.resident_bytes, 2560U * 4096U);
  EXPECT_EQ(stats.start_time_seconds, 1'600'001'234.0);
}

TEST(ProcessStats, StartTimeNeedsTheBootTime) {
  const auto stats = parse_process_stat(kStat, 100, 4096, std::nullopt);
  EXPECT_EQ(stats.threads, 7U);
  EXPECT_FALSE(stats.start_time_seconds);
}

TEST(ProcessStats, TextOfAnotherFormatTellsNothing) {
  for (const auto& text :
       {std::string(), std::string("4711 (name"), std::string("4711 (name) S 1 2"),
        std::string(kStat).substr(0, 80), std::string("1 (x) S ") + std::string(60, '-')}) {
    const auto stats = parse_process_stat(text, 100, 4096, 1.0);
    EXPECT_FALSE(stats.threads) << text;
    EXPECT_FALSE(stats.resident_bytes) << text;
    EXPECT_FALSE(stats.start_time_seconds) << text;
  }
}

TEST(ProcessStats, ReadsAProcFileSystem) {
  const auto proc = std::filesystem::temp_directory_path() / ("wk_proc." + std::to_string(::getpid()));
  std::filesystem::create_directories(proc / "self" / "fd");
  std::ofstream(proc / "self" / "stat") << kStat;
  std::ofstream(proc / "stat") << "cpu  1 2 3\ncpu0 1 2 3\nintr 5 0 0\nbtime 1600000000\nprocesses 9\n";
  for (const auto* descriptor : {"0", "1", "2", "3"}) std::ofstream(proc / "self" / "fd" / descriptor) << "";
  const auto stats = read_process_stats(read_boot_time(proc), proc);
  std::filesystem::remove_all(proc);
  EXPECT_EQ(stats.threads, 7U);
  EXPECT_EQ(stats.open_descriptors, 3U) << "the one that lists the directory is not counted";
  ASSERT_TRUE(stats.start_time_seconds);
  EXPECT_NEAR(*stats.start_time_seconds,
              1'600'000'000 + 123400.0 / static_cast<double>(::sysconf(_SC_CLK_TCK)), 0.001);
}

TEST(ProcessStats, WithoutProcNothingButTheLimitAndTheClockIsKnown) {
  const auto stats = read_process_stats(read_boot_time("/nonexistent"), "/nonexistent");
  EXPECT_TRUE(stats.cpu_seconds);
  EXPECT_FALSE(stats.open_descriptors);
  EXPECT_FALSE(stats.threads);
}

TEST(ProcessStats, ThisProcessIsAlive) {
  const auto stats = read_process_stats(read_boot_time());
  ASSERT_TRUE(stats.threads && stats.resident_bytes && stats.open_descriptors && stats.start_time_seconds);
  EXPECT_GE(*stats.threads, 1U);
  EXPECT_GT(*stats.resident_bytes, 500'000U);
  EXPECT_GE(*stats.open_descriptors, 3U);
  EXPECT_GT(*stats.start_time_seconds, 1.6e9);
}

TEST(ProcessStats, CpuTimeIsFinerThanATick) {
  const auto used = read_process_stats(std::nullopt).cpu_seconds;
  ASSERT_TRUE(used);
  EXPECT_GT(*used, 0);
  EXPECT_GT(*read_process_stats(std::nullopt).cpu_seconds, *used);
}

}  // namespace
}  // namespace wk::exporter
