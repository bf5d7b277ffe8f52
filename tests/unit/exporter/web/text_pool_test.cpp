#include "exporter/web/text_pool.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace wk::exporter {
namespace {

TextBuffer text_of(TextPool& pool, std::size_t bytes) {
  TextBuffer text = pool.borrow();
  text.append(std::string(bytes, 'x'));
  return text;
}

TEST(TextBuffer, KeepsWhatWasWrittenThroughGrowthAndMove) {
  TextBuffer text;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string piece = std::to_string(i);
    text.append(piece);
    text.append(' ');
    expected += piece + ' ';
  }
  EXPECT_EQ(text.view(), expected);
  TextBuffer moved = std::move(text);
  EXPECT_EQ(moved.view(), expected);
  EXPECT_EQ(text.view(), "");
  EXPECT_EQ(text.capacity(), 0U);
  moved.truncate(3);
  EXPECT_EQ(moved.view(), "0 1");
  moved.truncate(9);
  EXPECT_EQ(moved.view(), "0 1");
}

TEST(TextBuffer, RoomCountsOnceItIsCommitted) {
  TextBuffer text;
  char* const at = text.room(4);
  at[0] = 'a';
  at[1] = 'b';
  EXPECT_EQ(text.size(), 0U);
  text.commit(at + 2);
  EXPECT_EQ(text.view(), "ab");
}

TEST(TextPool, LendsTheMemoryOfTheLastTextAgain) {
  const auto pool = std::make_shared<TextPool>();
  {
    const auto shared = pool->share(text_of(*pool, 100'000));
    EXPECT_EQ(shared->size(), 100'000U);
    EXPECT_EQ(pool->kept_bytes(), 0U);
  }
  EXPECT_GE(pool->kept_bytes(), 100'000U);
  const TextBuffer again = text_of(*pool, 10);
  EXPECT_EQ(again.view(), "xxxxxxxxxx");
  EXPECT_GE(again.capacity(), 100'000U);
  EXPECT_EQ(pool->kept_bytes(), 0U);
}

TEST(TextPool, MemoryComesBackAfterTheLastReader) {
  const auto pool = std::make_shared<TextPool>();
  auto first = pool->share(text_of(*pool, 50'000));
  auto second = first;
  first.reset();
  EXPECT_EQ(pool->kept_bytes(), 0U);
  EXPECT_EQ(second->size(), 50'000U);
  second.reset();
  EXPECT_GE(pool->kept_bytes(), 50'000U);
}

TEST(TextPool, KeepsOneTextAndNoneThatIsTooLarge) {
  const auto pool = std::make_shared<TextPool>();
  pool->share(text_of(*pool, TextPool::kKeptBytes + 1)).reset();
  EXPECT_EQ(pool->kept_bytes(), 0U);
  // The next one has room for as much from the beginning.
  EXPECT_GT(pool->borrow().capacity(), TextPool::kKeptBytes);
  auto small = pool->share(text_of(*pool, 1000));
  small.reset();
  EXPECT_EQ(pool->kept_bytes(), 0U) << "it was lent with room for the large one";
  auto one = pool->share(text_of(*pool, 1000));
  auto other = pool->share(text_of(*pool, 200'000));
  one.reset();
  other.reset();
  EXPECT_GE(pool->kept_bytes(), 200'000U);
  EXPECT_LE(pool->kept_bytes(), 400'000U);
}

TEST(TextPool, TextsOutliveThePool) {
  auto pool = std::make_shared<TextPool>();
  const auto shared = pool->share(text_of(*pool, 10));
  pool.reset();
  EXPECT_EQ(shared->view(), "xxxxxxxxxx");
}

}  // namespace
}  // namespace wk::exporter
