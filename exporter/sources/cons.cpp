#include "exporter/sources/cons.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "exporter/sources/four_letter.h"

namespace wk::exporter {
namespace {

constexpr std::size_t kAddressLength = 128;
constexpr std::size_t kOperationLength = 32;

bool busier(const ClientConnection& a, const ClientConnection& b) {
  const auto rank = [](const ClientConnection& one) { return one.received.value_or(0); };
  if (rank(a) != rank(b)) return rank(a) > rank(b);
  return std::tie(a.address, a.port) < std::tie(b.address, b.port);
}

std::optional<std::chrono::milliseconds> milliseconds(std::string_view text) {
  const auto value = parse_integer<std::int64_t>(text);
  if (!value || *value < 0) return std::nullopt;
  return std::chrono::milliseconds(*value);
}

// Java prints a session id as the hexadecimal digits of 64 bits.
std::optional<SessionId> session_id(std::string_view text) {
  if (!text.starts_with("0x")) return std::nullopt;
  const auto value = parse_integer<std::uint64_t>(text.substr(2), 16);
  // ClickHouse Keeper prints all ones, Apache prints 0, for a connection without session.
  if (!value || *value == 0 || *value == ~std::uint64_t{0}) return std::nullopt;
  return SessionId{static_cast<std::int64_t>(*value)};
}

void set_field(ClientConnection& connection, std::string_view key, std::string_view value) {
  if (key == "queued")
    connection.queued = parse_integer<std::uint64_t>(value);
  else if (key == "recved")
    connection.received = parse_integer<std::uint64_t>(value);
  else if (key == "sent")
    connection.sent = parse_integer<std::uint64_t>(value);
  else if (key == "sid")
    connection.session = session_id(value);
  else if (key == "lop")
    connection.last_operation = clean_text(value, kOperationLength);
  else if (key == "to")
    connection.session_timeout = milliseconds(value);
  else if (key == "avglat")
    connection.latency_average = milliseconds(value);
  else if (key == "maxlat")
    connection.latency_maximum = milliseconds(value);
}

struct ConnectionLine {
  ClientConnection connection;
  bool apache = false;
  bool closed = false;  ///< while the list was made: it has no address any more
};

std::optional<ConnectionLine> parse_line(std::string_view line) {
  line = trimmed(line);
  const auto open = line.find('(');
  if (open == std::string_view::npos || !line.ends_with(')')) return std::nullopt;
  std::string_view head = line.substr(0, open);
  std::string_view fields = line.substr(open + 1, line.size() - open - 2);
  ConnectionLine result;
  if (head.ends_with(']')) {
    const auto bracket = head.rfind('[');
    if (bracket == std::string_view::npos) return std::nullopt;
    head = head.substr(0, bracket);
    result.apache = true;
  }
  // Java's text of the address that a closed socket no longer has.
  result.closed = result.apache && head == "null";
  if (!result.closed && !set_address(result.connection, head)) return std::nullopt;
  while (!fields.empty()) {
    const auto comma = fields.find(',');
    const std::string_view field = fields.substr(0, comma);
    if (const auto equals = field.find('='); equals != std::string_view::npos)
      set_field(result.connection, field.substr(0, equals), field.substr(equals + 1));
    fields.remove_prefix(comma == std::string_view::npos ? fields.size() : comma + 1);
  }
  if (!result.connection.received) return std::nullopt;
  return result;
}

}  // namespace

bool set_address(ClientConnection& connection, std::string_view text) {
  if (const auto slash = text.rfind('/'); slash != std::string_view::npos) text.remove_prefix(slash + 1);
  const auto parts = parse_host_port(text);
  if (!parts) return false;
  connection.address = clean_text(parts->host, kAddressLength);
  connection.port = parts->port;
  return true;
}

void ConnectionTally::add(ClientConnection connection) {
  ++answer_.total;
  if (connection.session) ++answer_.with_session;
  ++by_address_[connection.address];
  auto& heap = answer_.busiest;
  if (heap.size() < ConnectionsAnswer::kConnectionLimit) {
    heap.push_back(std::move(connection));
    std::ranges::push_heap(heap, busier);
  } else if (busier(connection, heap.front())) {
    std::ranges::pop_heap(heap, busier);
    heap.back() = std::move(connection);
    std::ranges::push_heap(heap, busier);
  }
}

ConnectionsAnswer ConnectionTally::finish() {
  std::ranges::sort_heap(answer_.busiest, busier);
  std::vector<std::pair<std::string, std::uint64_t>> rows(by_address_.begin(), by_address_.end());
  by_address_.clear();
  const auto more = [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  };
  const auto kept = std::min(rows.size(), ConnectionsAnswer::kAddressLimit);
  std::ranges::partial_sort(rows, rows.begin() + static_cast<std::ptrdiff_t>(kept), more);
  rows.resize(kept);
  answer_.by_address = std::move(rows);
  return std::exchange(answer_, {});
}

Parsed parse_cons(std::string_view text) {
  if (auto general = classify(text)) return *std::move(general);
  ConnectionTally tally;
  bool apache = false;
  bool blank_end = false;
  Lines lines(text);
  while (const auto line = lines.next()) {
    blank_end = trimmed(*line).empty();
    if (blank_end) continue;
    const bool last = line->data() + line->size() == text.data() + text.size();
    if (last) return parsed_failure(SourceState::kTruncated, "the answer ends within a connection");
    auto parsed = parse_line(*line);
    if (!parsed)
      return parsed_failure(SourceState::kMalformed,
                            "not a connection: " + std::string(line->substr(0, kDetailLimit)));
    apache = apache || parsed->apache;
    if (!parsed->closed) tally.add(std::move(parsed->connection));
  }
  if (!text.ends_with('\n') || (apache && !blank_end))
    return parsed_failure(SourceState::kTruncated, "the answer ends before its last connection");
  return parsed_ok(tally.finish());
}

}  // namespace wk::exporter
