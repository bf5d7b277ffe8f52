#include "client/callback_queue.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace wk::client {

void CallbackQueue::add(std::function<void()> callback) {
  if (closed_) return;
  callbacks_.push_back(std::move(callback));
  if (!std::exchange(posted_, true)) post();
}

void CallbackQueue::close() {
  closed_ = true;
  callbacks_.clear();
}

void CallbackQueue::post() {
  boost::asio::post(io_, [self = shared_from_this()] { self->run(); });
}

void CallbackQueue::run() {
  for (std::size_t left = callbacks_.size(); left > 0 && !callbacks_.empty(); --left) {
    const auto callback = std::move(callbacks_.front());
    callbacks_.pop_front();
    callback();
  }
  posted_ = !callbacks_.empty();
  if (posted_) post();
}

}  // namespace wk::client
