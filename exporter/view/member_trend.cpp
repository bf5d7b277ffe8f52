#include "exporter/view/member_trend.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "exporter/view/conclusions.h"

namespace wk::exporter {
namespace {

using std::chrono::nanoseconds;

/// Least time between two events of one kind about one member, for kinds that a load can repeat.
constexpr nanoseconds kRepeatAfter = std::chrono::seconds{60};
constexpr double kExpiryStormPerSecond = 10;
constexpr double kConnectionStormPerSecond = 100;
constexpr double kSlowFsyncMs = 100;
/// For so long the newest flush tells how fast the disk is.
constexpr nanoseconds kFsyncTells = std::chrono::seconds{60};
/// By so much a member's own clock may seem to lag: an answer is dated by the end of its visit.
constexpr nanoseconds kVisitLongest = std::chrono::seconds{60};

double growth(const StatusAnswer& before, const StatusAnswer& after, std::string_view counter) {
  const auto old_value = before.number(counter);
  const auto new_value = after.number(counter);
  return old_value && new_value ? std::max(0.0, *new_value - *old_value) : 0.0;
}

/// Whether an event may be told again; if so, it is taken for told.
bool is_due(std::optional<Moment>& last, Moment now) {
  if (last && now - *last < kRepeatAfter) return false;
  last = now;
  return true;
}

bool went_back(const StatusAnswer& before, const StatusAnswer& after, std::string_view counter) {
  return growth(after, before, counter) > 0;
}

/// Whether the uptime, in milliseconds, grew by about `elapsed`; nothing unless both tell it.
std::optional<bool> stayed_up(const StatusAnswer& before, const StatusAnswer& after, nanoseconds elapsed) {
  const auto was = before.number("uptime");
  const auto is = after.number("uptime");
  if (!was || !is) return std::nullopt;
  const nanoseconds least = elapsed - std::min(elapsed / 2, kVisitLongest);
  return *is >= *was && *is - *was >= wk::seconds(least) * 1000;
}

}  // namespace

Counting counting(const StatusAnswer& before, const StatusAnswer& after, nanoseconds elapsed,
                  bool was_unreachable) {
  constexpr std::array<std::string_view, 4> kProcessCounters{"looking_count", "connection_request_count",
                                                             "bytes_received_count", "response_bytes"};
  bool anew = was_unreachable && went_back(before, after, "packets_received");
  for (const std::string_view counter : kProcessCounters) anew = anew || went_back(before, after, counter);
  if (!anew) return Counting::kGoesOn;
  return stayed_up(before, after, elapsed).value_or(false) ? Counting::kReset : Counting::kRestarted;
}

void MemberTrend::tell_rarely(EventType type, Severity severity, const std::string& member, std::string text,
                              EventSink& events) {
  if (is_due(last_told_[static_cast<std::size_t>(type)], events.at()))
    events.tell(type, severity, member, std::move(text));
}

void MemberTrend::tell_sources(const std::string& member, const SourceStatuses& before,
                               const SourceStatuses& after, EventSink& events) {
  for (const auto& [probe, is] : after) {
    const SourceStatus& was = before[probe];
    if (was.state == is.state || was.state == SourceState::kNotTried || is.state == SourceState::kNotTried)
      continue;
    const auto index = static_cast<std::size_t>(probe);
    const auto word = name(probe);
    // A member that stops serving is one event of its own, not one for each of its surfaces.
    if (was.state == SourceState::kOk && is.state != SourceState::kNotServing) {
      if (is_due(failure_told_[index], events.at()))
        events.tell(
            EventType::kSourceFailed, Severity::kWarning, member,
            fmt::format("{}: {} no longer answers ({}): {}", member, word, name(is.state), is.detail));
    } else if (is.state == SourceState::kOk && was.state != SourceState::kNotServing) {
      if (is_due(recovery_told_[index], events.at()))
        events.tell(EventType::kSourceRecovered, Severity::kInfo, member,
                    fmt::format("{}: {} answers again (it was {})", member, word, name(was.state)));
    }
  }
}

void MemberTrend::take_growth(const std::string& member, const StatusAnswer& before,
                              const StatusAnswer& after, nanoseconds elapsed, EventSink& events) {
  if (elapsed <= nanoseconds{0}) return;
  const double per_second = 1 / wk::seconds(elapsed);
  if (const double rate = growth(before, after, "stale_sessions_expired") * per_second;
      rate > kExpiryStormPerSecond)
    tell_rarely(EventType::kExpiryStorm, Severity::kWarning, member,
                fmt::format("sessions expire at {:.0f}/s on {}", rate, member), events);
  const auto connections_before = before.number("num_alive_connections");
  const auto connections_after = after.number("num_alive_connections");
  if (connections_before && connections_after &&
      (*connections_after - *connections_before) * per_second > kConnectionStormPerSecond)
    tell_rarely(EventType::kConnectionStorm, Severity::kWarning, member,
                fmt::format("connections of {} rose from {:.0f} to {:.0f} within {}", member,
                            *connections_before, *connections_after, duration_text(elapsed)),
                events);
  const double throttled =
      growth(before, after, "request_throttle_wait_count") + growth(before, after, "throttled_ops") +
      growth(before, after, "large_requests_rejected") + growth(before, after, "stale_requests_dropped");
  const double rejected = growth(before, after, "connection_rejected");
  throttling_ = throttled > 0 || rejected > 0;
  if (throttling_)
    tell_rarely(EventType::kThrottling, Severity::kWarning, member,
                fmt::format("{} throttled {:.0f} requests and refused {:.0f} connections within {}", member,
                            throttled, rejected, duration_text(elapsed)),
                events);
  take_fsync(member, before, after, elapsed, events);
}

double MemberTrend::fsync_mean_ms(Moment now) const {
  return now - fsync_at_ <= kFsyncTells ? fsync_mean_ms_ : 0;
}

void MemberTrend::take_fsync(const std::string& member, const StatusAnswer& before, const StatusAnswer& after,
                             nanoseconds elapsed, EventSink& events) {
  const SummaryValue* fsync_before = before.summary("fsynctime");
  const SummaryValue* fsync_after = after.summary("fsynctime");
  if (fsync_before == nullptr || fsync_after == nullptr || !fsync_before->count || !fsync_after->count ||
      !fsync_before->sum || !fsync_after->sum)
    return;
  const double flushes = *fsync_after->count - *fsync_before->count;
  // Without a flush in between, the mean of the flushes before stays the newest that is known. A sum that
  // fell began anew.
  if (!(flushes > 0) || *fsync_after->sum < *fsync_before->sum) return;
  fsync_mean_ms_ = (*fsync_after->sum - *fsync_before->sum) / flushes;
  fsync_at_ = events.at();
  if (fsync_mean_ms_ > kSlowFsyncMs)
    tell_rarely(EventType::kSlowFsync, Severity::kWarning, member,
                fmt::format("a flush of the transaction log took {:.0f} ms on {} (mean of {:.0f} within {})",
                            fsync_mean_ms_, member, flushes, duration_text(elapsed)),
                events);
}

}  // namespace wk::exporter
