#include "server/node/background_thread.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace wk::node {

BackgroundThread::BackgroundThread(const char* name) : name_(name), thread_([this] { run(); }) {
  ::pthread_setname_np(thread_.native_handle(), name);
}

BackgroundThread::~BackgroundThread() { stop(); }

void BackgroundThread::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void BackgroundThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool BackgroundThread::stop_until(Time deadline) {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
    if (!over_.wait_until(lock, deadline, [this] { return ended_; })) return false;
  }
  stop();
  return true;
}

void BackgroundThread::run() {
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) break;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    try {
      task();
    } catch (const std::exception& error) {
      spdlog::error("{}: a task was given up: {}", name_, error.what());
    }
  }
  const std::lock_guard lock(mutex_);
  ended_ = true;
  over_.notify_all();
}

}  // namespace wk::node
