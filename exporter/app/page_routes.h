// The URLs of the status page below /ensemble/: which ensemble and which table they name, as a page or as
// JSON.
//
// Thread: any; pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace wk::exporter {

enum class PageTable { kNone, kMembers, kConnections, kConfiguration, kSources, kEvents, kInside };

struct PagePath {
  std::string ensemble;
  PageTable table = PageTable::kNone;  ///< kNone: the ensemble as a whole
  bool json = false;
};

/// What /ensemble/NAME, /ensemble/NAME/TABLE and /ensemble/NAME/TABLE.json mean; nothing for every other
/// path. \param segments  of Request
std::optional<PagePath> parse_page_path(const std::vector<std::string>& segments);

/// /ensemble/NAME.json as the JSON of the ensemble NAME, for when no ensemble is called "NAME.json"; nothing
/// when `path` is no such path.
std::optional<PagePath> without_json_suffix(const PagePath& path);

/// True when the last of `segments` asks for JSON, whether or not the path exists.
bool wants_json(const std::vector<std::string>& segments);

}  // namespace wk::exporter
