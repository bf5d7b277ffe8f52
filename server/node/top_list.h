// The largest of many rows, a few of them: for walks that look at everything once.
//
// Thread: one owner.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace wk::node {

/// \tparam Key  by which rows are compared
template <typename Row, typename Key = std::uint64_t>
class TopList {
 public:
  explicit TopList(std::size_t limit) : limit_(limit) {}

  /// True when a row of this size would be kept: then it is worth making.
  [[nodiscard]] bool wants(Key size) const {
    return rows_.size() < limit_ ? size > Key{} : size > rows_.back().first;
  }
  /// \param size  that is wanted
  void add(Key size, Row row) {
    if (rows_.size() == limit_) rows_.pop_back();
    const auto place =
        std::ranges::upper_bound(rows_, size, std::ranges::greater{}, &std::pair<Key, Row>::first);
    rows_.emplace(place, size, std::move(row));
  }
  /// All of them, largest first; the list is empty afterwards.
  [[nodiscard]] std::vector<Row> take() {
    std::vector<Row> taken;
    taken.reserve(rows_.size());
    for (auto& [size, row] : rows_) taken.push_back(std::move(row));
    rows_.clear();
    return taken;
  }

 private:
  std::size_t limit_;
  std::vector<std::pair<Key, Row>> rows_;  // largest first
};

}  // namespace wk::node
