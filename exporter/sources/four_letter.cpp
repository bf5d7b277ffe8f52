#include "exporter/sources/four_letter.h"

#include <algorithm>
#include <array>
#include <bit>

namespace wk::exporter {
namespace {

constexpr std::string_view kNotServingZooKeeper = "This ZooKeeper instance is not currently serving requests";
constexpr std::string_view kNotServingKeeper = "This instance is not currently serving requests";
constexpr std::string_view kNotWhitelisted = " is not executed because it is not in the whitelist.";

std::string_view first_line(std::string_view text) { return Lines(text).next().value_or(std::string_view()); }

bool is_cut(std::string_view text, std::string_view whole) {
  return text.size() < whole.size() && whole.starts_with(text);
}

Parsed truncated(std::string_view missing) {
  return parsed_failure(SourceState::kTruncated, "the answer ends before " + std::string(missing));
}

Parsed unexpected(std::string_view text) {
  return parsed_failure(SourceState::kMalformed,
                        "unexpected answer: " + std::string(first_line(text).substr(0, kDetailLimit)));
}

// "WORD is not exec": the reply to a word outside the whitelist, cut.
bool is_cut_whitelist_reply(std::string_view text) {
  constexpr std::size_t kWord = 4;
  constexpr std::size_t kTelling = 8;
  return text.size() >= kWord + kTelling && is_cut(text.substr(kWord), kNotWhitelisted);
}

}  // namespace

std::optional<Parsed> classify(std::string_view text) {
  if (text.empty())
    return parsed_failure(SourceState::kClosed, "the connection was closed without an answer");
  if (text.starts_with(kNotServingZooKeeper) || text.starts_with(kNotServingKeeper))
    return parsed_failure(SourceState::kNotServing, first_line(text));
  if (first_line(text).find(kNotWhitelisted) != std::string_view::npos)
    return parsed_failure(SourceState::kNotWhitelisted, first_line(text));
  if (text.starts_with("HTTP/") || text.starts_with("<"))
    return parsed_failure(SourceState::kMalformed, "an HTTP server answers on this port");
  constexpr std::string_view kTlsAlert("\x15\x03", 2);
  if (text.starts_with(kTlsAlert))
    return parsed_failure(SourceState::kTlsFailure, "the port answered with a TLS alert: it speaks TLS only");
  constexpr std::size_t kTelling = 5;
  if ((text.size() >= kTelling && (is_cut(text, kNotServingZooKeeper) || is_cut(text, kNotServingKeeper))) ||
      is_cut_whitelist_reply(text))
    return truncated("the end of the line");
  return std::nullopt;
}

Parsed parse_ruok(std::string_view text) {
  if (auto general = classify(text)) return *std::move(general);
  constexpr std::string_view kAnswer = "imok";
  const std::string_view word = trimmed(first_line(text));
  if (word == kAnswer) return parsed_ok(RuokAnswer{true});
  return is_cut(word, kAnswer) ? truncated("the end of \"imok\"") : unexpected(text);
}

Parsed parse_isro(std::string_view text) {
  if (auto general = classify(text)) return *std::move(general);
  const std::string_view word = trimmed(first_line(text));
  if (word == "rw") return parsed_ok(IsroAnswer{IsroAnswer::Mode::kReadWrite});
  if (word == "ro") return parsed_ok(IsroAnswer{IsroAnswer::Mode::kReadOnly});
  if (word == "null") return parsed_ok(IsroAnswer{IsroAnswer::Mode::kNull});
  return is_cut(word, "rw") || is_cut(word, "null") ? truncated("the end of the word") : unexpected(text);
}

Parsed parse_dirs(std::string_view text) {
  if (auto general = classify(text)) return *std::move(general);
  DirsAnswer answer;
  bool snapshot_seen = false;
  bool log_seen = false;
  bool known = false;
  Lines lines(text);
  while (const auto line = lines.next()) {
    const auto colon = line->find(':');
    const std::string_view key = trimmed(line->substr(0, colon));
    const bool snapshot = key == "datadir_size" || key == "snapshot_dir_size";
    const bool log = key == "logdir_size" || key == "log_dir_size";
    known = known || snapshot || log || is_cut(key, "datadir_size") || is_cut(key, "snapshot_dir_size");
    if (colon == std::string_view::npos || (!snapshot && !log)) continue;
    const auto size = parse_integer<std::int64_t>(trimmed(line->substr(colon + 1)));
    if (!size && text.ends_with('\n')) return unexpected(*line);
    if (size && *size >= 0)
      (snapshot ? answer.snapshot_bytes : answer.log_bytes) = static_cast<std::uint64_t>(*size);
    (snapshot ? snapshot_seen : log_seen) = true;
  }
  if (!known) return unexpected(text);
  if (!snapshot_seen || !log_seen || !text.ends_with('\n')) return truncated("the size of the log directory");
  return parsed_ok(answer);
}

Parsed parse_wchs(std::string_view text) {
  if (auto general = classify(text)) return *std::move(general);
  constexpr std::string_view kConnections = " connections watching ";
  constexpr std::string_view kPaths = " paths";
  constexpr std::string_view kTotal = "Total watches:";
  Lines lines(text);
  const std::string_view first = *lines.next();
  const auto digits = first.find_first_not_of("0123456789");
  const std::string_view rest = digits == std::string_view::npos ? std::string_view() : first.substr(digits);
  const auto connections = parse_integer<std::uint64_t>(first.substr(0, digits));
  if (!connections) return unexpected(text);
  if (!rest.starts_with(kConnections))
    return is_cut(rest, kConnections) ? truncated("the total") : unexpected(text);
  const std::string_view tail = rest.substr(kConnections.size());
  const auto paths = parse_integer<std::uint64_t>(tail.substr(0, tail.find(' ')));
  const auto second = lines.next();
  if (!second || !text.ends_with('\n')) return truncated("the total of watches");
  if (!paths || !tail.ends_with(kPaths) || !second->starts_with(kTotal)) return unexpected(text);
  const auto watches = parse_integer<std::uint64_t>(trimmed(second->substr(kTotal.size())));
  if (!watches) return unexpected(*second);
  return parsed_ok(WatchesAnswer{*connections, *paths, *watches});
}

Parsed parse_hash(std::string_view text) {
  if (text.empty()) return parsed_ok(DigestsAnswer{});
  if (auto general = classify(text)) return *std::move(general);
  // A ring keeps the newest without moving the rest at each line.
  std::array<Digest, DigestsAnswer::kLimit> ring;
  std::size_t count = 0;
  Lines lines(text);
  while (const auto line = lines.next()) {
    const auto colon = line->find(": ");
    const auto zxid = parse_integer<std::uint64_t>(line->substr(0, colon), 16);
    // Java's long: printed signed, compared as bits.
    const auto value = colon == std::string_view::npos
                           ? std::nullopt
                           : parse_integer<std::int64_t>(trimmed(line->substr(colon + 2)));
    if (!zxid || !value) {
      const bool last = line->data() + line->size() == text.data() + text.size();
      return last ? truncated("the end of the last digest") : unexpected(*line);
    }
    ring[count++ % ring.size()] = Digest{Zxid{*zxid}, std::bit_cast<std::uint64_t>(*value)};
  }
  if (!text.ends_with('\n')) return truncated("the end of the last digest");
  DigestsAnswer answer;
  for (std::size_t i = count > ring.size() ? count - ring.size() : 0; i < count; ++i)
    answer.digests.push_back(ring[i % ring.size()]);
  // Nothing promises the order that the contract of DigestsAnswer does.
  std::sort(answer.digests.begin(), answer.digests.end());
  return parsed_ok(std::move(answer));
}

}  // namespace wk::exporter
