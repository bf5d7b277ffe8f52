#include "server/node/surroundings.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <utility>

#include "base/open_descriptors.h"
#include "server/node/process_memory.h"
#include "server/node/words.h"

namespace wk::node {
namespace {

void read_process(Surroundings& into) {
  const auto open = open_descriptors();
  into.open_descriptors = open ? static_cast<std::int64_t>(*open) : -1;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    into.descriptors_max = static_cast<std::int64_t>(limit.rlim_cur);
}

void read_memory(Surroundings& into) {
  const ProcessMemory memory = process_memory();
  into.resident_bytes = memory.resident_bytes;
  into.memory_bytes_max =
      std::min(memory.system_bytes, control_group_memory_max().value_or(memory.system_bytes));
}

std::optional<DiskSpace> disk_space(const std::string& folder) {
  struct statvfs system {};
  if (::statvfs(folder.c_str(), &system) != 0) return std::nullopt;
  const std::uint64_t used = (system.f_blocks - system.f_bfree) * system.f_frsize;
  return DiskSpace{used, used + system.f_bavail * system.f_frsize};
}

bool on_one_disk(const std::string& a, const std::string& b) {
  struct stat of_a {
  }, of_b{};
  return ::stat(a.c_str(), &of_a) == 0 && ::stat(b.c_str(), &of_b) == 0 && of_a.st_dev == of_b.st_dev;
}

void read_memory_and_folders(const std::string& data_dir, const std::string& log_dir, Surroundings& into) {
  read_memory(into);
  into.snapshot_folder_bytes = folder_bytes(data_dir);
  into.log_folder_bytes = folder_bytes(log_dir);
  into.log_disk = disk_space(log_dir);
  into.snapshot_disk = on_one_disk(data_dir, log_dir) ? std::nullopt : disk_space(data_dir);
}

}  // namespace

SurroundingsReader::SurroundingsReader(std::string data_dir, std::string log_dir,
                                       std::function<void(std::function<void()>)> post_to_core)
    : data_dir_(std::move(data_dir)),
      log_dir_(std::move(log_dir)),
      post_to_core_(std::move(post_to_core)),
      thread_("wk-surroundings") {}

void SurroundingsReader::read_now(Time now) {
  read_process(newest_);
  read_memory_and_folders(data_dir_, log_dir_, newest_);
  folders_read_ = now;
}

void SurroundingsReader::refresh(Time now) {
  if (std::exchange(reading_, true)) return;
  const bool folders = now - folders_read_ >= kFolderInterval;
  if (folders) folders_read_ = now;
  thread_.post([this, folders, read = newest_]() mutable {
    read_process(read);
    if (folders) read_memory_and_folders(data_dir_, log_dir_, read);
    post_to_core_([this, read] {
      newest_ = read;
      reading_ = false;
    });
  });
}

}  // namespace wk::node
