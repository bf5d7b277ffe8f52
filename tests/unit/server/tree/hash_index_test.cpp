#include "server/tree/hash_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "server/tree/slab.h"

namespace wk::tree {
namespace {

struct Record {
  std::uint32_t hash = 0;
  std::uint32_t chain = 0;
  std::uint32_t key = 0;
};
using Records = Slab<Record, &Record::chain>;

class HashIndexTest : public testing::Test {
 protected:
  std::uint32_t find(std::uint32_t key, std::uint32_t hash) const {
    return index_.find(records_, hash, [&](std::uint32_t id) { return records_[id].key == key; });
  }
  std::uint32_t add(std::uint32_t key, std::uint32_t hash) {
    const std::uint32_t id = records_.allocate();
    records_[id].key = key;
    records_[id].hash = hash;
    index_.insert(records_, id);
    return id;
  }
  void remove(std::uint32_t id) {
    index_.erase(records_, id);
    records_.release(id);
  }

  Records records_;
  HashIndex<Records> index_;
};

TEST_F(HashIndexTest, WidenedAheadItIsTheSameIndex) {
  for (const std::uint32_t width : {0U, 1U, 2U, 3U, 1'000U, 1'024U, 1'025U, 5'000U}) {
    records_ = Records{};
    index_ = HashIndex<Records>{};
    std::mt19937 random(width);
    index_.widen(width);
    std::vector<std::uint32_t> hashes;
    for (std::uint32_t key = 0; key < 3'000; ++key) {
      hashes.push_back(random());
      index_.prefetch_bucket(hashes.back());
      index_.prefetch_records(records_, hashes.back());
      add(key, hashes.back());
    }
    for (std::uint32_t key = 0; key < 3'000; ++key) ASSERT_EQ(find(key, hashes[key]), key + 1) << width;
    for (std::uint32_t key = 0; key < 3'000; key += 2) remove(find(key, hashes[key]));
    for (std::uint32_t key = 0; key < 3'000; ++key)
      ASSERT_EQ(find(key, hashes[key]), key % 2 == 0 ? Records::kNone : key + 1) << width;
    EXPECT_EQ(index_.size(), 1'500U);
  }
}

TEST_F(HashIndexTest, FindsEveryRecordAfterEveryStepOfGrowth) {
  std::mt19937 random(1);
  std::map<std::uint32_t, std::pair<std::uint32_t, std::uint32_t>> model;  // key → hash, id
  for (std::uint32_t key = 1; key <= 3'000; ++key) {
    const std::uint32_t hash = key % 3 == 0 ? 77 : random();  // a third in one bucket
    model[key] = {hash, add(key, hash)};
    if (key >= 70 && key % 500 != 0) continue;
    for (const auto& [known, place] : model) ASSERT_EQ(find(known, place.first), place.second) << known;
  }
  EXPECT_EQ(index_.size(), 3'000U);
  while (model.size() > 10) {
    auto victim = model.begin();
    std::advance(victim, random() % std::min<std::size_t>(model.size(), 20));
    remove(victim->second.second);
    EXPECT_EQ(find(victim->first, victim->second.first), Records::kNone);
    model.erase(victim);
  }
  for (const auto& [known, place] : model) EXPECT_EQ(find(known, place.first), place.second);
  EXPECT_EQ(index_.size(), 10U);
}

TEST_F(HashIndexTest, CostsFourBytesARecord) {
  for (std::uint32_t key = 1; key <= 100'000; ++key) add(key, key * 2654435761U);
  EXPECT_GE(index_.allocated_bytes(), 400'000U);
  EXPECT_LE(index_.allocated_bytes(), 460'000U) << "the last region is not filled";
}

TEST(Slab, UsesFreedRecordsAgainAndClearsThem) {
  Records records;
  const std::uint32_t first = records.allocate();
  EXPECT_NE(first, Records::kNone);
  const std::uint32_t second = records.allocate();
  EXPECT_NE(first, second);
  records[first].key = 9;
  EXPECT_EQ(records.size(), 2U);
  records.release(first);
  EXPECT_EQ(records.size(), 1U);
  EXPECT_EQ(records.allocate(), first);
  EXPECT_EQ(records[first].key, 0U);
}

TEST(HashString, DependsOnTextLengthAndSeed) {
  std::set<std::uint32_t> hashes;
  std::string text;
  for (int size = 0; size < 40; ++size, text.push_back('\0')) hashes.insert(hash_string(text, 1));
  EXPECT_EQ(hashes.size(), 40U);
  EXPECT_EQ(hash_string("/a/b", 7), hash_string(std::string("/a/b"), 7));
  EXPECT_NE(hash_string("/a/b", 7), hash_string("/a/b", 8));
  EXPECT_NE(hash_string("/a/b", 7), hash_string("/b/a", 7));
}

TEST(HashString, SpreadsSequentialPathsOverLowBits) {
  constexpr std::size_t kBuckets = 1'024;
  std::vector<int> load(kBuckets);
  for (int i = 0; i < 16 * static_cast<int>(kBuckets); ++i)
    ++load[hash_string("/queue/item-" + std::to_string(1'000'000'000 + i), 3) % kBuckets];
  EXPECT_LT(*std::max_element(load.begin(), load.end()), 48);
}

}  // namespace
}  // namespace wk::tree
