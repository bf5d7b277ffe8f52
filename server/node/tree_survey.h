// Which znodes are large: by data, by children and the reply that lists them, by what stands below them; and
// where clients queue for a lock.
//
// A znode is a lock, or an election, to this survey when its oldest child is ephemeral and sequential.
// Children are looked at one by one up to kChildrenLooked; beyond, their number and the bytes of their names
// follow from those. Of most znodes fewer are looked at: whose reply may be among the longest is found by
// kNamesSampled names. Thread: core.
#pragma once

#include <cstdint>
#include <vector>

#include "exporter/model/internals.h"
#include "server/node/survey.h"
#include "server/node/top_list.h"
#include "server/tree/data_tree.h"

namespace wk::node {

class TreeSurvey final : public Survey {
 public:
  static constexpr std::chrono::milliseconds kInterval{10'000};
  static constexpr std::uint32_t kChildrenLooked = 1'024;
  static constexpr std::uint32_t kNamesSampled = 16;

  explicit TreeSurvey(const tree::DataTree& tree) : Survey(kInterval), tree_(tree) {}

  struct Found {
    std::vector<exporter::LargeZnode> znodes;
    /// Most children first. The longest reply is among them: it takes the last place if it has to.
    std::vector<exporter::LargeChildList> child_lists;
    std::vector<exporter::LargeSubtree> subtrees;
    std::vector<exporter::Contention> contentions;
  };
  [[nodiscard]] const Found& found() const { return found_; }

 private:
  static constexpr std::size_t kLimit = exporter::ServerInternals::kListLimit;

  void begin(const Moment& now) override;
  bool walk(const Moment& now) override;
  void finish() override;
  void look_at(tree::Znode node);
  void look_at_children(tree::Znode node);
  [[nodiscard]] std::uint64_t sampled_reply_bytes(tree::Znode node);

  const tree::DataTree& tree_;
  std::uint32_t place_ = 0;
  std::size_t looked_ = 0;  // znodes and children in the slice under way
  TopList<exporter::LargeZnode> znodes_{kLimit};
  TopList<exporter::LargeChildList> child_lists_{kLimit};
  TopList<exporter::LargeChildList> long_replies_{kLimit};
  TopList<exporter::LargeSubtree> subtrees_{kLimit};
  TopList<exporter::Contention> contentions_{kLimit};
  Found found_;
};

}  // namespace wk::node
