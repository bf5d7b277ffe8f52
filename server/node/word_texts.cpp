#include "server/node/word_texts.h"

#include <fmt/format.h>

#include <iterator>

#include "base/endpoint.h"
#include "server/node/java_text.h"

namespace wk::node {
namespace {

using Output = fmt::memory_buffer;

template <typename... Args>
void add(Output& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

void add_connection(Output& out, const ConnectionLine& line, bool full) {
  add(out, " /{}[{:x}](queued={},recved={},sent={}", endpoint_text(line.address, line.port),
      line.interest_ops, line.queued, line.received, line.sent);
  if (full && line.session) {
    const ConnectionLine::Session& session = *line.session;
    add(out, ",sid=0x{},lop={},est={},to={}", java_hex(session.id.value), session.last_operation,
        session.established_ms, session.timeout_ms);
    if (session.last_cxid >= 0) add(out, ",lcxid=0x{:x}", session.last_cxid);
    add(out, ",lzxid=0x{},lresp={},llat={},minlat={},avglat={},maxlat={}",
        session.last_zxid ? fmt::format("{:x}", session.last_zxid->value) : "ffffffffffffffff",
        session.last_response_ms, session.latency_last_ms, session.latency_min_ms, session.latency_mean_ms,
        session.latency_max_ms);
  }
  add(out, ")\n");
}

void add_status(Output& out, const ServerStatus& status) {
  add(out,
      "Latency min/avg/max: {}/{}/{}\nReceived: {}\nSent: {}\nConnections: {}\nOutstanding: {}\nZxid: "
      "0x{:x}\n"
      "Mode: {}\nNode count: {}\n",
      status.latency_min_ms, rounded_mean(status.latency_mean_ms), status.latency_max_ms, status.received,
      status.sent, status.connections, status.outstanding, status.zxid.value, status.mode, status.nodes);
}

void add_entries(Output& out, const Entries& entries) {
  for (const auto& [key, value] : entries) add(out, "{}={}\n", key, value);
}

void add_expiry(Output& out, std::string_view title, std::span<const ExpiryLine> lines) {
  std::size_t total = 0;
  for (const ExpiryLine& line : lines) total += line.entries.size();
  add(out, "{} ({})/({}):\n", title, lines.size(), total);
  for (const ExpiryLine& line : lines) {
    add(out, "{} expire at {}:\n", line.entries.size(), java_date(line.at));
    for (const std::string& entry : line.entries) add(out, "\t{}\n", entry);
  }
}

}  // namespace

std::string srvr_text(const ServerStatus& status) {
  Output out;
  add(out, "Zookeeper version: {}\n", status.version);
  add_status(out, status);
  return fmt::to_string(out);
}

std::string stat_text(const ServerStatus& status, std::span<const ConnectionLine> connections) {
  Output out;
  add(out, "Zookeeper version: {}\nClients:\n", status.version);
  for (const ConnectionLine& connection : connections) add_connection(out, connection, false);
  add(out, "\n");
  add_status(out, status);
  return fmt::to_string(out);
}

std::string cons_text(std::span<const ConnectionLine> connections) {
  Output out;
  for (const ConnectionLine& connection : connections) add_connection(out, connection, true);
  add(out, "\n");
  return fmt::to_string(out);
}

std::string conf_text(const Entries& entries) {
  Output out;
  add_entries(out, entries);
  return fmt::to_string(out);
}

std::string envi_text(const Entries& entries) {
  Output out;
  add(out, "Environment:\n");
  add_entries(out, entries);
  return fmt::to_string(out);
}

std::string dump_text(const DumpFacts& facts) {
  Output out;
  add(out, "SessionTracker dump:\n");
  add_expiry(out, "Session Sets", facts.sessions);
  add(out, "ephemeral nodes dump:\nSessions with Ephemerals ({}):\n", facts.ephemerals.size());
  for (const auto& [session, paths] : facts.ephemerals) {
    add(out, "0x{}:\n", java_hex(session.value));
    for (const std::string& path : paths) add(out, "\t{}\n", path);
  }
  add(out, "Connections dump:\n");
  add_expiry(out, "Connections Sets", facts.connections);
  return fmt::to_string(out);
}

std::string wchs_text(std::size_t connections, std::size_t paths, std::size_t watches) {
  return fmt::format("{} connections watching {} paths\nTotal watches:{}\n", connections, paths, watches);
}

std::string wchp_text(const std::map<std::string, std::vector<SessionId>>& watches) {
  Output out;
  for (const auto& [path, sessions] : watches) {
    add(out, "{}\n", path);
    for (const SessionId session : sessions) add(out, "\t0x{}\n", java_hex(session.value));
  }
  add(out, "\n");
  return fmt::to_string(out);
}

std::string wchc_text(const std::map<SessionId, std::vector<std::string>>& watches) {
  Output out;
  for (const auto& [session, paths] : watches) {
    add(out, "0x{}\n", java_hex(session.value));
    for (const std::string& path : paths) add(out, "\t{}\n", path);
  }
  add(out, "\n");
  return fmt::to_string(out);
}

std::string told_bytes(std::optional<std::uint64_t> bytes) { return bytes ? std::to_string(*bytes) : "-1"; }

std::string dirs_text(std::optional<std::uint64_t> data_bytes, std::optional<std::uint64_t> log_bytes) {
  return fmt::format("datadir_size: {}\nlogdir_size: {}\n", told_bytes(data_bytes), told_bytes(log_bytes));
}

std::string hash_text(std::span<const std::pair<Zxid, std::uint64_t>> digests) {
  Output out;
  for (const auto& [zxid, digest] : digests)
    add(out, "{:x}: {}\n", zxid.value, static_cast<std::int64_t>(digest));
  return fmt::to_string(out);
}

std::string not_whitelisted_text(net::FourLetterWord word) {
  return fmt::format("{} is not executed because it is not in the whitelist.\n", net::name(word));
}

}  // namespace wk::node
