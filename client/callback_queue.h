// The callbacks that a session owes its user, in order, never made from inside a call of the user.
//
// Every callback waits here and runs from a handler of its own, so whoever adds one may assume that nobody
// re-enters it. Callbacks that callbacks add wait for the next round, so that sockets and timers get their
// turn. Thread: the io_context's one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <memory>

namespace wk::client {

class CallbackQueue : public std::enable_shared_from_this<CallbackQueue> {
 public:
  /// \param io  must outlive the queue; the queue lives in a std::shared_ptr
  explicit CallbackQueue(boost::asio::io_context& io) : io_(io) {}

  /// Runs `callback` soon; drops it when the queue is closed.
  void add(std::function<void()> callback);

  /// Drops everything, now and later. A callback that is running may call this.
  void close();
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  void post();
  void run();

  boost::asio::io_context& io_;
  std::deque<std::function<void()>> callbacks_;
  bool posted_ = false;
  bool closed_ = false;
};

}  // namespace wk::client
