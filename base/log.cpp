#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace wk {
namespace {

constexpr std::size_t kLogQueueLines = 512;

/// Bytes of the UTF-8 character at the beginning of `text`; 0 when none begins there.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t bytes = byte(0) < 0x80                       ? 1
                            : byte(0) >= 0xc2 && byte(0) <= 0xdf ? 2
                            : (byte(0) & 0xf0) == 0xe0           ? 3
                            : byte(0) >= 0xf0 && byte(0) <= 0xf4 ? 4
                                                                 : 0;
  if (bytes > text.size()) return 0;
  for (std::size_t i = 1; i < bytes; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  // Longer than needed, surrogates, and beyond the last plane.
  if ((byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xed && byte(1) > 0x9f) ||
      (byte(0) == 0xf0 && byte(1) < 0x90) || (byte(0) == 0xf4 && byte(1) > 0x8f))
    return 0;
  return bytes;
}

/// Pattern flag %j: the message as the inside of a JSON string. Bytes that are not UTF-8 become U+FFFD.
class JsonMessageFlag : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& msg, const std::tm&, spdlog::memory_buf_t& out) override {
    std::string_view rest(msg.payload.data(), msg.payload.size());
    while (!rest.empty()) {
      const std::size_t bytes = character_bytes(rest);
      const char c = rest.front();
      if (bytes == 0) {
        fmt::format_to(std::back_inserter(out), "\\ufffd");
      } else if (c == '"' || c == '\\') {
        out.push_back('\\');
        out.push_back(c);
      } else if (static_cast<unsigned char>(c) < 0x20) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
      } else {
        out.append(rest.data(), rest.data() + bytes);
      }
      rest.remove_prefix(std::max<std::size_t>(bytes, 1));
    }
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessageFlag>();
  }
};

}  // namespace

Result<void> start_logging(std::string_view level, LogFormat format) {
  static constexpr std::array<std::pair<std::string_view, spdlog::level::level_enum>, 6> kLevels{
      {{"trace", spdlog::level::trace},
       {"debug", spdlog::level::debug},
       {"info", spdlog::level::info},
       {"warn", spdlog::level::warn},
       {"error", spdlog::level::err},
       {"critical", spdlog::level::critical}}};
  const auto* found = kLevels.begin();
  while (found != kLevels.end() && found->first != level) ++found;
  if (found == kLevels.end())
    return Error{
        Errc::kInvalidInput,
        fmt::format("unknown log level \"{}\"; use trace, debug, info, warn, error or critical", level)};

  spdlog::init_thread_pool(kLogQueueLines, 1);
  auto logger = std::make_shared<spdlog::async_logger>("", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                                       spdlog::thread_pool(),
                                                       spdlog::async_overflow_policy::overrun_oldest);
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<JsonMessageFlag>('j');
  formatter->set_pattern(format == LogFormat::kJson
                             ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":"%j"})"
                             : "%Y-%m-%dT%H:%M:%S.%e%z %-8l %v");
  logger->set_formatter(std::move(formatter));
  logger->set_level(found->second);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  out.reserve(std::min(text.size(), limit));
  for (const char c : text) {
    if (out.size() >= limit) return out += "…";
    if (c >= 0x20 && c < 0x7f)
      out.push_back(c);
    else
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace wk
