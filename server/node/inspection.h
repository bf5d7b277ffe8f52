// What a member knows of itself at this moment, copied into plain values: for four-letter words and commands.
//
// Thread: core. Nothing here changes anything. What lists is as long as what it lists: who asks looks at the
// counts first.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "server/config/config.h"
#include "server/net/client_port.h"
#include "server/node/surroundings.h"
#include "server/node/word_texts.h"
#include "server/replica/replica.h"

namespace wk::node {

/// Entries that one answer of a command or of a word lists: connections, sessions with their ephemerals,
/// watches. Making a list takes the core's time from everybody.
inline constexpr std::size_t kListedMax = 10'000;

/// What is said in the place of a longer list.
std::string too_long_text(std::size_t entries, std::string_view what, std::string_view instead);

/// What `conf` and the command `configuration` tell.
struct ServerConfiguration {
  int client_port = -1;  ///< as bound; -1 = none
  std::string data_dir;  ///< with version-2
  std::string log_dir;
  std::int64_t tick_ms = 0;
  int connections_per_address_max = 0;
  std::int64_t session_timeout_min_ms = 0;
  std::int64_t session_timeout_max_ms = 0;
  int listen_backlog = -1;
  std::int64_t server_id = 0;
};

using SessionsByEnd = std::vector<std::pair<std::chrono::steady_clock::time_point, std::vector<SessionId>>>;
using PathsBySession = std::map<SessionId, std::vector<std::string>>;
using SessionsByPath = std::map<std::string, std::vector<SessionId>>;
using Digests = std::vector<std::pair<Zxid, std::uint64_t>>;

class Inspection {
 public:
  /// \param data_dir, log_dir  with version-2
  Inspection(const config::Config& config, std::string data_dir, std::string log_dir,
             const replica::Replica& replica, const net::ClientPort& port, const Surroundings& surroundings);

  /// \param words  four-letter words since the statistics began: they count as packets
  [[nodiscard]] ServerStatus status(std::uint64_t words) const;
  [[nodiscard]] ServerConfiguration configuration() const;
  /// \param asker  a connection that asks for this by a four-letter word, if any
  [[nodiscard]] std::vector<ConnectionLine> connections(ConnectionId asker) const;
  /// Sessions by the moment at which they end, earliest first.
  [[nodiscard]] SessionsByEnd sessions_by_end() const;
  [[nodiscard]] PathsBySession ephemerals() const;
  /// How many entries sessions_by_end() and ephemerals() have together.
  [[nodiscard]] std::size_t sessions_and_ephemerals() const;
  /// Data watches, as Apache lists them.
  [[nodiscard]] PathsBySession watches_by_session() const;
  [[nodiscard]] SessionsByPath watches_by_path() const;
  [[nodiscard]] tree::WatchCounts watch_counts() const;
  [[nodiscard]] Digests digests() const;
  /// The session that a connection speaks for; 0 when there is none.
  [[nodiscard]] SessionId session_of(ConnectionId connection) const;

  /// At most some seconds old: never read when it is asked for.
  [[nodiscard]] const Surroundings& surroundings() const { return surroundings_; }
  [[nodiscard]] const replica::Replica& replica() const { return replica_; }
  [[nodiscard]] const net::ClientPort& port() const { return port_; }
  /// Any thread: constant.
  [[nodiscard]] const std::string& data_dir() const { return data_dir_; }
  [[nodiscard]] const std::string& log_dir() const { return log_dir_; }
  [[nodiscard]] const std::optional<std::string>& configuration_text() const { return config_.file_text; }

 private:
  const config::Config& config_;
  const std::string data_dir_;
  const std::string log_dir_;
  const replica::Replica& replica_;
  const net::ClientPort& port_;
  const Surroundings& surroundings_;
};

}  // namespace wk::node
