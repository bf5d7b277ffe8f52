#include "exporter/view/freshness.h"

#include <gtest/gtest.h>

#include "tests/unit/exporter/view/view_parts.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

void configure(MemberView& member, std::vector<std::pair<std::string, std::string>> entries) {
  learn(member, [&](MemberFacts& facts) {
    change(facts.configuration.value,
           [&](ConfigurationAnswer& answer) { answer.entries = std::move(entries); });
  });
}

TEST(Freshness, IsThreeIntervalsAndTheTimeoutOfThatMember) {
  EnsembleSpec spec = EnsembleStory::spec(2, CanaryMode::kOff);
  spec.members[0].timeout = 1000ms;
  spec.members[1].timeout = 250ms;
  EXPECT_EQ(freshness(spec, 0), 4000ms);
  EXPECT_EQ(freshness(spec, 1), 3250ms);
  EXPECT_EQ(detail_freshness(spec, 0), 34'000ms);
  EXPECT_EQ(detail_freshness(spec, 1), 33'250ms);
}

TEST(FailureDetection, IsTwiceSyncLimitTimesTickUnlessThatIsImplausible) {
  struct Row {
    std::string sync_limit, tick;
    std::chrono::milliseconds expected;
  };
  const std::string huge = "9223372036854775807";
  for (const Row& row : std::vector<Row>{{"5", "3000", 30s},
                                         {"1", "1", 2ms},
                                         {"1", "3599999", 7'199'998ms},
                                         {"1", "3600000", 20s},
                                         {"3599999", "1", 7'199'998ms},
                                         {"3600000", "1", 20s},
                                         {"-5", "-3000", 20s},
                                         {"-5", "3000", 20s},
                                         {"-5", "-1000000", 20s},
                                         {"-1", "-9223372036854775808", 20s},
                                         {"5", "-3000", 20s},
                                         {"0", "3000", 20s},
                                         {"5", "0", 20s},
                                         {huge, huge, 20s},
                                         {"2", huge, 20s},
                                         {huge, "2", 20s},
                                         {huge + "0", "2000", 20s},
                                         {"five", "3000", 20s}}) {
    EnsembleView view = ensemble_of(1);
    configure(view.members[0], {{"syncLimit", row.sync_limit}, {"tickTime", row.tick}});
    EXPECT_EQ(failure_detection(view), row.expected) << row.sync_limit << " x " << row.tick;
  }
}

TEST(FailureDetection, IsTheLongestThatAMemberTells) {
  EnsembleView view = ensemble_of(4);
  EXPECT_EQ(failure_detection(view), 20s);
  configure(view.members[0], {{"tickTime", "60000"}});
  EXPECT_EQ(failure_detection(view), 20s);
  configure(view.members[1], {{"syncLimit", "2"}, {"tickTime", "2000"}});
  EXPECT_EQ(failure_detection(view), 8s);
  configure(view.members[2], {{"syncLimit", "10"}, {"tickTime", "2000"}});
  EXPECT_EQ(failure_detection(view), 40s);
  configure(view.members[3], {{"syncLimit", "99999999"}, {"tickTime", "2000"}});
  EXPECT_EQ(failure_detection(view), 40s);
}

}  // namespace
}  // namespace wk::exporter
