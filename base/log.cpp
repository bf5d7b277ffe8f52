#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <memory>
#include <utility>

namespace wk {
namespace {

constexpr std::size_t kLogQueueLines = 512;

/// Pattern flag %j: the message as the inside of a JSON string.
class JsonMessageFlag : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& msg, const std::tm&, spdlog::memory_buf_t& out) override {
    for (const char c : std::string_view(msg.payload.data(), msg.payload.size())) {
      if (c == '"' || c == '\\') {
        out.push_back('\\');
        out.push_back(c);
      } else if (static_cast<unsigned char>(c) < 0x20) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
      } else {
        out.push_back(c);
      }
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
