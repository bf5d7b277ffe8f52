// The answers of the AdminServer's commands, field by field, from plain values.
//
// Every document is without `command` and `error`, which stand last in every answer. Session ids are numbers
// up to 2^63, as there; times are milliseconds since 1970 or of a clock that only rises, as marked in the
// reference. Thread: any; pure. Source: server/admin/Commands.java; reference metrics.md, section 9.2;
// captured from Apache ZooKeeper 3.9.5.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "exporter/app/json_text.h"
#include "server/node/inspection.h"
#include "server/node/word_texts.h"

namespace wk::node {

/// What `server_stats` tells beside `srvr`.
struct ServerStatsFacts {
  ServerStatus status;
  /// Of replies to clients, in bytes; absent before the first one.
  std::optional<std::size_t> last_response, least_response, most_response;
  std::uint64_t slow_fsyncs = 0;
  std::uint64_t auth_failures = 0;
  std::int64_t uptime_ms = 0;
  std::optional<std::uint64_t> data_dir_bytes, log_dir_bytes;
};

/// A snapshot file.
struct SnapshotFacts {
  Zxid zxid;
  std::int64_t written_s = 0;  ///< since 1970
};

exporter::Json configuration_document(const ServerConfiguration& configuration);
exporter::Json connections_document(std::span<const ConnectionLine> connections);
/// A size that is unknown is -1, here and in the statistics.
exporter::Json dirs_document(std::optional<std::uint64_t> data_bytes, std::optional<std::uint64_t> log_bytes);
exporter::Json dump_document(const SessionsByEnd& sessions, const PathsBySession& ephemerals);
exporter::Json environment_document(const Entries& entries);
/// The entries that Java has as system properties.
exporter::Json system_properties_document(const Entries& entries);
exporter::Json hash_document(const Digests& digests);
exporter::Json last_snapshot_document(const std::optional<SnapshotFacts>& snapshot);
/// \param mntr  the text of the four-letter word, which has the same numbers
exporter::Json monitor_document(std::string_view mntr);
exporter::Json server_stats_document(const ServerStatsFacts& facts);
exporter::Json stats_document(const ServerStatsFacts& facts, std::span<const ConnectionLine> connections);
exporter::Json watch_summary_document(std::size_t connections, std::size_t paths, std::size_t watches);
exporter::Json watches_document(const PathsBySession& watches);
exporter::Json watches_by_path_document(const SessionsByPath& watches);

}  // namespace wk::node
