#include "server/node/background_thread.h"

#include <gtest/gtest.h>

#include <future>
#include <stdexcept>

namespace wk::node {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{20};

TEST(BackgroundThread, ATaskThatThrowsCostsNothingElse) {
  BackgroundThread thread("wk-test");
  std::promise<void> done;
  thread.post([] { throw std::runtime_error("no memory"); });
  thread.post([&] { done.set_value(); });
  EXPECT_EQ(done.get_future().wait_for(kPatience), std::future_status::ready);
  thread.stop();
}

TEST(BackgroundThread, StopGivesATaskUpAtTheDeadlineAndWaitsForItLater) {
  BackgroundThread thread("wk-test");
  std::promise<void> begun, go_on;
  bool ended = false, next = false;
  thread.post([&] {
    begun.set_value();
    go_on.get_future().wait();
    ended = true;
  });
  thread.post([&] { next = true; });
  begun.get_future().wait();
  EXPECT_FALSE(thread.stop_until(Clock::now()));
  go_on.set_value();
  EXPECT_TRUE(thread.stop_until(Clock::now() + kPatience));
  EXPECT_TRUE(ended);
  EXPECT_FALSE(next) << "what was queued ran all the same";
  EXPECT_TRUE(thread.stop_until(Clock::now())) << "it has ended";
}

TEST(Caught, IsTheResultOrWhatWasThrown) {
  EXPECT_EQ(*caught([]() -> Result<int> { return 3; }), 3);
  EXPECT_EQ(caught([]() -> Result<int> {
              return Error{Errc::kNotFound, "not there"};
            })
                .error()
                .code,
            Errc::kNotFound);
  const auto thrown = caught([]() -> Result<int> { throw std::runtime_error("no memory"); });
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().message, "no memory");
}

}  // namespace
}  // namespace wk::node
