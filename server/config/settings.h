// All settings from all places, laid over each other by name and checked against the table of keys.
//
// Thread: any; pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/diagnostic.h"
#include "server/config/key_table.h"

namespace wk::config {

/// One setting from the command line or the environment.
struct Override {
  std::string key;  ///< with or without the prefix "zookeeper."
  std::string value;
  Place place;
};

struct Setting {
  std::string written_key;
  std::string value;
  Place place;
};

class Settings {
 public:
  explicit Settings(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  /// Adds a line of zoo.cfg. A key that stands twice is told; the last one counts, as in Apache.
  void add_line(std::string key, std::string value, Place place, bool lenient);
  /// Lays an override over whatever was there.
  /// Differs: in Apache zoo.cfg wins over -D for pass-through keys, and -D never reaches the others.
  void add_override(Override override);

  /// Checks every setting: unknown keys with "did you mean", values against their type, standing. Call once,
  /// after everything was added.
  void check();

  [[nodiscard]] const Setting* find(std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  [[nodiscard]] Place place_of(std::string_view key) const;

  /// The value, or `otherwise` when the key is not set or was found malformed (which check() has told).
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t otherwise) const;
  [[nodiscard]] bool boolean(std::string_view key, bool otherwise) const;
  [[nodiscard]] std::string text(std::string_view key, std::string_view otherwise) const;

  /// All settings of a family, by key.
  [[nodiscard]] std::vector<std::pair<std::string, Setting>> family(KeyFamily family) const;

  void note(std::string_view key, std::string reason, std::string remedy);
  void warn(std::string_view key, std::string reason, std::string remedy);
  void fail(std::string_view key, std::string reason, std::string remedy,
            int exit_code = kExitInvalidConfiguration);

 private:
  void add(std::string key, Setting setting, bool override);
  void check_unknown(const std::string& key, const Setting& setting);
  void check_family(const std::string& key, KeyFamily family);
  void check_value(const KeyRule& rule, const Setting& setting);
  void check_standing(const KeyRule& rule, const Setting& setting);
  void report(Severity severity, std::string_view key, std::string reason, std::string remedy, int exit_code);

  std::map<std::string, Setting, std::less<>> by_key_;
  Diagnostics& diagnostics_;
};

}  // namespace wk::config
