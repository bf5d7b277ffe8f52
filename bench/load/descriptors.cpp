#include "bench/load/descriptors.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

namespace wk::bench {

Result<void> allow_descriptors(std::size_t wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return {};
  const rlimit raised{wanted, std::max<rlim_t>(limit.rlim_max, wanted)};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return {};
  return Error{
      Errc::kNotAllowed,
      fmt::format("{} open files are wanted and {} are allowed; raise `ulimit -Hn`", wanted, limit.rlim_max)};
}

}  // namespace wk::bench
