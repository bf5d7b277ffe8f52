#include "server/node/surroundings.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <utility>

#include "base/open_descriptors.h"
#include "server/node/process_memory.h"

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

Surroundings read_folders(storage::FileSystem& files, const std::string& data_dir,
                          const std::string& log_dir) {
  Surroundings read;
  read.snapshot_folder_bytes = folder_bytes(files, data_dir);
  read.log_folder_bytes = folder_bytes(files, log_dir);
  read.log_disk = disk_space(log_dir);
  read.snapshot_disk = on_one_disk(data_dir, log_dir) ? std::nullopt : disk_space(data_dir);
  return read;
}

void copy_folders(const Surroundings& from, Surroundings& to) {
  to.snapshot_folder_bytes = from.snapshot_folder_bytes;
  to.log_folder_bytes = from.log_folder_bytes;
  to.log_disk = from.log_disk;
  to.snapshot_disk = from.snapshot_disk;
}

void copy_process(const Surroundings& from, Surroundings& to) {
  to.open_descriptors = from.open_descriptors;
  to.descriptors_max = from.descriptors_max;
  to.resident_bytes = from.resident_bytes;
  to.memory_bytes_max = from.memory_bytes_max;
}

}  // namespace

std::optional<std::uint64_t> folder_bytes(storage::FileSystem& files, const std::string& folder) {
  const auto entries = files.list(folder);
  if (!entries) return std::nullopt;
  std::uint64_t bytes = 0;
  for (const storage::DirectoryEntry& entry : *entries) bytes += entry.size;
  return bytes;
}

SurroundingsReader::SurroundingsReader(storage::FileSystem& files, std::string data_dir, std::string log_dir,
                                       std::function<void(std::function<void()>)> post_to_core)
    : files_(files),
      data_dir_(std::move(data_dir)),
      log_dir_(std::move(log_dir)),
      post_to_core_(std::move(post_to_core)),
      process_thread_("wk-surroundings"),
      folder_thread_("wk-folders") {}

void SurroundingsReader::read_now(Time now) {
  read_process(newest_);
  read_memory(newest_);
  copy_folders(read_folders(files_, data_dir_, log_dir_), newest_);
  now_ = memory_read_ = folders_read_ = folders_known_ = now;
}

void SurroundingsReader::refresh(Time now) {
  now_ = now;
  if (now - folders_known_ > kFolderAgeMax) copy_folders(Surroundings{}, newest_);
  refresh_process(now);
  if (now - folders_read_ >= kFolderInterval) refresh_folders(now);
}

void SurroundingsReader::refresh_process(Time now) {
  if (std::exchange(reading_process_, true)) return;
  const bool memory = now - memory_read_ >= kFolderInterval;
  if (memory) memory_read_ = now;
  process_thread_.post([this, memory, before = newest_] {
    const auto read = caught([&]() -> Result<Surroundings> {
      Surroundings found = before;
      read_process(found);
      if (memory) read_memory(found);
      return found;
    });
    post_to_core_([this, read = read ? *read : Surroundings{}] {
      copy_process(read, newest_);
      reading_process_ = false;
    });
  });
}

void SurroundingsReader::refresh_folders(Time now) {
  if (std::exchange(reading_folders_, true)) return;
  folders_read_ = now;
  folder_thread_.post([this] {
    const auto read =
        caught([this]() -> Result<Surroundings> { return read_folders(files_, data_dir_, log_dir_); });
    post_to_core_([this, read = read ? *read : Surroundings{}] {
      copy_folders(read, newest_);
      folders_known_ = now_;
      reading_folders_ = false;
    });
  });
}

void SurroundingsReader::stop() {
  process_thread_.stop();
  folder_thread_.stop();
}

bool SurroundingsReader::stop_until(Time deadline) {
  const bool process = process_thread_.stop_until(deadline);
  return folder_thread_.stop_until(deadline) && process;
}

}  // namespace wk::node
