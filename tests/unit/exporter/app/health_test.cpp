#include "exporter/app/health.h"

#include <gtest/gtest.h>

#include "tests/unit/exporter/app/sample_snapshot.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

TEST(Health, LiveWhileSnapshotsKeepComing) {
  const Snapshot snapshot = sample::snapshot({sample::dead_ensemble("a")});
  const Response response = livez(snapshot, 1s, sample::now());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body_text(), "ok\n");
  EXPECT_EQ(livez(snapshot, 1s, snapshot.taken + 11s).status, 200);
}

TEST(Health, NotLiveWhenTheWatcherHangs) {
  const Snapshot snapshot = sample::snapshot({sample::healthy_ensemble("a")});
  const Response response = livez(snapshot, 1s, snapshot.taken + 11'500ms);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body_text(),
            "the newest snapshot is 11.5 s old: the exporter's watcher hangs; restart the exporter\n");
  EXPECT_EQ(livez(snapshot, 60s, snapshot.taken + 11'500ms).status, 200);
}

TEST(Health, ReadyWhenEveryMemberWasVisited) {
  Snapshot snapshot = sample::snapshot({sample::healthy_ensemble("a")});
  EXPECT_EQ(readyz(snapshot, 1s, sample::now(), false).body_text(), "ready\n");
  EXPECT_EQ(
      readyz(snapshot, 1s, sample::now(), true).body_text(),
      "zk1:2181 of ensemble a has been visited 7 times\nzk2:2181 of ensemble a has been visited 7 times\n"
      "zk3:2181 of ensemble a has been visited 7 times\nready\n");
  snapshot.ensembles[0].members[1].polls = 0;
  const Response response = readyz(snapshot, 1s, sample::now(), false);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body_text(), "zk2:2181 of ensemble a has not been visited yet\nnot ready\n");
}

TEST(Health, AnOutageOfMembersLeavesTheExporterReady) {
  EXPECT_EQ(readyz(sample::snapshot({sample::dead_ensemble("a")}), 1s, sample::now(), false).status, 200);
}

TEST(Health, NotReadyWhenTheWatcherHangs) {
  const Snapshot snapshot = sample::snapshot({sample::healthy_ensemble("a")});
  EXPECT_EQ(readyz(snapshot, 1s, snapshot.taken + 30s, false).status, 503);
}

}  // namespace
}  // namespace wk::exporter
