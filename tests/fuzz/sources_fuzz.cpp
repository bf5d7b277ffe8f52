// libFuzzer target for every parser of exporter/sources: the first byte selects the probe, the second the
// HTTP status.
//
// Beyond crashes it checks what the rest of the exporter relies on: limits are kept, numbers are finite, rows
// are sorted and unique, texts are printable, and only kOk carries an answer.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/sources/parse.h"
#include "exporter/sources/status_builder.h"
#include "exporter/sources/version.h"

namespace {

using namespace wk::exporter;

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_printable(std::string_view text) { return clean_text(text, text.size()) == text; }

void check_number(double value) { require(std::isfinite(value)); }

void check(const std::optional<double>& value) {
  if (value) check_number(*value);
}

void check(const StatusAnswer& answer) {
  require(answer.version.size() <= kVersionLimit && is_printable(answer.version));
  require(answer.measurements.size() <= StatusBuilder::kMeasurementLimit);
  require(answer.others.size() <= StatusBuilder::kOtherLimit);
  const auto before = [](const Measurement& a, const Measurement& b) {
    return std::pair(a.metric->name, a.key()) < std::pair(b.metric->name, b.key());
  };
  require(std::ranges::is_sorted(answer.measurements, before));
  require(std::ranges::adjacent_find(answer.measurements, [&](const auto& a, const auto& b) {
            return !before(a, b);
          }) == answer.measurements.end());
  for (const Measurement& one : answer.measurements) {
    require(one.metric != nullptr && is_set(one.metric->kind) == !one.key().empty());
    require(one.key().size() <= StatusBuilder::kKeyLimit && is_printable(one.key()));
    const SummaryValue* summary = one.summary();
    require((summary != nullptr) == is_summary(one.metric->kind));
    if (summary == nullptr) {
      check_number(*one.number());
      require(*one.number() >= 0);
      continue;
    }
    for (const auto& part :
         {summary->count, summary->sum, summary->average, summary->minimum, summary->maximum})
      check(part);
    require(summary->quantiles.size() <= StatusBuilder::kQuantileLimit);
    for (const Quantile& quantile : summary->quantiles) {
      require(quantile.rank > 0 && quantile.rank < 1);
      check_number(quantile.value);
    }
  }
  for (const auto& [name, value] : answer.others) check_number(value);
}

void check(const ConnectionsAnswer& answer) {
  require(answer.with_session <= answer.total);
  require(answer.by_address.size() <= ConnectionsAnswer::kAddressLimit);
  require(answer.busiest.size() <= ConnectionsAnswer::kConnectionLimit);
}

void check(const DigestsAnswer& answer) { require(answer.digests.size() <= DigestsAnswer::kLimit); }

template <typename T>
void check(const T&) {}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto probe = static_cast<Probe>(data[0] % kProbeCount);
  const int http_status = data[1] % 4 == 0 ? 500 : 200;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Parsed parsed = parse(probe, http_status, text);
  require((parsed.state == SourceState::kOk) == !std::holds_alternative<std::monostate>(parsed.answer));
  require(parsed.detail.size() <= kDetailLimit && is_printable(parsed.detail));
  require(parsed.detail.empty() == (parsed.state == SourceState::kOk));
  std::visit([](const auto& answer) { check(answer); }, parsed.answer);
  return 0;
}
