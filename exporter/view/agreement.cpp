#include "exporter/view/agreement.h"

#include <algorithm>

#include "exporter/view/freshness.h"

namespace wk::exporter {
namespace {

template <typename ValueOf>
std::optional<double> imbalance(const EnsembleView& view, const ValueOf& value_of) {
  double sum = 0, most = 0;
  int members = 0;
  for (const MemberView& member : view.members) {
    if (member.state != ServingState::kServing) continue;
    const std::optional<double> value = value_of(member);
    if (!value) continue;
    sum += *value;
    most = std::max(most, *value);
    ++members;
  }
  if (members < 2 || sum <= 0) return std::nullopt;
  return most * members / sum;
}

/// A server without an ensemble counts transactions of its own.
bool shows_zxid(const MemberView& member) {
  return member.zxid && member.state == ServingState::kServing && member.role != Role::kStandalone;
}

/// What a member had shown at that time. Members are visited one after the other: what it has shown since was
/// perhaps made since. Of a zxid that went back, the data are others than before.
std::optional<Zxid> shown_by(const MemberView& member, Moment at) {
  const auto until_then = [at](const Dated<Zxid>& one) { return one.at - at <= std::chrono::nanoseconds{0}; };
  if (until_then(member.facts->zxid)) return member.zxid;
  const Dated<Zxid>& before = member.facts->zxid_before;
  return before.value && until_then(before) && *before.value <= *member.zxid ? before.value : std::nullopt;
}

const Digest* digest_at(const DigestsAnswer& answer, Zxid zxid) {
  const auto at = std::lower_bound(answer.digests.begin(), answer.digests.end(), zxid,
                                   [](const Digest& row, Zxid wanted) { return row.zxid < wanted; });
  return at != answer.digests.end() && at->zxid == zxid ? &*at : nullptr;
}

/// Whether `digest` of member `index` differs from the majority's at its zxid; absent when nobody else has
/// one there.
std::optional<DigestVerdict> verdict_at(const EnsembleView& view, std::size_t index, const Digest& digest) {
  int same = 1, different = 0;
  bool leader_agrees = view.leader == index, leader_differs = false;
  for (std::size_t other = 0; other < view.members.size(); ++other) {
    const auto& theirs = view.members[other].facts->digests.value;
    if (other == index || !theirs || view.members[other].same_as) continue;
    const Digest* counterpart = digest_at(*theirs, digest.zxid);
    if (counterpart == nullptr) continue;
    if (counterpart->value == digest.value) {
      ++same;
      leader_agrees |= view.leader == other;
    } else {
      ++different;
      leader_differs |= view.leader == other;
    }
  }
  if (same + different < 2) return std::nullopt;
  const bool even = different == same;
  return DigestVerdict{.differs = different > same || (even && !leader_agrees),
                       .undecided = even && !leader_agrees && !leader_differs};
}

}  // namespace

std::vector<std::optional<std::uint64_t>> lags(const EnsembleView& view) {
  std::vector<std::optional<std::uint64_t>> result(view.members.size());
  if (view.standalone) return result;
  for (std::size_t index = 0; index < view.members.size(); ++index) {
    const MemberView& member = view.members[index];
    if (!shows_zxid(member)) continue;
    Zxid newest = *member.zxid;
    for (const MemberView& other : view.members)
      if (shows_zxid(other))
        newest = std::max(newest, shown_by(other, member.facts->zxid.at).value_or(newest));
    // Of an older epoch: at least those of the newer one.
    result[index] = newest.counter() - (member.zxid->epoch() == newest.epoch() ? member.zxid->counter() : 0);
  }
  return result;
}

std::vector<std::optional<DigestVerdict>> digest_verdicts(const EnsembleView& view, const EnsembleSpec& spec,
                                                          Moment now) {
  std::vector<std::optional<DigestVerdict>> verdicts(view.members.size());
  for (std::size_t index = 0; index < view.members.size(); ++index) {
    const Dated<DigestsAnswer>& own = view.members[index].facts->digests;
    if (!own.value || view.members[index].same_as || now - own.at > detail_freshness(spec, index)) continue;
    const auto& digests = own.value->digests;
    for (auto digest = digests.rbegin(); digest != digests.rend() && !verdicts[index]; ++digest)
      verdicts[index] = verdict_at(view, index, *digest);
  }
  return verdicts;
}

std::optional<double> connection_imbalance(const EnsembleView& view) {
  return imbalance(view, [](const MemberView& member) {
    const auto& status = member.facts->status.value;
    return status ? status->number("num_alive_connections") : std::nullopt;
  });
}

std::optional<double> session_imbalance(const EnsembleView& view, Moment now) {
  return imbalance(view, [&](const MemberView& member) {
    const ConnectionsAnswer* connections = present(member, member.facts->connections, now);
    return connections != nullptr ? std::optional(static_cast<double>(connections->with_session))
                                  : std::nullopt;
  });
}

}  // namespace wk::exporter
