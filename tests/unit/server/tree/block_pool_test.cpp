#include "server/tree/block_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

namespace wk::tree {
namespace {

struct Block {
  char* start = nullptr;
  std::size_t bytes = 0;
  char fill = 0;

  [[nodiscard]] bool intact() const {
    return std::all_of(start, start + bytes, [&](char byte) { return byte == fill; });
  }
};

Block make(BlockPool& pool, std::size_t bytes, char fill) {
  Block block{pool.allocate(bytes), bytes, fill};
  std::memset(block.start, fill, bytes);
  return block;
}

TEST(BlockPool, BlocksOfEverySizeDoNotOverlap) {
  BlockPool pool;
  std::vector<Block> blocks;
  for (std::size_t bytes = 1; bytes <= 1'100; ++bytes)
    for (int i = 0; i < 3; ++i) blocks.push_back(make(pool, bytes, static_cast<char>(bytes + 7 * i)));
  for (const Block& block : blocks) ASSERT_TRUE(block.intact()) << block.bytes;
  for (const Block& block : blocks) pool.release(block.start, block.bytes);
}

TEST(BlockPool, RandomTrafficKeepsEveryBlock) {
  std::mt19937 random(1);
  BlockPool pool;
  std::vector<Block> blocks;
  for (int step = 0; step < 200'000; ++step) {
    const bool growing = step / 20'000 % 2 == 0;
    if (blocks.empty() || random() % 10 < (growing ? 7U : 3U)) {
      blocks.push_back(
          make(pool, 1 + random() % (step % 50 == 0 ? 5'000 : 200), static_cast<char>(random())));
    } else {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      ASSERT_TRUE(blocks.back().intact());
      pool.release(blocks.back().start, blocks.back().bytes);
      blocks.pop_back();
    }
  }
  for (const Block& block : blocks) {
    ASSERT_TRUE(block.intact());
    pool.release(block.start, block.bytes);
  }
}

TEST(BlockPool, EmptyPagesServeOtherSizes) {
  BlockPool pool;
  const auto fill_and_empty = [&](std::size_t bytes) {
    std::vector<Block> blocks;
    for (std::size_t total = 0; total < 8'000'000; total += bytes) blocks.push_back(make(pool, bytes, 'x'));
    for (const Block& block : blocks) pool.release(block.start, block.bytes);
  };
  fill_and_empty(100);
  const std::size_t once = pool.allocated_bytes();
  for (const std::size_t bytes : {40U, 200U, 333U, 1'000U, 8U}) fill_and_empty(bytes);
  EXPECT_LE(pool.allocated_bytes(), once + Arena::kRegionBytes);
}

TEST(BlockPool, RoomIsTheSameWithinARoundedSize) {
  EXPECT_TRUE(BlockPool::same_room(100, 100));
  EXPECT_TRUE(BlockPool::same_room(0, 0));
  EXPECT_TRUE(BlockPool::same_room(5'000, 5'000));
  EXPECT_FALSE(BlockPool::same_room(0, 1));
  EXPECT_FALSE(BlockPool::same_room(104, 105));
  EXPECT_FALSE(BlockPool::same_room(1'024, 1'025));
  EXPECT_FALSE(BlockPool::same_room(5'000, 5'001));
}

TEST(Arena, PiecesAreAlignedAndDoNotOverlap) {
  Arena arena;
  std::vector<Block> pieces;
  const std::size_t sizes[] = {1, 64, 4'096, 65'536, 100'000, 33, Arena::kRegionBytes, 7};
  for (int round = 0; round < 5; ++round) {
    for (const std::size_t bytes : sizes) {
      const std::size_t alignment = bytes == 65'536 ? 65'536 : 64;
      auto* const start = static_cast<char*>(arena.allocate(bytes, alignment));
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(start) % alignment, 0U);
      pieces.push_back({start, bytes, static_cast<char>(pieces.size())});
      std::memset(start, pieces.back().fill, bytes);
    }
  }
  for (const Block& piece : pieces) ASSERT_TRUE(piece.intact()) << piece.bytes;
}

TEST(Arena, MovesWithItsMemory) {
  Arena arena;
  auto* const start = static_cast<char*>(arena.allocate(100, 8));
  std::memset(start, 'a', 100);
  Arena other(std::move(arena));
  EXPECT_EQ(other.allocated_bytes(), Arena::kFirstRegionBytes);
  EXPECT_TRUE((Block{start, 100, 'a'}.intact()));
  other = Arena{};
  EXPECT_EQ(other.allocated_bytes(), 0U);
}

}  // namespace
}  // namespace wk::tree
