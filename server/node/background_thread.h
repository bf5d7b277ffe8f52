// A thread for work on files that nobody waits for, kept away from the core and from the log's syncs.
//
// Thread: post() and stop() from the core thread; tasks run on the thread's own, in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace wk::node {

class BackgroundThread {
 public:
  /// \param name  as the system shows it, at most 15 characters
  explicit BackgroundThread(const char* name);
  /// stop().
  ~BackgroundThread();
  BackgroundThread(const BackgroundThread&) = delete;
  BackgroundThread& operator=(const BackgroundThread&) = delete;

  void post(std::function<void()> task);
  /// Runs what is queued no more, waits for the task under way, and ends the thread.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace wk::node
