#include "base/open_descriptors.h"

#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <system_error>

namespace wk {

std::optional<std::uint64_t> open_descriptors(const std::filesystem::path& proc) {
  const std::filesystem::path folder = proc / "self" / "fd";
  struct statfs system {};
  struct stat status {};
  // Elsewhere a folder's size is something else.
  if (::statfs(folder.c_str(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC &&
      ::stat(folder.c_str(), &status) == 0 && status.st_size > 0)
    return static_cast<std::uint64_t>(status.st_size);
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  if (error) return std::nullopt;
  std::uint64_t count = 0;
  for (const std::filesystem::directory_iterator end; entry != end; entry.increment(error)) ++count;
  if (error) return std::nullopt;  // that ended the walk
  // The walk has a descriptor of its own open.
  return count > 0 ? count - 1 : 0;
}

std::optional<DescriptorLimit> raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  const bool done = limit.rlim_cur < limit.rlim_max && ::setrlimit(RLIMIT_NOFILE, &raised) == 0;
  return DescriptorLimit{limit.rlim_cur, done ? raised.rlim_cur : limit.rlim_cur};
}

}  // namespace wk
