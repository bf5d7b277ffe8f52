#include "exporter/app/publication.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/unit/exporter/app/sample_snapshot.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

/// So long that a test which waits for it would be noticed.
constexpr std::chrono::hours kForEver{24};

std::shared_ptr<const Snapshot> numbered(std::uint64_t sequence) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->sequence = sequence;
  return snapshot;
}

TEST(Publication, TheNewestIsCurrent) {
  Publication publication;
  EXPECT_EQ(publication.current(), nullptr);
  publication.publish(numbered(1));
  publication.publish(numbered(2));
  EXPECT_EQ(publication.current()->sequence, 2u);
}

TEST(Publication, WhatIsNewerAlreadyIsNotWaitedFor) {
  Publication publication;
  publication.publish(numbered(5));
  publication.wait_for_newer(4, false, kForEver);
  EXPECT_EQ(publication.current()->sequence, 5u);
}

TEST(Publication, PatienceEnds) {
  Publication publication;
  publication.publish(numbered(5));
  publication.wait_for_newer(5, false, 0ms);
  EXPECT_EQ(publication.current()->sequence, 5u);
}

TEST(Publication, PublishingWakesAllWhoWait) {
  Publication publication;
  const std::atomic<bool> never{false};
  const auto wait = [&] {
    publication.wait_for_newer(0, never, kForEver);
    return publication.current()->sequence;
  };
  auto first = std::async(std::launch::async, wait);
  auto second = std::async(std::launch::async, wait);
  publication.publish(numbered(7));
  EXPECT_EQ(first.get(), 7u);
  EXPECT_EQ(second.get(), 7u);
}

TEST(Publication, WhoGivesUpIsWoken) {
  Publication publication;
  publication.publish(numbered(1));
  std::atomic<bool> given_up{false};
  auto waiting = std::async(std::launch::async, [&] { publication.wait_for_newer(1, given_up, kForEver); });
  given_up = true;
  publication.wake();
  waiting.get();
  EXPECT_EQ(publication.current()->sequence, 1u);
}

TEST(PublicationDeathTest, NothingOldIsPublished) {
  Publication publication;
  publication.publish(numbered(2));
  EXPECT_DEATH(publication.publish(numbered(2)), "");
}

}  // namespace
}  // namespace wk::exporter
