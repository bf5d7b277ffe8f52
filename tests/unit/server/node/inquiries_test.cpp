#include "server/node/inquiries.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace wk::node {
namespace {

TEST(Inquiries, TheAnswerIsWhatTheQuestionFoundOnTheOtherThread) {
  const Inquiries inquiries([](std::function<void()> task) { std::thread(std::move(task)).detach(); });
  const auto asker = std::this_thread::get_id();
  const auto answered = inquiries.ask([] { return std::this_thread::get_id(); });
  ASSERT_TRUE(answered);
  EXPECT_NE(*answered, asker);
}

TEST(Inquiries, ACoreThatHangsIsToldAndWhatWaitsForItIsBounded) {
  std::mutex mutex;
  std::deque<std::function<void()>> waiting;  // guarded by mutex
  const Inquiries inquiries([&](std::function<void()> task) {
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(task));
  });
  std::atomic<int> ran{0}, refused{0}, timed_out{0};
  const auto begun = std::chrono::steady_clock::now();
  std::vector<std::thread> askers;
  for (std::size_t i = 0; i < Inquiries::kUnansweredMax + 3; ++i)
    askers.emplace_back([&] {
      const auto answer = inquiries.ask([&ran] { return ++ran; });
      ++(answer.error().code == Errc::kTooLarge ? refused : timed_out);
    });
  for (std::thread& one : askers) one.join();
  EXPECT_GE(std::chrono::steady_clock::now() - begun, Inquiries::kPatience);
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(timed_out, static_cast<int>(Inquiries::kUnansweredMax));

  // The core wakes up: nobody waits any more, and there is room again.
  ASSERT_EQ(waiting.size(), Inquiries::kUnansweredMax);
  for (auto& task : waiting) task();
  EXPECT_EQ(ran, 0);
  waiting.clear();
  EXPECT_EQ(inquiries.ask([&ran] { return ++ran; }).error().message,
            "the core thread has not answered for 1000 ms: it is busy, stopping or hangs; /livez tells since "
            "when it has been silent");
}

}  // namespace
}  // namespace wk::node
