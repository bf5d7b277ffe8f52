// Which paths most connections watch.
//
// Thread: core.
#pragma once

#include <vector>

#include "exporter/model/internals.h"
#include "server/node/survey.h"
#include "server/node/top_list.h"
#include "server/tree/watch_table.h"

namespace wk::node {

class WatchSurvey final : public Survey {
 public:
  static constexpr std::chrono::milliseconds kInterval{10'000};

  explicit WatchSurvey(const tree::WatchTable& watches)
      : Survey(kInterval), watches_(watches), top_(exporter::ServerInternals::kListLimit) {}

  [[nodiscard]] const std::vector<exporter::WatchedPath>& most_watched() const { return most_watched_; }

 private:
  void begin(const Moment& now) override;
  bool walk(const Moment& now) override;
  void finish() override;

  const tree::WatchTable& watches_;
  tree::WatchKind kind_ = tree::WatchKind::kData;
  std::uint32_t place_ = 0;
  TopList<exporter::WatchedPath> top_;
  std::vector<exporter::WatchedPath> most_watched_;
};

}  // namespace wk::node
