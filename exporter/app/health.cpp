#include "exporter/app/health.h"

#include <fmt/format.h>

namespace wk::exporter {
namespace {

constexpr std::chrono::seconds kStaleAfter{10};

Response text(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  response.headers = {{"Cache-Control", "no-store"}};
  return response;
}

}  // namespace

std::optional<std::string> staleness(const Snapshot& snapshot, std::chrono::nanoseconds longest_interval,
                                     Moment now) {
  const auto age = now - snapshot.taken;
  if (age <= kStaleAfter + longest_interval) return std::nullopt;
  return fmt::format(
      "the newest snapshot is {:.1f} s old: the exporter's watcher hangs; restart the exporter",
      seconds(age));
}

Response livez(const Snapshot& snapshot, std::chrono::nanoseconds longest_interval, Moment now) {
  if (const auto stale = staleness(snapshot, longest_interval, now)) return text(503, *stale + "\n");
  return text(200, "ok\n");
}

Response readyz(const Snapshot& snapshot, std::chrono::nanoseconds longest_interval, Moment now,
                bool verbose) {
  std::string reasons;
  std::string visited;
  if (const auto stale = staleness(snapshot, longest_interval, now)) reasons += *stale + "\n";
  for (const EnsembleView& ensemble : snapshot.ensembles)
    for (const MemberView& member : ensemble.members) {
      if (member.polls == 0)
        reasons += fmt::format("{} of ensemble {} has not been visited yet\n", member.name, ensemble.name);
      else if (verbose)
        visited += fmt::format("{} of ensemble {} has been visited {} times\n", member.name, ensemble.name,
                               member.polls);
    }
  if (reasons.empty()) return text(200, visited + "ready\n");
  return text(503, reasons + visited + "not ready\n");
}

}  // namespace wk::exporter
