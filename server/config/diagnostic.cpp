#include "server/config/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace wk::config {

namespace {

/// `text` with control characters as \xNN: a key may hold an escaped line feed.
std::string one_line(std::string_view text) {
  constexpr unsigned char kDelete = 0x7f;
  std::string line;
  line.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == kDelete) {
      line += fmt::format("\\x{:02x}", byte);
    } else {
      line += c;
    }
  }
  return line;
}

}  // namespace

std::string Place::to_string() const { return line > 0 ? fmt::format("{}:{}", file, line) : file; }

const char* name(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      break;
  }
  return "error";
}

std::string Diagnostic::to_string() const {
  std::string text = fmt::format("{}: {}: ", place.to_string(), name(severity));
  if (!key.empty()) text += key + ": ";
  text += reason;
  if (!remedy.empty()) text += "; " + remedy;
  return one_line(text);
}

int exit_code(const Diagnostics& diagnostics) {
  const auto error = std::ranges::find(diagnostics, Severity::kError, &Diagnostic::severity);
  return error == diagnostics.end() ? 0 : error->exit_code;
}

}  // namespace wk::config
