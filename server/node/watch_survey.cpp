#include "server/node/watch_survey.h"

#include <string>
#include <utility>

#include "jute/utf8.h"

namespace wk::node {
namespace {

/// Of longer paths the beginning is told.
constexpr std::size_t kMaxPathBytes = 512;

}  // namespace

void WatchSurvey::begin(const Moment&) {
  kind_ = tree::WatchKind::kData;
  place_ = 0;
}

bool WatchSurvey::walk(const Moment&) {
  place_ =
      watches_.visit_paths(kind_, place_, kPlacesASlice, [&](std::string_view path, std::size_t watchers) {
        if (!top_.wants(watchers)) return;
        const std::string_view kind = kind_ == tree::WatchKind::kData ? "data" : "child";
        top_.add(watchers, {std::string(jute::cut(path, kMaxPathBytes)), kind, watchers});
      });
  if (place_ != 0) return false;
  return std::exchange(kind_, tree::WatchKind::kChild) == tree::WatchKind::kChild;
}

void WatchSurvey::finish() { most_watched_ = top_.take(); }

}  // namespace wk::node
