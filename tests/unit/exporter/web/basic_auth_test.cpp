#include "exporter/web/basic_auth.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "exporter/web/web_config.h"
#include "tests/unit/exporter/web/test_files.h"

namespace wk::exporter {
namespace {

using Verdict = BasicAuth::Verdict;

TEST(BasicAuth, ParsesOnlyWellFormedHeaders) {
  const auto credentials = parse_basic_authorization("bAsIc YTpiOmM=");  // a:b:c
  ASSERT_TRUE(credentials.has_value());
  EXPECT_EQ(credentials->user, "a");
  EXPECT_EQ(credentials->password, "b:c");
  EXPECT_EQ(parse_basic_authorization("Basic Og==")->user, "");
  for (const char* header : {"", "Basic", "Basic ", "Bearer YTpi", "Basic YTp", "Basic YT=i",
                             "Basic ====", "Basic YWI=", "Basic YTpi\n", "Basic YTo=YTo="}) {
    EXPECT_FALSE(parse_basic_authorization(header).has_value()) << header;
  }
  EXPECT_FALSE(parse_basic_authorization("Basic YTpiAGM=").has_value()) << "NUL in the password";
  EXPECT_FALSE(parse_basic_authorization("Basic " + std::string(BasicAuth::kCredentialsBytesMax + 4, 'A'))
                   .has_value());
}

TEST(BasicAuth, AllowsTheRightPasswordOnly) {
  BasicAuth auth;
  const BasicAuth::Users users = {{"ann", bcrypt("secret")}};
  EXPECT_EQ(auth.check(users, "Basic YW5uOnNlY3JldA=="), Verdict::kAllowed);  // ann:secret
  EXPECT_EQ(auth.check(users, "Basic YW5uOnNlY3JldA=="), Verdict::kAllowed);  // remembered
  EXPECT_EQ(auth.check(users, "Basic YW5uOnNlY3JldHM="), Verdict::kDenied);   // ann:secrets
  EXPECT_EQ(auth.check(users, "Basic Ym9iOnNlY3JldA=="), Verdict::kDenied);   // bob:secret
  EXPECT_EQ(auth.check(users, ""), Verdict::kDenied);
}

TEST(BasicAuth, ForgetsAPasswordWhenItsHashChanges) {
  BasicAuth auth;
  EXPECT_EQ(auth.check({{"ann", bcrypt("secret")}}, "Basic YW5uOnNlY3JldA=="), Verdict::kAllowed);
  EXPECT_EQ(auth.check({{"ann", bcrypt("other")}}, "Basic YW5uOnNlY3JldA=="), Verdict::kDenied);
}

TEST(BasicAuth, AcceptsTheThreeSpellingsOfBcrypt) {
  std::string hash = bcrypt("secret");
  for (const char letter : {'a', 'b', 'y'}) {
    hash[2] = letter;
    BasicAuth auth;
    EXPECT_EQ(bcrypt_cost(hash), 4) << letter;
    EXPECT_EQ(auth.check({{"ann", hash}}, "Basic YW5uOnNlY3JldA=="), Verdict::kAllowed) << letter;
  }
}

TEST(BasicAuth, AFloodIsTurnedAwayWhileOneIsEvaluated) {
  constexpr std::size_t kClients = 10;
  constexpr std::size_t kServed = BasicAuth::kEvaluationsMax + BasicAuth::kWaitingMax;
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::atomic<std::size_t> evaluated{0};
  BasicAuth auth([&](const std::string&, const std::string&) {
    ++evaluated;
    released.wait();
    return false;
  });
  const BasicAuth::Users users = {{"ann", bcrypt("secret")}};
  std::latch turned_away(kClients - kServed);
  std::atomic<std::size_t> busy{0};
  std::atomic<std::size_t> denied{0};
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      if (auth.check(users, "Basic YW5uOnNlY3JldHM=") == Verdict::kBusy) {
        ++busy;
        turned_away.count_down();
      } else {
        ++denied;
      }
    });
  }
  turned_away.wait();
  EXPECT_EQ(evaluated, BasicAuth::kEvaluationsMax);
  release.set_value();
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(busy, kClients - kServed);
  EXPECT_EQ(denied, kServed);
  EXPECT_EQ(evaluated, kServed);
}

TEST(BasicAuth, RemembersRightPasswordsOnlyAndForgetsTheOldest) {
  std::size_t evaluated = 0;
  BasicAuth auth([&](const std::string& password, const std::string&) {
    ++evaluated;
    return password == "secret";
  });
  const BasicAuth::Users users = {{"ann", bcrypt("secret")}};
  const auto check = [&](const BasicAuth::Users& known) {
    return auth.check(known, "Basic YW5uOnNlY3JldA==");
  };
  EXPECT_EQ(check(users), Verdict::kAllowed);
  EXPECT_EQ(check(users), Verdict::kAllowed);
  EXPECT_EQ(evaluated, 1U);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(auth.check(users, "Basic YW5uOnNlY3JldHM="), Verdict::kDenied);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(check({{"bob", users.at("ann")}}), Verdict::kDenied);
  EXPECT_EQ(evaluated, 5U);
  // Each other hash makes another remembered password.
  for (std::size_t i = 0; i < BasicAuth::kRememberedMax; ++i) {
    EXPECT_EQ(check({{"ann", std::string("hash ") + std::to_string(i)}}), Verdict::kAllowed);
  }
  EXPECT_EQ(check(users), Verdict::kAllowed);
  EXPECT_EQ(evaluated, 6U + BasicAuth::kRememberedMax);
}

TEST(BasicAuth, CostOfWhatIsNotBcrypt) {
  const std::string hash = bcrypt("secret");
  EXPECT_FALSE(bcrypt_cost("").has_value());
  EXPECT_FALSE(bcrypt_cost("$6$abc$def").has_value());
  EXPECT_FALSE(bcrypt_cost(hash.substr(1)).has_value());
  EXPECT_FALSE(bcrypt_cost(hash + "x").has_value());
  EXPECT_FALSE(bcrypt_cost("$2x" + hash.substr(3)).has_value());
  EXPECT_FALSE(bcrypt_cost("$2b$99" + hash.substr(6)).has_value());
  EXPECT_FALSE(bcrypt_cost(hash.substr(0, 59) + "!").has_value());
}

}  // namespace
}  // namespace wk::exporter
