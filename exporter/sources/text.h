// Reading numbers, lines and words out of text that a stranger sent: strict, bounded, independent of the
// locale.
//
// Thread: any; pure functions.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace wk::exporter {

/// `text` as valid UTF-8 without control characters, at most `limit` bytes: what does not fit is cut between
/// characters, what is not valid becomes '?'. So it may go into logs, JSON and labels.
std::string clean_text(std::string_view text, std::size_t limit);

/// `text` without blanks, tabs and carriage returns at its ends.
std::string_view trimmed(std::string_view text);

/// The lines of a text, without LF and a CR before it. The text after the last LF counts as a line unless
/// empty.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  /// The next line, or nothing at the end.
  std::optional<std::string_view> next();

 private:
  std::string_view rest_;
};

/// The whole of `text` as an integer of that base, without sign for unsigned types; nothing when it is not
/// one or does not fit.
template <typename Integer>
std::optional<Integer> parse_integer(std::string_view text, int base = 10) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// A number as ZooKeeper, Java and Prometheus print it ("12", "0.4645", "1.0E-4", "NaN", "+Inf"): the value
/// may be NaN or infinite. Nothing when the whole text is not one number or passes the range of double.
std::optional<double> parse_number(std::string_view text);

/// A zxid: hexadecimal after "0x", decimal without (as ClickHouse Keeper, RaftKeeper and AdminServer print
/// it).
std::optional<Zxid> parse_zxid(std::string_view text);

/// "HOST:PORT" or "[HOST]:PORT" taken apart at the last colon; a port of 0 is allowed. Brackets are removed.
struct HostPort {
  std::string_view host;
  std::uint16_t port = 0;
};
std::optional<HostPort> parse_host_port(std::string_view text);

}  // namespace wk::exporter
