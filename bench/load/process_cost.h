// CPU time and memory of other processes, as the kernel tells them.
//
// Thread: any.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/error.h"

namespace wk::bench {

/// User and system time of all threads of these processes, threads that have ended included.
Result<std::chrono::nanoseconds> cpu_time(const std::vector<pid_t>& processes);

/// The same of a piece of work: what they used from its begin to its end. Its own error, when it fails.
Result<std::chrono::nanoseconds> cpu_time_of(const std::vector<pid_t>& processes,
                                             const std::function<Result<void>()>& work);

/// User and system time of this process.
std::chrono::nanoseconds own_cpu_time();

/// VmRSS of a process.
Result<std::uint64_t> resident_bytes(pid_t process);

}  // namespace wk::bench
