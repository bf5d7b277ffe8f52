#include "exporter/app/chronicle.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "base/check.h"

namespace wk::exporter {

Chronicle::Chronicle(std::span<const EnsembleSpec> ensembles, const Moment& started) : started_(started) {
  kept_.reserve(ensembles.size());
  for (const EnsembleSpec& ensemble : ensembles) {
    std::vector<std::string> members;
    for (const TargetSpec& member : ensemble.members) members.push_back(member.name);
    kept_.emplace_back(ensemble.name, std::move(members));
  }
}

void Chronicle::append(std::vector<Event>& events) {
  std::ranges::move(events, std::back_inserter(unpublished_));
  events.clear();
}

void Chronicle::append_rows(std::span<const EnsembleView* const> views, const Moment& now) {
  WK_CHECK(views.size() == kept_.size(), "a row of every ensemble, or of none");
  const std::lock_guard lock(mutex_);
  for (std::size_t index = 0; index < views.size(); ++index) kept_[index].history.append(*views[index], now);
  row_at_ = now.wall;
}

void Chronicle::publish(Snapshot next) {
  next.sequence = ++sequence_;
  next.exporter.started = started_;
  const auto before = publication_->current();  // Goes behind the lock, unless somebody still reads it.
  // Who saw the event waits here for the snapshot, and who was woken by the snapshot for the event.
  const std::lock_guard lock(mutex_);
  for (Event& event : unpublished_) log_.append(std::move(event));
  unpublished_.clear();
  next.exporter.events_dropped = log_.dropped();
  publication_->publish(std::make_shared<const Snapshot>(std::move(next)));
}

std::vector<Event> Chronicle::events(std::uint64_t after, std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  return log_.after(after, limit);
}

const Chronicle::Kept* Chronicle::find(const std::string& ensemble) const {
  const auto found = std::ranges::find(kept_, ensemble, &Kept::ensemble);
  return found == kept_.end() ? nullptr : &*found;
}

Result<SeriesPoints> Chronicle::history(const SeriesRequest& request, const HistoryQuery& query) const {
  const bool known_step = std::ranges::any_of(
      kResolutions, [&](const Resolution& resolution) { return resolution.step == query.step; });
  if (!known_step)
    return Error{Errc::kInvalidInput,
                 fmt::format("no history has a step of {} s; use 1, 10 or 60", query.step.count())};
  const Kept* const kept = find(request.ensemble);
  if (kept == nullptr)
    return Error{Errc::kNotFound, fmt::format("no ensemble is called {}", request.ensemble)};
  if (const auto* const series = std::get_if<EnsembleSeries>(&request.series)) {
    const std::lock_guard lock(mutex_);
    return kept->history.ensemble().query(static_cast<std::size_t>(*series), query.step, query.since);
  }
  const auto member = std::ranges::find(kept->members, request.member);
  if (member == kept->members.end())
    return Error{Errc::kNotFound,
                 fmt::format("ensemble {} has no member {}", request.ensemble, request.member)};
  const auto column = static_cast<std::size_t>(std::get<MemberSeries>(request.series));
  const std::lock_guard lock(mutex_);
  return kept->history.member(static_cast<std::size_t>(member - kept->members.begin()))
      .query(column, query.step, query.since);
}

std::optional<HistoryRow> Chronicle::latest_row(const std::string& ensemble) const {
  const Kept* const kept = find(ensemble);
  if (kept == nullptr) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return latest_history_row(kept->history, kept->members.size(), row_at_);
}

}  // namespace wk::exporter
