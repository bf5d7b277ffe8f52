// One member during one walk over the catalogue: its view, and its measurements indexed by dictionary row.
//
// Thread: one; lives for one call of collect().
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "exporter/catalogue/catalogue.h"
#include "exporter/catalogue/sample_sink.h"
#include "exporter/model/view.h"

namespace wk::exporter {

struct MemberContext {
  /// \param number  index of `of` in its ensemble
  /// \param sink    learns the member's labels
  MemberContext(const EnsembleView& in, const MemberView& of, std::size_t number,
                const FamilySelection& selection, Moment at, SampleSink& sink);

  const EnsembleView& ensemble;
  const MemberView& member;
  std::size_t index;
  Moment now;

  /// The status, when it is fresh and the member serves; else null. Everything that a member tells of itself
  /// is rendered from here, so that no number outlives the member's answer.
  const StatusAnswer* status = nullptr;
  std::array<SampleSink::CommonLabels, kFamilyCount> labels{};  ///< by Family; none for kExporter

  /// Measurements of `metric` in `status`, sorted by key; empty when there are none.
  [[nodiscard]] std::span<const Measurement> measurements(const ZkMetric& metric) const;

  /// The detail, while it is of the member's present and the newest answer of one of `probes` was good; else
  /// null.
  template <typename T>
  [[nodiscard]] const T* told_by(const Dated<T>& detail, std::initializer_list<Probe> probes) const {
    const bool answers = std::ranges::any_of(
        probes, [this](Probe probe) { return member.sources[probe].state == SourceState::kOk; });
    return answers ? present(member, detail, now) : nullptr;
  }

 private:
  std::vector<std::uint32_t> first_;  ///< by dictionary row: index into the measurements, or kNone
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
};

}  // namespace wk::exporter
