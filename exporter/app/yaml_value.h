// A value of a YAML file that knows its place: typed reading with errors an editor can jump to.
//
// Thread: any. Readers throw YamlFault, which stays inside the parser of one file (config.cpp).
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace wk::exporter {

/// One line: `FILE:LINE:COLUMN: key "x": what; remedy`.
struct YamlFault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// `FILE:LINE:COLUMN: what` with lines and columns that begin at 1, as editors count them.
std::string yaml_place(const std::string& file, const YAML::Mark& mark, std::string_view what);

class YamlMap;

class YamlValue {
 public:
  /// \param file  must outlive the value
  /// \param key   path from the root, for example "ensembles[0].members"; empty for the root
  YamlValue(YAML::Node node, const std::string& file, std::string key)
      : node_(std::move(node)), mark_(node_.Mark()), file_(&file), key_(std::move(key)) {}

  [[noreturn]] void fail(std::string_view what) const;

  [[nodiscard]] bool is_scalar() const { return node_.IsScalar(); }
  [[nodiscard]] bool is_map() const { return node_.IsMap(); }

  /// The text of a scalar; a null or an empty one is a fault.
  [[nodiscard]] std::string text() const;
  /// true or false.
  [[nodiscard]] bool boolean() const;
  /// The items of a list with 1 … `limit` of them.
  [[nodiscard]] std::vector<YamlValue> list(std::size_t limit) const;
  /// The entries of a mapping in which each key is one of `known` and stands once.
  [[nodiscard]] YamlMap map(std::span<const std::string_view> known) const;

  /// What `parse`, a function from text to Result, makes of the scalar.
  template <typename Parse>
  [[nodiscard]] auto as(Parse parse) const {
    auto parsed = parse(text());
    if (!parsed) fail(parsed.error().message);
    return *std::move(parsed);
  }

 private:
  [[nodiscard]] YamlValue child(YAML::Node node, std::string_view key) const;

  YAML::Node node_;
  YAML::Mark mark_;
  const std::string* file_;
  std::string key_;
};

class YamlMap {
 public:
  /// The value of `key`, absent when the mapping lacks it.
  [[nodiscard]] std::optional<YamlValue> find(std::string_view key) const;

 private:
  friend class YamlValue;
  std::vector<std::pair<std::string, YamlValue>> entries_;
};

}  // namespace wk::exporter
