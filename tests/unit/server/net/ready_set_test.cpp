#include "server/net/ready_set.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace wk::net {
namespace {

struct Pair {
  Pair() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    ours = Descriptor(ends[0]);
    theirs = Descriptor(ends[1]);
  }
  void write_theirs() const { EXPECT_EQ(::write(theirs.get(), "x", 1), 1); }
  void read_ours() const {
    char c = 0;
    EXPECT_EQ(::read(ours.get(), &c, 1), 1);
  }
  Descriptor ours;
  Descriptor theirs;
};

class Recorder : public Ready {
 public:
  void on_ready(Readiness readiness) override {
    calls.push_back(readiness);
    if (then) then();
  }
  std::vector<Readiness> calls;
  std::function<void()> then;
};

TEST(ReadySet, NobodyIsCalledWhenNothingIsReady) {
  ReadySet set;
  const Pair pair;
  Recorder owner;
  ASSERT_TRUE(set.add(pair.ours.get(), {}, owner));
  EXPECT_EQ(set.poll(), 0U);
  EXPECT_TRUE(owner.calls.empty());
}

TEST(ReadySet, ReadableIsToldUntilItWasRead) {
  ReadySet set;
  const Pair pair;
  Recorder owner;
  ASSERT_TRUE(set.add(pair.ours.get(), {}, owner));
  pair.write_theirs();
  EXPECT_EQ(set.poll(), 1U);
  EXPECT_EQ(set.poll(), 1U);
  ASSERT_EQ(owner.calls.size(), 2U);
  EXPECT_TRUE(owner.calls[1].readable);
  EXPECT_FALSE(owner.calls[1].writable);
  EXPECT_FALSE(owner.calls[1].broken);
  pair.read_ours();
  EXPECT_EQ(set.poll(), 0U);
}

TEST(ReadySet, InterestDecidesWhatIsTold) {
  ReadySet set;
  const Pair pair;
  Recorder owner;
  ASSERT_TRUE(set.add(pair.ours.get(), {.read = false, .write = false}, owner));
  pair.write_theirs();
  EXPECT_EQ(set.poll(), 0U);
  set.change(pair.ours.get(), {.read = false, .write = true}, owner);
  EXPECT_EQ(set.poll(), 1U);
  EXPECT_TRUE(owner.calls.back().writable);
  EXPECT_FALSE(owner.calls.back().readable);
  set.change(pair.ours.get(), {.read = true, .write = true}, owner);
  EXPECT_EQ(set.poll(), 1U);
  EXPECT_TRUE(owner.calls.back().writable);
  EXPECT_TRUE(owner.calls.back().readable);
}

TEST(ReadySet, EndOfThePeerIsToldWhateverTheInterest) {
  ReadySet set;
  Pair pair;
  Recorder owner;
  ASSERT_TRUE(set.add(pair.ours.get(), {.read = false, .write = false}, owner));
  pair.theirs.reset();
  EXPECT_EQ(set.poll(), 1U);
  EXPECT_TRUE(owner.calls.back().broken);
}

TEST(ReadySet, RemovedOwnersAreNotCalledEvenInThePollUnderWay) {
  ReadySet set;
  const Pair a, b;
  Recorder first, second;
  ASSERT_TRUE(set.add(a.ours.get(), {}, first));
  ASSERT_TRUE(set.add(b.ours.get(), {}, second));
  // Whoever is called first removes the other.
  first.then = [&] { set.remove(b.ours.get(), second); };
  second.then = [&] { set.remove(a.ours.get(), first); };
  a.write_theirs();
  b.write_theirs();
  set.poll();
  EXPECT_EQ(first.calls.size() + second.calls.size(), 1U);
}

TEST(ReadySet, AddingTwiceIsAnError) {
  ReadySet set;
  const Pair pair;
  Recorder owner;
  ASSERT_TRUE(set.add(pair.ours.get(), {}, owner));
  const auto again = set.add(pair.ours.get(), {}, owner);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::kIo);
}

TEST(ReadySet, EverybodyGetsATurnWhenMoreAreReadyThanOneBatch) {
  constexpr std::size_t kCount = ReadySet::kBatch + 40;
  ReadySet set;
  const Descriptor event(::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
  std::vector<Descriptor> copies;
  std::vector<std::unique_ptr<Recorder>> owners;
  for (std::size_t i = 0; i < kCount; ++i) {
    copies.emplace_back(::dup(event.get()));
    ASSERT_TRUE(copies.back().valid());
    owners.push_back(std::make_unique<Recorder>());
    ASSERT_TRUE(set.add(copies.back().get(), {}, *owners.back()));
  }
  EXPECT_EQ(set.poll(), ReadySet::kBatch);
  EXPECT_EQ(set.poll(), ReadySet::kBatch);
  for (const auto& owner : owners) EXPECT_GE(owner->calls.size(), 1U);
}

}  // namespace
}  // namespace wk::net
