// What happened to this server, kept across its restarts: the events of the time line, and how the process
// before this one ended.
//
// A file of JSON lines in dataDir, beside version-2, under a name that Apache passes over. At kFileBytesMax
// it becomes "….1" and a new one begins: two files are all there ever is. Nothing is synced; what a failing
// machine takes with it is told by the next start. Lines that cannot be read are passed over. While the
// process lives, whatever its core does, the file's time is set at each beat(): the last sign of life of a
// process that ended without a word. It may have ended long after that, for it may have been stopped before,
// or its disk hung. Writing is done on a thread of its own, for a disk that hangs must not make the page say
// that the core does. Thread: constructor, past() and previous_end() from main; append(), beat() and flush()
// from any one thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "exporter/model/event.h"
#include "server/node/background_thread.h"

namespace wk::node {

/// How the process that wrote the file before this one ended.
struct PreviousEnd {
  enum class Kind : std::uint8_t {
    kUnknown,  ///< there was none, or nothing is known of it
    kStopped,  ///< it said so
    kCrashed,  ///< a signal ended it, and its handler said so
    kSilent,   ///< killed, or the machine failed
  } kind = Kind::kUnknown;
  std::chrono::system_clock::time_point at{};  ///< of kSilent: its last sign of life
  std::string reason;                          ///< kStopped: its own words; kCrashed: the signal's name
  bool other_boot = false;                     ///< the machine was started in between
};

/// What the event of a start says about it.
std::string start_text(const PreviousEnd& end);

class FlightRecorder {
 public:
  static constexpr const char* kFileName = "watchkeeper-events.jsonl";
  static constexpr std::size_t kFileBytesMax = 1UL << 20;
  /// Longer lines are neither written nor read.
  static constexpr std::size_t kLineBytesMax = 4096;
  /// Events from before this start that are told: the newest.
  static constexpr std::size_t kPastMax = 1000;
  /// Writes that the disk has not taken yet; more are dropped.
  static constexpr std::size_t kWaitingMax = 256;

  /// Reads what is there. \param folder  dataDir, without version-2
  FlightRecorder(std::string folder, const Moment& now);
  /// Drops what waits: see flush().
  ~FlightRecorder();
  FlightRecorder(const FlightRecorder&) = delete;
  FlightRecorder& operator=(const FlightRecorder&) = delete;

  /// Events from before this start, oldest first, without ids.
  [[nodiscard]] const std::vector<exporter::Event>& past() const { return past_; }
  [[nodiscard]] const PreviousEnd& previous_end() const { return previous_end_; }

  void append(std::span<const exporter::Event> events);
  /// A sign of life of the process. Once a second.
  void beat();
  /// Waits until everything is written, at most a second.
  void flush();

 private:
  class File;

  void post(std::function<void(File&)> task);

  std::vector<exporter::Event> past_;
  PreviousEnd previous_end_;
  std::unique_ptr<File> file_;
  std::atomic<std::size_t> waiting_{0};
  BackgroundThread thread_{"wk-recorder"};  ///< last: its tasks use what stands above
};

}  // namespace wk::node
