#include "exporter/view/freshness.h"

#include <algorithm>

namespace wk::exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr nanoseconds kFailureDetectionDefault = std::chrono::seconds{20};
/// A detector of this length or longer is taken for a mistake of the source.
constexpr std::int64_t kImplausibleMs = 3'600'000;

}  // namespace

nanoseconds freshness(const EnsembleSpec& spec, std::size_t member) {
  return 3 * spec.interval + spec.members[member].timeout;
}

nanoseconds detail_freshness(const EnsembleSpec& spec, std::size_t member) {
  return 3 * spec.detail_interval + freshness(spec, member);
}

nanoseconds failure_detection(const EnsembleView& view) {
  nanoseconds longest{0};
  for (const MemberView& member : view.members) {
    const auto& configuration = member.facts->configuration.value;
    if (!configuration) continue;
    const auto tick = configuration->entry_number("tickTime");
    const auto limit = configuration->entry_number("syncLimit");
    if (tick && limit && *tick > 0 && *limit > 0 && *tick <= (kImplausibleMs - 1) / *limit)
      longest = std::max<nanoseconds>(longest, milliseconds{*tick * *limit});
  }
  return longest == nanoseconds{0} ? kFailureDetectionDefault : 2 * longest;
}

}  // namespace wk::exporter
