#include "exporter/view/service.h"

#include <algorithm>

namespace wk::exporter {
namespace {

using std::chrono::nanoseconds;

/// How long every member's canary must fail before it outweighs what the members say of themselves.
constexpr nanoseconds kCanaryOutweighs = std::chrono::seconds{3};

}  // namespace

void Service::derive(EnsembleView& view, std::optional<Moment> canaries_fail_since,
                     std::optional<Moment> leaderless_since, bool judged, Moment previous, Moment now,
                     nanoseconds unasked) {
  if (view.unserved_since) view.unserved += std::max(nanoseconds{0}, now - previous);

  const bool led = view.leader || view.leader_inferred;
  const bool claimed = led && view.quorum_margin >= 0;
  // Members may claim to serve while no client gets anything done. Only a canary that once worked may say so.
  const bool contradicted =
      claimed && view.canary_mode != CanaryMode::kOff && canaries_fail_since &&
      now - *canaries_fail_since > kCanaryOutweighs + unasked &&
      std::any_of(view.members.begin(), view.members.end(),
                  [](const MemberView& member) { return member.canary.last_ok.has_value(); });
  const bool serving = claimed && !contradicted;
  if (serving && !view.serving) served_since_ = now;
  view.serving = serving;
  if (!judged || serving) {
    view.unserved_since.reset();
    return;
  }
  if (view.unserved_since) return;

  // The outage began when something was first asked in vain, which is known only now.
  Moment began = now;
  if (contradicted)
    began = *canaries_fail_since;
  else if (!led && leaderless_since)
    began = *leaderless_since;
  // What an earlier outage has counted is not counted again.
  if (served_since_ && *served_since_ - began > nanoseconds{0}) began = *served_since_;
  view.unserved_since = began;
  view.unserved += std::max(nanoseconds{0}, now - began);
}

}  // namespace wk::exporter
