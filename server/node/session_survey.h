// How much of their timeouts the sessions have used, and which of them are about to expire.
//
// Thread: core.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "exporter/model/internals.h"
#include "server/node/survey.h"
#include "server/node/top_list.h"
#include "server/replica/replica.h"

namespace wk::node {

class SessionSurvey final : public Survey {
 public:
  static constexpr std::chrono::milliseconds kInterval{1'000};

  explicit SessionSurvey(const replica::Replica& replica)
      : Survey(kInterval), replica_(replica), quiet_(exporter::ServerInternals::kListLimit) {}

  struct Found {
    /// Sessions that have used up to a third of their timeout, up to two thirds, up to all, and more.
    std::array<std::uint64_t, 4> by_thirds{};
    /// Those beyond two thirds that have used most.
    std::vector<exporter::QuietSession> quiet;
  };
  [[nodiscard]] const Found& found() const { return found_; }

 private:
  void begin(const Moment& now) override;
  bool walk(const Moment& now) override;
  void finish() override;

  const replica::Replica& replica_;
  std::size_t place_ = 0;
  std::array<std::uint64_t, 4> by_thirds_{};
  TopList<exporter::QuietSession, double> quiet_;
  Found found_;
};

}  // namespace wk::node
