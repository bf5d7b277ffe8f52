// Questions of other threads to the core, each with a deadline.
//
// The question runs on the core's thread between two wake-ups and copies what it needs; the asker waits for
// it. A core that hangs is thereby told within kPatience, and what waits for it stays bounded.
// Thread: ask() from any thread but the core's.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace wk::node {

class Inquiries {
 public:
  /// How long an asker waits.
  static constexpr std::chrono::milliseconds kPatience{1000};
  /// Questions that the core has not looked at yet, those included whose asker has given up.
  static constexpr std::size_t kUnansweredMax = 16;

  /// \param post  has a task run on the core's thread; safe from any thread
  explicit Inquiries(std::function<void(std::function<void()>)> post) : post_(std::move(post)) {}

  /// What `question` returned on the core's thread. It must not throw, and what it refers to must outlive the
  /// core: it may still run when its asker has given up. \return  Errc::kTimedOut after kPatience,
  /// Errc::kTooLarge when kUnansweredMax wait already
  template <typename Question>
  Result<std::invoke_result_t<Question>> ask(Question question) const {
    struct Pending {
      std::promise<std::invoke_result_t<Question>> answer;
      std::atomic<bool> given_up{false};
    };
    if (unanswered_->fetch_add(1) >= kUnansweredMax) {
      --*unanswered_;
      return too_many();
    }
    const auto pending = std::make_shared<Pending>();
    auto answer = pending->answer.get_future();
    post_([pending, question = std::move(question), unanswered = unanswered_] {
      --*unanswered;
      if (!pending->given_up) pending->answer.set_value(question());
    });
    if (answer.wait_for(kPatience) != std::future_status::ready) {
      pending->given_up = true;
      return timed_out();
    }
    return answer.get();
  }

 private:
  static Error too_many();
  static Error timed_out();

  std::function<void(std::function<void()>)> post_;
  std::shared_ptr<std::atomic<std::size_t>> unanswered_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace wk::node
