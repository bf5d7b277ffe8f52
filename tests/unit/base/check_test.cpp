#include "base/check.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "base/log.h"

namespace wk {
namespace {

TEST(Check, HoldingConditionDoesNotEvaluateTheDetail) {
  int evaluated = 0;
  const auto detail = [&evaluated] {
    ++evaluated;
    return std::string("detail");
  };
  WK_CHECK(evaluated == 0, detail());
  EXPECT_EQ(evaluated, 0);
}

TEST(CheckDeathTest, BrokenConditionLogsExpressionPlaceAndDetailThenAborts) {
  EXPECT_EXIT(
      {
        if (start_logging("critical", LogFormat::kText).has_error()) return;
        const int members = 3;
        WK_CHECK(members < 3, "index " + std::to_string(members));
      },
      testing::KilledBySignal(SIGABRT),
      "critical +invariant broken at .*check_test\\.cpp:[0-9]+: members < 3 \\(index 3\\)");
}

TEST(CheckDeathTest, PlaceIsTheOneThatIsHandedOver) {
  EXPECT_EXIT(
      {
        if (start_logging("error", LogFormat::kText).has_error()) return;
        check_failed("left == right", "view/history.cpp", 41, "7 against 8");
      },
      testing::KilledBySignal(SIGABRT),
      "invariant broken at view/history\\.cpp:41: left == right \\(7 against 8\\)");
}

}  // namespace
}  // namespace wk
