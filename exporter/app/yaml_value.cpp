#include "exporter/app/yaml_value.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/near_miss.h"

namespace wk::exporter {
namespace {

const char* kind(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return "a single value";
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a mapping";
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined:
      break;
  }
  return "empty";
}

}  // namespace

std::string yaml_place(const std::string& file, const YAML::Mark& mark, std::string_view what) {
  // A mark of -1 is yaml-cpp's "nowhere": the beginning of the file.
  return fmt::format("{}:{}:{}: {}", printable(file), std::max(mark.line, 0) + 1,
                     std::max(mark.column, 0) + 1, what);
}

void YamlValue::fail(std::string_view what) const {
  throw YamlFault(yaml_place(*file_, mark_,
                             key_.empty() ? std::string(what) : fmt::format("key \"{}\": {}", key_, what)));
}

YamlValue YamlValue::child(YAML::Node node, std::string_view key) const {
  return {std::move(node), *file_, key_.empty() ? std::string(key) : fmt::format("{}.{}", key_, key)};
}

std::string YamlValue::text() const {
  if (!node_.IsScalar()) {
    if (node_.IsNull()) fail("is empty; write a value or remove the key");
    fail(fmt::format("is {}; write a single value", kind(node_)));
  }
  const std::string& text = node_.Scalar();
  if (text.empty()) fail("is empty; write a value or remove the key");
  return text;
}

bool YamlValue::boolean() const {
  const std::string word = text();
  if (word == "true") return true;
  if (word == "false") return false;
  fail(fmt::format("\"{}\" is neither true nor false; write one of them", printable(word, 40)));
}

std::vector<YamlValue> YamlValue::list(std::size_t limit) const {
  if (!node_.IsSequence()) fail(fmt::format("is {}; write a list", kind(node_)));
  if (node_.size() == 0) fail("is an empty list; write at least one item");
  if (node_.size() > limit) fail(fmt::format("has {} items; at most {} are allowed", node_.size(), limit));
  std::vector<YamlValue> items;
  items.reserve(node_.size());
  for (std::size_t i = 0; i < node_.size(); ++i)
    items.emplace_back(node_[i], *file_, fmt::format("{}[{}]", key_, i));
  return items;
}

YamlMap YamlValue::map(std::span<const std::string_view> known) const {
  if (!node_.IsMap())
    fail(fmt::format("is {}; write a mapping with the keys {}", kind(node_), fmt::join(known, ", ")));
  YamlMap map;
  for (const auto& entry : node_) {
    if (!entry.first.IsScalar())
      child(entry.first, "?")
          .fail(fmt::format("a key that is no single word; known keys are {}", fmt::join(known, ", ")));
    const std::string& key = entry.first.Scalar();
    const YamlValue at_key = child(entry.first, printable(key, 80));
    if (std::ranges::find(known, key) == known.end()) {
      const std::string_view near = near_miss(key, known);
      at_key.fail(near.empty() ? fmt::format("unknown key; known keys are {}", fmt::join(known, ", "))
                               : fmt::format("unknown key; did you mean \"{}\"?", near));
    }
    // Known keys are few, so that a mapping of a million entries ends here after as many steps.
    if (map.find(key)) at_key.fail("stands twice; remove one of them");
    YamlValue value = child(entry.second, key);
    // yaml-cpp places a value that is not there at whatever comes next, maybe lines further down.
    if (entry.second.IsNull()) value.mark_ = entry.first.Mark();
    map.entries_.emplace_back(key, std::move(value));
  }
  return map;
}

std::optional<YamlValue> YamlMap::find(std::string_view key) const {
  for (const auto& [name, value] : entries_)
    if (name == key) return value;
  return std::nullopt;
}

}  // namespace wk::exporter
