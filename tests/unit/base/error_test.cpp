#include "base/error.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <utility>

#include "base/log.h"

namespace wk {
namespace {

// The names are label values: a change breaks every alert that selects by them.
TEST(ErrcName, IsStableAndUnique) {
  static constexpr std::array<std::pair<Errc, const char*>, 14> kNames{{
      {Errc::kInvalidInput, "invalid_input"},
      {Errc::kTooLarge, "too_large"},
      {Errc::kTruncated, "truncated"},
      {Errc::kUnresolved, "unresolved"},
      {Errc::kRefused, "refused"},
      {Errc::kUnreachable, "unreachable"},
      {Errc::kTimedOut, "timed_out"},
      {Errc::kClosed, "closed"},
      {Errc::kTls, "tls_failure"},
      {Errc::kIo, "io"},
      {Errc::kNotFound, "not_found"},
      {Errc::kNotAllowed, "not_allowed"},
      {Errc::kNoSpace, "no_space"},
      {Errc::kCancelled, "cancelled"},
  }};
  std::set<std::string> seen;
  for (const auto& [code, expected] : kNames) {
    EXPECT_STREQ(name(code), expected);
    seen.insert(name(code));
  }
  EXPECT_EQ(seen.size(), kNames.size());
}

TEST(Result, CarriesAValueOrAnError) {
  const Result<int> good = 3;
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(*good, 3);
  const Result<int> bad = Error{Errc::kRefused, "zk1:2181 refuses"};
  ASSERT_TRUE(bad.has_error());
  EXPECT_EQ(bad.error().code, Errc::kRefused);
  EXPECT_EQ(bad.error().message, "zk1:2181 refuses");
}

TEST(ResultDeathTest, ValueOfAnErrorAbortsWithItsMessage) {
  EXPECT_DEATH(
      {
        if (start_logging("info", LogFormat::kText).has_error()) return;
        const Result<int> bad(Error({Errc::kRefused, "zk1:2181 refuses"}));
        (void)bad.value();
      },
      "invariant broken at .*Result::value\\(\\) of an error \\(zk1:2181 refuses\\)");
}

}  // namespace
}  // namespace wk
