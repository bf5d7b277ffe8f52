// The answers to four-letter words, to the byte, from plain values.
//
// Thread: any; pure. Source: server/command/*.java, ServerStats.java, ServerCnxn.java; reference
// client-protocol.md, section 9; captured from Apache ZooKeeper 3.9.5.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "server/net/first_bytes.h"

namespace wk::node {

/// Of srvr and stat.
struct ServerStatus {
  std::string version;  ///< "3.9.5-…, built on 11/22/2026 05:36 GMT"
  std::int64_t latency_min_ms = 0;
  double latency_mean_ms = 0;
  std::int64_t latency_max_ms = 0;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::size_t connections = 0;
  std::size_t outstanding = 0;
  Zxid zxid;
  std::string_view mode = "standalone";
  std::size_t nodes = 0;
};

/// One line of stat and cons.
struct ConnectionLine {
  std::string address;
  std::uint16_t port = 0;
  int interest_ops = 0;
  std::size_t queued = 0;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;

  /// Of a connection with a session.
  struct Session {
    SessionId id;
    std::string_view last_operation = "NA";
    std::int64_t established_ms = 0;  ///< since 1970
    std::int64_t timeout_ms = 0;
    std::int32_t last_cxid = -1;  ///< printed when it is not negative
    std::optional<Zxid> last_zxid;
    std::int64_t last_response_ms = 0;  ///< of a clock that only rises
    std::int64_t latency_last_ms = 0, latency_min_ms = 0, latency_mean_ms = 0, latency_max_ms = 0;
  };
  std::optional<Session> session;
};

std::string srvr_text(const ServerStatus& status);
std::string stat_text(const ServerStatus& status, std::span<const ConnectionLine> connections);
std::string cons_text(std::span<const ConnectionLine> connections);

/// `key=value` lines in the given order.
using Entries = std::vector<std::pair<std::string, std::string>>;
std::string conf_text(const Entries& entries);
std::string envi_text(const Entries& entries);

/// Sessions or connections that end together.
struct ExpiryLine {
  std::chrono::system_clock::time_point at;
  std::vector<std::string> entries;
};
struct DumpFacts {
  std::vector<ExpiryLine> sessions;  ///< entries: "0x…"
  std::vector<std::pair<SessionId, std::vector<std::string>>> ephemerals;
  std::vector<ExpiryLine> connections;  ///< entries: "ip: /ADDRESS:PORT sessionId: 0x…", see endpoint_text()
};
std::string dump_text(const DumpFacts& facts);

std::string wchs_text(std::size_t connections, std::size_t paths, std::size_t watches);
/// \param watches  by path, or by session
std::string wchp_text(const std::map<std::string, std::vector<SessionId>>& watches);
std::string wchc_text(const std::map<SessionId, std::vector<std::string>>& watches);
/// A size as a number; "-1" when it is unknown.
std::string told_bytes(std::optional<std::uint64_t> bytes);
std::string dirs_text(std::optional<std::uint64_t> data_bytes, std::optional<std::uint64_t> log_bytes);
std::string hash_text(std::span<const std::pair<Zxid, std::uint64_t>> digests);

std::string not_whitelisted_text(net::FourLetterWord word);

inline constexpr std::string_view kRuokText = "imok";
inline constexpr std::string_view kCrstText = "Connection stats reset.\n";
inline constexpr std::string_view kSrstText = "Server stats reset.\n";

}  // namespace wk::node
