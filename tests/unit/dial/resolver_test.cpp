#include "dial/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

namespace wk::dial {
namespace {

namespace asio = boost::asio;
using ::testing::HasSubstr;

/// A name service whose answers the test holds back until it opens the gate.
struct NameService {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  std::map<std::string, int> asked;

  Resolver::Lookup lookup(const std::shared_ptr<NameService>& self, const std::string& hangs) {
    return [self, hangs](const std::string& host) -> Result<Resolver::Addresses> {
      std::unique_lock lock(self->mutex);
      ++self->asked[host];
      self->changed.notify_all();
      if (host.starts_with(hangs)) self->changed.wait(lock, [&] { return self->open; });
      return Resolver::Addresses{asio::ip::make_address("192.0.2.1")};
    };
  }
  void release() {
    const std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }
};

class ResolverTest : public ::testing::Test {
 protected:
  ~ResolverTest() override { service->release(); }

  struct Question {
    std::shared_ptr<asio::steady_timer> deadline;
    std::optional<Result<Resolver::Addresses>> answer;
  };

  /// Asks; the answer appears once the context has run. The deadline passes only when a test cancels it.
  std::shared_ptr<Question> ask(const std::string& host) {
    io.restart();
    auto question = std::make_shared<Question>();
    question->deadline = std::make_shared<asio::steady_timer>(io, std::chrono::hours{1});
    asio::co_spawn(
        io,
        [](asio::io_context& context, std::shared_ptr<Question> q,
           std::string name) -> asio::awaitable<void> {
          Result<Resolver::Addresses> answer = co_await Resolver::of(context).resolve(name, q->deadline);
          q->answer = std::move(answer);
        }(io, question, host),
        asio::detached);
    return question;
  }
  void run_until_answered(const Question& question) {
    while (!question.answer && io.run_one() > 0) {
    }
  }

  std::shared_ptr<NameService> service = std::make_shared<NameService>();
  asio::io_context io{1};
};

TEST_F(ResolverTest, NumericAddressesNeedNoThread) {
  Resolver::of(io).set_lookup(service->lookup(service, ""));
  for (const char* text : {"127.0.0.1", "::1", "fe80::1"}) {
    const auto question = ask(text);
    run_until_answered(*question);
    ASSERT_TRUE(question->answer->has_value()) << text;
    EXPECT_EQ(question->answer->value().at(0), asio::ip::make_address(text));
  }
  EXPECT_TRUE(service->asked.empty());
}

TEST_F(ResolverTest, HangingNameDelaysNoOther) {
  Resolver::of(io).set_lookup(service->lookup(service, "hung"));
  const auto hung = ask("hung.example");
  const auto brisk = ask("brisk.example");
  run_until_answered(*brisk);
  EXPECT_FALSE(hung->answer.has_value());
  EXPECT_TRUE(brisk->answer->has_value());
  service->release();
  run_until_answered(*hung);
  EXPECT_TRUE(hung->answer->has_value());
}

TEST_F(ResolverTest, AskerLeavesAtItsDeadline) {
  Resolver::of(io).set_lookup(service->lookup(service, "hung"));
  const auto hung = ask("hung.example");
  while (hung->deadline->cancel() == 0) io.run_one();
  run_until_answered(*hung);
  ASSERT_TRUE(hung->answer->has_error());
  EXPECT_EQ(hung->answer->error().code, Errc::kUnresolved);
  EXPECT_THAT(hung->answer->error().message, HasSubstr("host name hung.example: no answer"));
}

TEST_F(ResolverTest, HungNameIsLookedUpOnceHoweverOftenAsked) {
  Resolver::of(io).set_lookup(service->lookup(service, "hung"));
  std::vector<std::shared_ptr<Question>> questions;
  for (int i = 0; i < 50; ++i) questions.push_back(ask("hung.example"));
  const auto brisk = ask("brisk.example");
  run_until_answered(*brisk);
  service->release();
  for (const auto& question : questions) {
    run_until_answered(*question);
    EXPECT_TRUE(question->answer->has_value());
  }
  EXPECT_EQ(service->asked["hung.example"], 1);
}

TEST_F(ResolverTest, EveryQuestionAsksTheSystemAgain) {
  Resolver::of(io).set_lookup(service->lookup(service, "hung"));
  for (int i = 0; i < 3; ++i) run_until_answered(*ask("brisk.example"));
  EXPECT_EQ(service->asked["brisk.example"], 3);
}

TEST_F(ResolverTest, MoreNamesThanThreadsAreAllAnswered) {
  Resolver::of(io).set_lookup(service->lookup(service, "hung"));
  std::vector<std::shared_ptr<Question>> questions;
  for (int i = 0; i < 100; ++i) questions.push_back(ask("host" + std::to_string(i) + ".example"));
  for (const auto& question : questions) {
    run_until_answered(*question);
    EXPECT_TRUE(question->answer->has_value());
  }
}

TEST_F(ResolverTest, UnknownNameOfTheSystemIsUnresolved) {
  const auto question = ask("no-such-host.invalid");
  run_until_answered(*question);
  ASSERT_TRUE(question->answer->has_error());
  EXPECT_EQ(question->answer->error().code, Errc::kUnresolved);
  EXPECT_THAT(question->answer->error().message, HasSubstr("no-such-host.invalid: "));
}

TEST_F(ResolverTest, LocalhostOfTheSystemResolves) {
  const auto question = ask("localhost");
  run_until_answered(*question);
  ASSERT_TRUE(question->answer->has_value());
  EXPECT_TRUE(question->answer->value().at(0).is_loopback());
}

TEST(Resolver, ContextMayEndWhileALookupHangs) {
  const auto service = std::make_shared<NameService>();
  {
    asio::io_context io{1};
    Resolver::of(io).set_lookup(service->lookup(service, "hung"));
    const auto deadline = std::make_shared<asio::steady_timer>(io, std::chrono::hours{1});
    asio::co_spawn(
        io,
        [](asio::io_context& context, std::shared_ptr<asio::steady_timer> timer) -> asio::awaitable<void> {
          const std::string host = "hung.example";
          co_await Resolver::of(context).resolve(host, timer);
        }(io, deadline),
        asio::detached);
    io.poll();
    std::unique_lock lock(service->mutex);
    service->changed.wait(lock, [&] { return service->asked["hung.example"] == 1; });
  }
  service->release();
  EXPECT_EQ(service->asked["hung.example"], 1);
}

}  // namespace
}  // namespace wk::dial
