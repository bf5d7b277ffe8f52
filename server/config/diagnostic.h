// What is the matter with a configuration, for a person: where, what, why, and what to do.
//
// Thread: any; plain values.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace wk::config {

/// Where a setting was made.
struct Place {
  std::string file;  ///< a file's name, "command line" or "environment"
  int line = 0;      ///< from 1; 0 where lines do not exist

  Place() = default;
  Place(std::string where, int number) : file(std::move(where)), line(number) {}

  /// "FILE:LINE", or the file alone.
  [[nodiscard]] std::string to_string() const;
};

enum class Severity { kNote, kWarning, kError };
const char* name(Severity severity);

/// Exit status of Apache's server for each kind of refusal. Source: reference/configuration.md, section 1.4.
inline constexpr int kExitUnexpected = 1;
inline constexpr int kExitInvalidConfiguration = 2;

struct Diagnostic {
  Severity severity = Severity::kError;
  Place place;
  std::string key;                            ///< as written; empty when the remark is not about one key
  std::string reason;                         ///< what is the matter; where Apache has a message, its words
  std::string remedy;                         ///< what to do; may be empty for notes
  int exit_code = kExitInvalidConfiguration;  ///< of errors

  /// One line: `FILE:LINE: error: KEY: reason; remedy`, with control characters as \xNN.
  [[nodiscard]] std::string to_string() const;
};

using Diagnostics = std::vector<Diagnostic>;

/// The exit code of the first error, 0 when there is none.
int exit_code(const Diagnostics& diagnostics);

}  // namespace wk::config
