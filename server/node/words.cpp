#include "server/node/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/endpoint.h"
#include "server/node/process_environment.h"

namespace wk::node {
namespace {

using net::FourLetterWord;

constexpr std::string_view kInsteadOfWatches = "wchs tells how many there are";

/// The list, or what is said when it has too many entries. Lists of connections are as long as there are
/// connections: monitors ask for them, and maxCnxns bounds them.
template <typename List>
std::string unless_too_long(std::size_t entries, std::string_view what, std::string_view instead, List list) {
  return entries > kListedMax ? too_long_text(entries, what, instead) + "\n" : list();
}

}  // namespace

Words::Words(const config::Config& config, const Inspection& inspection, replica::Replica& replica,
             NodeStats& node, std::function<std::string(const Moment& now)> mntr)
    : config_(config), inspection_(inspection), replica_(replica), node_(node), mntr_(std::move(mntr)) {
  for (std::size_t i = 0; i < net::kFourLetterWordCount; ++i) {
    const auto word = static_cast<FourLetterWord>(i);
    if (std::ranges::find(config.four_letter_words, net::name(word)) != config.four_letter_words.end())
      allowed_.push_back(word);
  }
}

bool Words::allowed(FourLetterWord word) const { return std::ranges::find(allowed_, word) != allowed_.end(); }

std::string Words::answer(FourLetterWord word, ConnectionId asker, std::span<const std::byte> rest,
                          const Moment& now) {
  ++asked_;
  if (!allowed(word)) return not_whitelisted_text(word);
  return execute(word, asker, rest, now);
}

std::string Words::execute(FourLetterWord word, ConnectionId asker, std::span<const std::byte> rest,
                           const Moment& now) {
  switch (word) {
    case FourLetterWord::kRuok:
      return std::string(kRuokText);
    case FourLetterWord::kIsro:
      return "rw";
    case FourLetterWord::kSrvr:
      return srvr_text(inspection_.status(asked_since_reset()));
    case FourLetterWord::kStat:
      return stat_text(inspection_.status(asked_since_reset()), inspection_.connections(asker));
    case FourLetterWord::kCons:
      return cons_text(inspection_.connections(asker));
    case FourLetterWord::kConf:
      return conf_text(conf());
    case FourLetterWord::kEnvi:
      return envi_text(process_environment());
    case FourLetterWord::kDump:
      return unless_too_long(inspection_.sessions_and_ephemerals(), "sessions and ephemeral znodes",
                             "mntr tells global_sessions and ephemerals_count",
                             [&] { return dump_text(dump(now)); });
    case FourLetterWord::kWchs: {
      const tree::WatchCounts counts = inspection_.watch_counts();
      return wchs_text(counts.connections, counts.paths, counts.watches);
    }
    case FourLetterWord::kWchp:
      return unless_too_long(inspection_.watch_counts().watches, "watches", kInsteadOfWatches,
                             [&] { return wchp_text(inspection_.watches_by_path()); });
    case FourLetterWord::kWchc:
      return unless_too_long(inspection_.watch_counts().watches, "watches", kInsteadOfWatches,
                             [&] { return wchc_text(inspection_.watches_by_session()); });
    case FourLetterWord::kDirs:
      return dirs_text(inspection_.surroundings().snapshot_folder_bytes,
                       inspection_.surroundings().log_folder_bytes);
    case FourLetterWord::kHash:
      return hash_text(inspection_.digests());
    case FourLetterWord::kMntr:
      return mntr_(now);
    case FourLetterWord::kCrst:
      replica_.reset_connection_stats();
      return std::string(kCrstText);
    case FourLetterWord::kSrst:
      reset_statistics(now);
      return std::string(kSrstText);
    case FourLetterWord::kGtmk:
      return std::to_string(trace_mask_);
    case FourLetterWord::kStmk:
      return set_trace_mask(rest);
    case FourLetterWord::kTelnetClose:
      break;
  }
  return {};
}

void Words::reset_statistics(const Moment& now) {
  replica_.reset_stats(now);
  node_.fsync_ns = {};
  node_.snapshot_ns = {};
  asked_at_reset_ = asked_;
}

std::string Words::set_trace_mask(std::span<const std::byte> rest) {
  if (rest.size() < sizeof(std::int64_t)) return {};
  std::uint64_t mask = 0;
  for (const std::byte byte : rest.first(sizeof mask)) mask = mask << 8 | static_cast<std::uint64_t>(byte);
  trace_mask_ = static_cast<std::int64_t>(mask);
  return std::to_string(trace_mask_);
}

Entries Words::conf() const {
  const auto number = [](auto value) { return std::to_string(value); };
  const ServerConfiguration told = inspection_.configuration();
  return {{"clientPort", number(told.client_port)},
          {"secureClientPort", "-1"},
          {"dataDir", told.data_dir},
          {"dataDirSize", told_bytes(inspection_.surroundings().snapshot_folder_bytes)},
          {"dataLogDir", told.log_dir},
          {"dataLogSize", told_bytes(inspection_.surroundings().log_folder_bytes)},
          {"tickTime", number(told.tick_ms)},
          {"maxClientCnxns", number(told.connections_per_address_max)},
          {"minSessionTimeout", number(told.session_timeout_min_ms)},
          {"maxSessionTimeout", number(told.session_timeout_max_ms)},
          {"clientPortListenBacklog", number(told.listen_backlog)},
          {"serverId", number(told.server_id)}};
}

DumpFacts Words::dump(const Moment& now) const {
  using std::chrono::steady_clock;
  const auto hex = [](SessionId id) { return fmt::format("0x{:x}", static_cast<std::uint64_t>(id.value)); };
  const auto wall = [&now](steady_clock::time_point at) {
    return now.wall + std::chrono::duration_cast<std::chrono::system_clock::duration>(at - now.steady);
  };
  DumpFacts facts;
  std::map<SessionId, steady_clock::time_point> ends;
  for (const auto& [at, sessions] : inspection_.sessions_by_end()) {
    facts.sessions.push_back({wall(at), {}});
    for (const SessionId id : sessions) {
      facts.sessions.back().entries.push_back(hex(id));
      ends.emplace(id, at);
    }
  }
  for (auto& [session, paths] : inspection_.ephemerals())
    facts.ephemerals.emplace_back(session, std::move(paths));
  // Connections do not expire by themselves here but with their sessions; who has none ends with its
  // handshake's time.
  std::map<steady_clock::time_point, std::vector<std::string>> connections;
  inspection_.port().for_each([&](const net::Connection& socket) {
    const SessionId session = inspection_.session_of(socket.id());
    const auto found = ends.find(session);
    const auto at = found != ends.end() ? found->second : now.steady + config_.limits.sessionless_timeout;
    const std::string address = endpoint_text(socket.address(), socket.peer_port());
    connections[at].push_back(fmt::format("ip: /{} sessionId: {}", address, hex(session)));
  });
  for (auto& [at, entries] : connections) facts.connections.push_back({wall(at), std::move(entries)});
  return facts;
}

}  // namespace wk::node
