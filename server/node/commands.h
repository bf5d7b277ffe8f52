// The AdminServer's commands, those that only read: names, aliases and answers of Apache ZooKeeper 3.9.
//
// What the core knows is copied on its own thread in answer to an inquiry; all else, the JSON above all, is
// work of the thread that asks. A command that lists refuses beyond kListedMax entries, so that no question
// can hold the core up. What changes the server (resets, the trace mask, snapshot, restore) is refused: an
// address that anybody may read from must not be one that anybody may write to.
// Thread: any but the core's. Source: server/admin/Commands.java; reference metrics.md, section 9.
// Differs: a command that the core does not answer within a second is 503; one that is refused is 403.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "exporter/app/json_text.h"
#include "server/node/inquiries.h"
#include "server/node/inspection.h"
#include "server/node/node_stats.h"
#include "server/node/words.h"
#include "server/storage/file_system.h"

namespace wk::node {

/// What is asked. All but `files` and `inquiries` belongs to the core and is touched on its thread only.
struct CommandSources {
  const Inquiries& inquiries;
  const Inspection& inspection;
  const Words& words;
  const NodeStats& stats;
  std::function<std::string()> mntr;
  storage::FileSystem& files;
};

struct CommandAnswer {
  int status = 200;
  exporter::Json document;  ///< with `command` and `error` last
};

class Commands {
 public:
  explicit Commands(CommandSources sources) : sources_(std::move(sources)) {}

  /// \param name  primary name or alias; an unknown one is answered 200 with an error, as in Apache
  [[nodiscard]] CommandAnswer answer(std::string_view name) const;

  /// Primary names of the commands that are answered, sorted.
  static std::vector<std::string_view> names();

 private:
  CommandSources sources_;
};

}  // namespace wk::node
