#include "exporter/app/page_routes.h"

#include <array>
#include <string_view>
#include <utility>

namespace wk::exporter {
namespace {

constexpr std::string_view kJsonSuffix = ".json";
constexpr std::array<std::pair<std::string_view, PageTable>, 6> kTables{
    {{"members", PageTable::kMembers},
     {"connections", PageTable::kConnections},
     {"configuration", PageTable::kConfiguration},
     {"sources", PageTable::kSources},
     {"events", PageTable::kEvents},
     {"inside", PageTable::kInside}}};

}  // namespace

std::optional<PagePath> parse_page_path(const std::vector<std::string>& segments) {
  std::size_t count = segments.size();
  if (count == 3 && segments[2].empty()) count = 2;  // "/ensemble/NAME/"
  if (count < 2 || count > 3 || segments[0] != "ensemble" || segments[1].empty()) return std::nullopt;
  PagePath path{.ensemble = segments[1]};
  if (count == 2) return path;
  std::string_view word = segments[2];
  path.json = word.ends_with(kJsonSuffix);
  if (path.json) word.remove_suffix(kJsonSuffix.size());
  for (const auto& [name, table] : kTables) {
    if (word != name) continue;
    path.table = table;
    return path;
  }
  return std::nullopt;
}

std::optional<PagePath> without_json_suffix(const PagePath& path) {
  if (path.table != PageTable::kNone || !path.ensemble.ends_with(kJsonSuffix) ||
      path.ensemble.size() == kJsonSuffix.size())
    return std::nullopt;
  return PagePath{.ensemble = path.ensemble.substr(0, path.ensemble.size() - kJsonSuffix.size()),
                  .json = true};
}

bool wants_json(const std::vector<std::string>& segments) {
  return !segments.empty() && segments.back().ends_with(kJsonSuffix);
}

}  // namespace wk::exporter
