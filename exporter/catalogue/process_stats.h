// What the operating system tells about this process, for the process_… families of every Prometheus client.
//
// Thread: any. read_process_stats() reads a few files of /proc and a clock; the parser is pure.
// Format reference: proc(5); clock_gettime(2).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace wk::exporter {

/// Each value is absent when the system does not tell it.
struct ProcessStats {
  std::optional<double> cpu_seconds;         ///< user and system time of all threads
  std::optional<double> start_time_seconds;  ///< since 1970
  std::optional<std::uint64_t> open_descriptors;
  std::optional<std::uint64_t> descriptors_max;  ///< soft limit; absent when there is none
  std::optional<std::uint64_t> virtual_bytes, resident_bytes;
  std::optional<std::uint64_t> threads;
};

/// Fills what /proc/PID/stat tells of memory and threads, and the start time when `boot_time_seconds` is
/// known. Text that is not of that format leaves everything absent. \param ticks_per_second
/// sysconf(_SC_CLK_TCK) \param page_bytes         sysconf(_SC_PAGESIZE) \param boot_time_seconds  `btime` of
/// /proc/stat
ProcessStats parse_process_stat(std::string_view stat, double ticks_per_second, std::uint64_t page_bytes,
                                std::optional<double> boot_time_seconds);

/// When this machine was booted, in seconds since 1970. To be read once: the kernel adds up all interrupts
/// for the file that tells it, which takes a millisecond on large machines. \param proc  where the proc file
/// system is mounted
std::optional<double> read_boot_time(const std::filesystem::path& proc = "/proc");

/// This process, now. \param boot_time_seconds  as read_boot_time() tells it
ProcessStats read_process_stats(std::optional<double> boot_time_seconds,
                                const std::filesystem::path& proc = "/proc");

}  // namespace wk::exporter
