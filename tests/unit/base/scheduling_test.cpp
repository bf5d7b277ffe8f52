#include "base/scheduling.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <thread>
#include <utility>

namespace wk {
namespace {

/// What sched_getattr(2) tells of this thread.
struct Attributes {
  std::uint32_t size = 0;
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

Attributes attributes_of_this_thread() {
  Attributes attributes;
  EXPECT_EQ(::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0), 0);
  return attributes;
}

bool knows_turns() {
  utsname system{};
  int major = 0, minor = 0;
  EXPECT_EQ(::uname(&system), 0);
  EXPECT_EQ(std::sscanf(system.release, "%d.%d", &major, &minor), 2);
  return std::pair(major, minor) >= std::pair(6, 12);
}

TEST(Scheduling, OnlyTheTurnsOfThisThreadBecomeShort) {
  bool agreed = false;
  std::thread([&] { agreed = ask_for_short_turns(); }).join();
  if (!agreed) GTEST_SKIP() << "sched_setattr is forbidden here";
  const Attributes before = attributes_of_this_thread();
  Attributes after;
  std::thread([&] {
    ask_for_short_turns();
    after = attributes_of_this_thread();
  }).join();
  EXPECT_EQ(after.policy, before.policy);
  EXPECT_EQ(after.nice, before.nice);
  if (knows_turns()) {
    EXPECT_EQ(after.runtime_ns, 100'000U);
  }
  EXPECT_EQ(attributes_of_this_thread().runtime_ns, before.runtime_ns);
}

}  // namespace
}  // namespace wk
