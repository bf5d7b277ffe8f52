// The core of a node as those see it who post to it from other threads: what was posted runs when the test
// says so.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace wk::node {

class PostedCore {
 public:
  std::function<void(std::function<void()>)> poster() {
    return [this](std::function<void()> task) {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      posted_.notify_all();
    };
  }
  /// Runs the next task on the test's thread; it has to come.
  void run_one() {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      ASSERT_TRUE(posted_.wait_for(lock, std::chrono::seconds(20), [this] { return !tasks_.empty(); }))
          << "nothing was posted";
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
  [[nodiscard]] bool idle() {
    const std::lock_guard lock(mutex_);
    return tasks_.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> tasks_;
};

}  // namespace wk::node
