// Recorded answers of tests/golden, as the parsers get them.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "exporter/sources/parsed.h"

namespace wk::exporter {

/// The bytes of tests/golden/PATH; fails the test when the file is missing.
inline std::string golden(const std::string& path) {
  std::ifstream file(std::string(WK_SOURCE_DIR) + "/tests/golden/" + path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The body of a recorded HTTP answer.
inline std::string golden_body(const std::string& path) {
  const std::string text = golden(path);
  const auto end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/") || end == std::string::npos) return text;
  return text.substr(end + 4);
}

/// The answer of kind T; fails the test, and gives an empty one, when `parsed` is something else.
template <typename T>
T answer_of(const Parsed& parsed) {
  EXPECT_EQ(parsed.state, SourceState::kOk) << name(parsed.state) << ": " << parsed.detail;
  const T* answer = std::get_if<T>(&parsed.answer);
  EXPECT_NE(answer, nullptr) << "another kind of answer";
  return answer != nullptr ? *answer : T{};
}

inline const Measurement* find(const StatusAnswer& answer, std::string_view metric, std::string_view key) {
  for (const Measurement& one : answer.measurements)
    if (one.metric->name == metric && one.key() == key) return &one;
  return nullptr;
}

inline std::optional<double> other(const StatusAnswer& answer, std::string_view name) {
  for (const auto& [key, value] : answer.others)
    if (key == name) return value;
  return std::nullopt;
}

/// Names that no dictionary row covers, without those of Java and the process, and the observer master's id.
inline std::vector<std::string> unknown_names(const StatusAnswer& answer) {
  std::vector<std::string> names;
  for (const auto& [key, value] : answer.others)
    if (!key.starts_with("jvm_") && !key.starts_with("process_") && key != "observer_master_id")
      names.push_back(key);
  return names;
}

}  // namespace wk::exporter
