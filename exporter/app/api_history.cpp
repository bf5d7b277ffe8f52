#include "exporter/app/api_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/log.h"
#include "base/near_miss.h"
#include "exporter/app/member_lookup.h"

namespace wk::exporter {
namespace {

constexpr std::chrono::seconds kSinceDefault{600};
constexpr std::int64_t kUnixSecondsMax =
    9'000'000'000;  // the year 2255; the nanoseconds of system_clock reach further

Error invalid(std::string message) { return {Errc::kInvalidInput, std::move(message)}; }

template <typename Series>
std::vector<std::string_view> series_names(std::size_t count) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < count; ++i) names.emplace_back(name(static_cast<Series>(i)));
  return names;
}

/// "-600s" (before now), "-600", or seconds since 1970.
Result<std::chrono::system_clock::time_point> parse_since(std::string_view text, Moment now) {
  if (text.empty()) return now.wall - kSinceDefault;
  std::string_view digits = text;
  const bool relative = digits.starts_with('-');
  if (relative) digits.remove_prefix(1);
  if (relative && digits.ends_with('s')) digits.remove_suffix(1);
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (fault != std::errc{} || end != digits.data() + digits.size() || value < 0 || value > kUnixSecondsMax)
    return invalid(
        fmt::format("parameter \"since\": \"{}\" is no time; write seconds since 1970, or for example -600s "
                    "for the last ten minutes",
                    printable(text, 40)));
  const auto since = std::chrono::system_clock::time_point(std::chrono::seconds(value));
  return relative ? now.wall - std::min(since.time_since_epoch(), now.wall.time_since_epoch()) : since;
}

Result<const Resolution*> parse_step(const Query& query) {
  const auto step = query_number(query, "step", 0, 3600, 1);
  if (!step) return step.error();
  const auto* found = std::ranges::find_if(
      kResolutions, [&](const Resolution& each) { return each.step == std::chrono::seconds(*step); });
  if (found == kResolutions.end())
    return invalid(
        fmt::format("parameter \"step\": no history is kept in steps of {} s; write 1, 10 or 60", *step));
  return found;
}

void add_ensemble(const EnsembleView& ensemble, const std::vector<std::string>& wanted,
                  std::vector<SeriesRequest>& out) {
  for (std::size_t i = 0; i < kEnsembleSeriesCount; ++i) {
    const auto series = static_cast<EnsembleSeries>(i);
    if (wanted.empty() || std::ranges::find(wanted, name(series)) != wanted.end())
      out.push_back({ensemble.name, "", series});
  }
}

void add_member(const EnsembleView& ensemble, const MemberView& member,
                const std::vector<std::string>& wanted, std::vector<SeriesRequest>& out) {
  for (std::size_t i = 0; i < kMemberSeriesCount; ++i) {
    const auto series = static_cast<MemberSeries>(i);
    if (wanted.empty() || std::ranges::find(wanted, name(series)) != wanted.end())
      out.push_back({ensemble.name, member.name, series});
  }
}

Result<void> check_series(const std::vector<std::string>& wanted) {
  auto known = series_names<EnsembleSeries>(kEnsembleSeriesCount);
  for (const std::string_view each : series_names<MemberSeries>(kMemberSeriesCount)) known.push_back(each);
  for (const std::string& each : wanted)
    if (std::ranges::find(known, each) == known.end())
      return invalid(fmt::format("parameter \"series\": no series is called \"{}\"{}; known ones: {}",
                                 printable(each, 40), did_you_mean(each, known), fmt::join(known, ", ")));
  return {};
}

}  // namespace

Json history_point_json(std::optional<float> point) {
  if (!point || !std::isfinite(*point)) return nullptr;
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, *point).ptr;
  double value = 0;
  std::from_chars(text, end, value);
  return json_number(value);
}

Result<HistoryQuery> parse_history_query(const Query& query, const Snapshot& snapshot, Moment now) {
  HistoryQuery parsed;
  const auto resolution = parse_step(query);
  if (!resolution) return resolution.error();
  parsed.step = (*resolution)->step;
  const auto since_text = query_text(query, "since");
  if (!since_text) return since_text.error();
  const auto since = parse_since(*since_text, now);
  if (!since) return since.error();
  parsed.since = *since;
  const std::vector<std::string> wanted = query_list(query, "series");
  if (const auto known = check_series(wanted); !known) return known.error();
  const auto ensemble_name = query_text(query, "ensemble");
  if (!ensemble_name) return ensemble_name.error();
  const auto member_name = query_text(query, "member");
  if (!member_name) return member_name.error();

  if (!member_name->empty()) {
    const auto found = find_member(snapshot, *member_name, *ensemble_name);
    if (!found) return found.error();
    add_member(*found->ensemble, *found->member, wanted, parsed.series);
  } else {
    const EnsembleView* only = nullptr;
    if (!ensemble_name->empty()) {
      const auto found = find_ensemble(snapshot, *ensemble_name);
      if (!found) return found.error();
      only = *found;
    }
    for (const EnsembleView& ensemble : snapshot.ensembles) {
      if (only != nullptr && only != &ensemble) continue;
      add_ensemble(ensemble, wanted, parsed.series);
      for (const MemberView& member : ensemble.members) add_member(ensemble, member, wanted, parsed.series);
    }
  }
  const auto span = std::max(std::chrono::duration_cast<std::chrono::seconds>(now.wall - parsed.since),
                             std::chrono::seconds{0});
  const std::size_t rows = std::min((*resolution)->rows, static_cast<std::size_t>(span / parsed.step) + 1);
  if (rows * parsed.series.size() > kHistoryPointsMax)
    return invalid(fmt::format(
        "{} series of {} points pass the limit of {} points; name an ensemble, a member or series, "
        "or ask for less time or a larger step",
        parsed.series.size(), rows, kHistoryPointsMax));
  return parsed;
}

Response history_response(const HistoryQuery& query, const SeriesSource& source) {
  Json list = Json::array();
  for (const SeriesRequest& request : query.series) {
    const auto points = source(request, query);
    if (!points) return json_error(http_status_of(points.error()), points.error().message);
    Json values = Json::array();
    for (const auto& point : points->points) values.push_back(history_point_json(point));
    const auto first = std::chrono::floor<std::chrono::seconds>(points->first.time_since_epoch());
    list.push_back({{"ensemble", request.ensemble},
                    {"member", request.member.empty() ? Json(nullptr) : Json(request.member)},
                    {"series", std::visit([](auto series) { return name(series); }, request.series)},
                    {"first", points->points.empty() ? Json(nullptr) : Json(first.count())},
                    {"points", std::move(values)}});
  }
  constexpr int kOneLine = -1;
  return json_response({{"step", query.step.count()}, {"series", std::move(list)}}, 200, kOneLine);
}

}  // namespace wk::exporter
