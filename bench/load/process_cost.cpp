#include "bench/load/process_cost.h"

#include <fmt/format.h>

#include <cstring>
#include <ctime>
#include <fstream>
#include <string>

namespace wk::bench {
namespace {

std::chrono::nanoseconds read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

}  // namespace

Result<std::chrono::nanoseconds> cpu_time(const std::vector<pid_t>& processes) {
  std::chrono::nanoseconds sum{0};
  for (const pid_t process : processes) {
    clockid_t clock{};
    if (const int error = clock_getcpuclockid(process, &clock); error != 0) {
      return Error{Errc::kNotFound,
                   fmt::format("no CPU time of process {}: {}", process, std::strerror(error))};
    }
    sum += read_clock(clock);
  }
  return sum;
}

Result<std::chrono::nanoseconds> cpu_time_of(const std::vector<pid_t>& processes,
                                             const std::function<Result<void>()>& work) {
  const auto before = cpu_time(processes);
  if (!before) return before.error();
  if (auto done = work(); !done) return done.error();
  const auto after = cpu_time(processes);
  if (!after) return after.error();
  return *after - *before;
}

std::chrono::nanoseconds own_cpu_time() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

Result<std::uint64_t> resident_bytes(pid_t process) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return 1024 * std::stoull(line.substr(6));
  }
  return Error{Errc::kNotFound, fmt::format("process {} has ended", process)};
}

}  // namespace wk::bench
