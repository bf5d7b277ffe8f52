// What the system tells of this process and its folders, read beside the core: listing ten thousand
// descriptors, or a folder on a slow disk, takes milliseconds that clients would feel.
//
// What a disk may hold up is read on a thread of its own: while it hangs, the numbers of the process go on,
// and those of the folders are unknown after kFolderAgeMax. Thread: core; the reading itself happens on the
// reader's threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "server/node/background_thread.h"
#include "server/storage/file_system.h"

namespace wk::node {

/// Of a file system, as an unprivileged user may use it.
struct DiskSpace {
  std::uint64_t used_bytes = 0;
  std::uint64_t bytes = 0;  ///< used and free
};

struct Surroundings {
  std::int64_t open_descriptors = -1;  ///< -1 = unknown, as Apache prints it
  std::int64_t descriptors_max = -1;
  std::optional<std::uint64_t> snapshot_folder_bytes{};  ///< absent: unknown
  std::optional<std::uint64_t> log_folder_bytes{};
  std::optional<DiskSpace> log_disk{};
  std::optional<DiskSpace> snapshot_disk{};  ///< absent when it is the log's
  std::uint64_t resident_bytes = 0;          ///< 0 = unknown
  std::uint64_t memory_bytes_max = 0;        ///< of the machine or the control group; 0 = unknown
};

/// Bytes of all plain files in a folder; absent when it cannot be read to its end.
std::optional<std::uint64_t> folder_bytes(storage::FileSystem& files, const std::string& folder);

class SurroundingsReader {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// Time between two looks at folders, disks and memory, which are the slower part and needed less often.
  static constexpr std::chrono::seconds kFolderInterval{10};
  /// A reading of the folders that is older is not told.
  static constexpr std::chrono::seconds kFolderAgeMax{3 * kFolderInterval};

  /// \param data_dir, log_dir  with version-2
  /// \param post_to_core       runs a function on the core thread, later; safe from any thread
  SurroundingsReader(storage::FileSystem& files, std::string data_dir, std::string log_dir,
                     std::function<void(std::function<void()>)> post_to_core);

  /// Reads in the calling thread: before anybody is served.
  void read_now(Time now);
  /// Has everything read anew, but for what is still being read.
  void refresh(Time now);
  [[nodiscard]] const Surroundings& newest() const { return newest_; }
  /// Waits until nothing is read any more, and ends the threads.
  void stop();
  /// As BackgroundThread::stop_until().
  [[nodiscard]] bool stop_until(Time deadline);

 private:
  void refresh_process(Time now);
  void refresh_folders(Time now);

  storage::FileSystem& files_;
  const std::string data_dir_;
  const std::string log_dir_;
  const std::function<void(std::function<void()>)> post_to_core_;
  Surroundings newest_;
  Time now_{};            // of the last refresh()
  Time memory_read_{};    // began to be
  Time folders_read_{};   // began to be
  Time folders_known_{};  // what newest_ tells of them
  bool reading_process_ = false;
  bool reading_folders_ = false;
  BackgroundThread process_thread_;
  BackgroundThread folder_thread_;
};

}  // namespace wk::node
