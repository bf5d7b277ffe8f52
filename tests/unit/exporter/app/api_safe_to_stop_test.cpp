#include "exporter/app/api_safe_to_stop.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/exporter/app/sample_snapshot.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

Response ask(const Query& query, const Snapshot& snapshot) {
  return safe_to_stop(query, snapshot, 1s, sample::now());
}

TEST(ApiSafeToStop, SafeIs200) {
  const Response response = ask({{"member", "zk1:2181"}}, sample::snapshot({sample::healthy_ensemble("a")}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body_text(),
            "{\n \"member\": \"zk1:2181\",\n \"ensemble\": \"a\",\n \"safe\": true,\n \"reason\": \"2 of 3 "
            "voters stay in "
            "sync; 2 are needed\"\n}\n");
}

TEST(ApiSafeToStop, UnsafeIs409WithTheReason) {
  const Response response = ask({{"member", "zk1"}}, sample::snapshot({sample::dead_ensemble("a")}));
  EXPECT_EQ(response.status, 409);
  EXPECT_NE(response.body_text().find("\"safe\": false,\n \"reason\": \"no quorum\""), std::string::npos);
}

TEST(ApiSafeToStop, NothingKnownIsUnsafe) {
  const Response response = ask({{"member", "zk1"}}, sample::snapshot({sample::unknown_ensemble("a")}));
  EXPECT_EQ(response.status, 409);
  EXPECT_NE(response.body_text().find("nothing is known about this member yet"), std::string::npos);
}

TEST(ApiSafeToStop, AStaleSnapshotIsUnsafeWhateverItSays) {
  const Snapshot snapshot = sample::snapshot({sample::healthy_ensemble("a")});
  const Response response = safe_to_stop({{"member", "zk1"}}, snapshot, 1s, snapshot.taken + 12s);
  EXPECT_EQ(response.status, 409);
  EXPECT_NE(response.body_text().find("12.0 s old"), std::string::npos);
}

TEST(ApiSafeToStop, MistakesOfTheCaller) {
  const Snapshot two = sample::snapshot({sample::healthy_ensemble("a"), sample::healthy_ensemble("b")});
  EXPECT_EQ(ask({}, two).status, 400);
  EXPECT_EQ(ask({{"member", ""}}, two).status, 400);
  EXPECT_EQ(ask({{"member", "zk1"}, {"member", "zk2"}}, two).status, 400);
  EXPECT_EQ(ask({{"member", "zk1"}}, two).status, 400);
  EXPECT_EQ(ask({{"member", "zk1"}, {"ensemble", "b"}}, two).status, 200);
  EXPECT_EQ(ask({{"member", "3"}, {"ensemble", "b"}}, two).status, 200);
  EXPECT_EQ(ask({{"member", "zk9"}}, two).status, 404);
  EXPECT_EQ(ask({{"member", "zk1"}, {"ensemble", "c"}}, two).status, 404);
  EXPECT_EQ(ask({{"member", "zk9\xff"}}, two).status, 404);
}

}  // namespace
}  // namespace wk::exporter
