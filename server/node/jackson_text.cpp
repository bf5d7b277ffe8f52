#include "server/node/jackson_text.h"

#include <cstddef>

namespace wk::node {
namespace {

using exporter::Json;

void print(const Json& value, std::size_t depth, std::string& out) {
  const auto line = [&out](std::size_t level) { out.append(1, '\n').append(2 * level, ' '); };
  if (value.is_object()) {
    out += '{';
    bool first = true;
    for (const auto& field : value.items()) {
      if (!first) out += ',';
      first = false;
      line(depth + 1);
      out += exporter::json_line(field.key());
      out += " : ";
      print(field.value(), depth + 1, out);
    }
    if (first)
      out += ' ';
    else
      line(depth);
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    bool first = true;
    for (const Json& element : value) {
      out += first ? " " : ", ";
      first = false;
      print(element, depth, out);
    }
    out += " ]";
  } else {
    out += exporter::json_line(value);
  }
}

}  // namespace

std::string jackson_text(const Json& document) {
  std::string out;
  print(document, 0, out);
  return out;
}

}  // namespace wk::node
