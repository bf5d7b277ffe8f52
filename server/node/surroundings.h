// What the system tells of this process and its folders, read beside the core: listing ten thousand
// descriptors, or a folder on a slow disk, takes milliseconds that clients would feel.
//
// Thread: core; the reading itself happens on a thread of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "server/node/background_thread.h"

namespace wk::node {

/// Of a file system, as an unprivileged user may use it.
struct DiskSpace {
  std::uint64_t used_bytes = 0;
  std::uint64_t bytes = 0;  ///< used and free
};

struct Surroundings {
  std::int64_t open_descriptors = -1;  ///< -1 = unknown, as Apache prints it
  std::int64_t descriptors_max = -1;
  std::optional<std::uint64_t> snapshot_folder_bytes{};
  std::optional<std::uint64_t> log_folder_bytes{};
  std::optional<DiskSpace> log_disk{};
  std::optional<DiskSpace> snapshot_disk{};  ///< absent when it is the log's
  std::uint64_t resident_bytes = 0;          ///< 0 = unknown
  std::uint64_t memory_bytes_max = 0;        ///< of the machine or the control group; 0 = unknown
};

class SurroundingsReader {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// Time between two looks at folders, disks and memory, which are the slower part and needed less often.
  static constexpr std::chrono::seconds kFolderInterval{10};

  /// \param data_dir, log_dir  with version-2
  /// \param post_to_core       runs a function on the core thread, later; safe from any thread
  SurroundingsReader(std::string data_dir, std::string log_dir,
                     std::function<void(std::function<void()>)> post_to_core);

  /// Reads in the calling thread: before anybody is served.
  void read_now(Time now);
  /// Has everything read anew, unless the last reading is still under way.
  void refresh(Time now);
  [[nodiscard]] const Surroundings& newest() const { return newest_; }
  /// Waits for the reading under way, and ends the thread.
  void stop() { thread_.stop(); }

 private:
  const std::string data_dir_;
  const std::string log_dir_;
  const std::function<void(std::function<void()>)> post_to_core_;
  Surroundings newest_;
  Time folders_read_{};
  bool reading_ = false;
  BackgroundThread thread_;
};

}  // namespace wk::node
