#include "exporter/catalogue/process_stats.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "base/open_descriptors.h"

namespace wk::exporter {
namespace {

/// The whole file, at most kFileMax bytes of it; empty when it cannot be read.
std::string contents(const std::filesystem::path& file) {
  constexpr std::size_t kFileMax = 1024 * 1024;  // /proc/stat grows with CPUs and interrupts
  std::ifstream in(file, std::ios::binary);
  std::string text;
  std::array<char, 4096> buffer;
  while (text.size() < kFileMax && (in.read(buffer.data(), buffer.size()) || in.gcount() > 0))
    text.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
  return text;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Cuts the next blank-separated word off `text`.
std::string_view next_word(std::string_view& text) {
  const auto begin = std::min(text.find_first_not_of(" \n"), text.size());
  const auto end = std::min(text.find_first_of(" \n", begin), text.size());
  const auto word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

std::optional<double> boot_time(std::string_view stat) {
  constexpr std::string_view kKey = "\nbtime ";
  const auto at = stat.find(kKey);
  if (at == std::string_view::npos) return std::nullopt;
  stat.remove_prefix(at + kKey.size());
  const auto value = number(next_word(stat));
  if (!value) return std::nullopt;
  return static_cast<double>(*value);
}

/// User and system time of all threads. /proc/PID/stat tells it in ticks of 10 ms, the clock in nanoseconds.
std::optional<double> cpu_seconds() {
  timespec used{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0) return std::nullopt;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace

ProcessStats parse_process_stat(std::string_view stat, double ticks_per_second, std::uint64_t page_bytes,
                                std::optional<double> boot_time_seconds) {
  // The second field is the program's name in parentheses and may hold blanks and parentheses itself: the
  // fields that matter begin behind the last one. proc(5) numbers them from 1; the first one here is
  // number 3.
  const auto name_end = stat.rfind(')');
  if (name_end == std::string_view::npos || ticks_per_second <= 0) return {};
  stat.remove_prefix(name_end + 1);
  constexpr std::size_t kFirst = 3, kThreads = 20, kStartTime = 22, kVirtual = 23, kResident = 24;
  std::array<std::optional<std::uint64_t>, kResident + 1> fields;
  for (std::size_t field = kFirst; field <= kResident; ++field) fields[field] = number(next_word(stat));
  for (const auto field : {kThreads, kStartTime, kVirtual, kResident})
    if (!fields[field]) return {};

  ProcessStats stats;
  stats.threads = fields[kThreads];
  stats.virtual_bytes = fields[kVirtual];
  stats.resident_bytes = *fields[kResident] * page_bytes;
  if (boot_time_seconds)
    stats.start_time_seconds =
        *boot_time_seconds + static_cast<double>(*fields[kStartTime]) / ticks_per_second;
  return stats;
}

std::optional<double> read_boot_time(const std::filesystem::path& proc) {
  return boot_time(contents(proc / "stat"));
}

ProcessStats read_process_stats(std::optional<double> boot_time_seconds, const std::filesystem::path& proc) {
  const auto self = proc / "self";
  auto stats = parse_process_stat(contents(self / "stat"), static_cast<double>(::sysconf(_SC_CLK_TCK)),
                                  static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)), boot_time_seconds);
  stats.cpu_seconds = cpu_seconds();
  stats.open_descriptors = open_descriptors(proc);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    stats.descriptors_max = limit.rlim_cur;
  return stats;
}

}  // namespace wk::exporter
