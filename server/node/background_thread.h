// A thread for work on files that nobody waits for, kept away from the core and from the log's syncs.
//
// Thread: post() and stop() from the core thread; tasks run on the thread's own, in order. A task that throws
// is told in the log and costs nothing else: whoever waits for its end catches by itself, see caught().
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/error.h"

namespace wk::node {

class BackgroundThread {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// \param name  as the system shows it, at most 15 characters
  explicit BackgroundThread(const char* name);
  /// stop().
  ~BackgroundThread();
  BackgroundThread(const BackgroundThread&) = delete;
  BackgroundThread& operator=(const BackgroundThread&) = delete;

  void post(std::function<void()> task);
  /// Runs what is queued no more, waits for the task under way, and ends the thread.
  void stop();
  /// stop() that gives the task under way up at a deadline.
  /// \return  false when it still runs: then the process can only be left without this object's destruction
  [[nodiscard]] bool stop_until(Time deadline);

 private:
  void run();

  const std::string name_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable over_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  bool ended_ = false;
  std::thread thread_;
};

/// What `work` returns, a Result, or what it threw as an error.
template <typename Work>
auto caught(Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::exception& error) {
    return Error{Errc::kIo, error.what()};
  }
}

}  // namespace wk::node
