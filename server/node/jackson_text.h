// JSON laid out as Apache's AdminServer prints it, which scripts match line by line: `"error" : null`.
//
// Thread: any; pure. Source: JsonOutputter.java with Jackson's default pretty printer.
#pragma once

#include <string>

#include "exporter/app/json_text.h"

namespace wk::node {

/// Two blanks a level of objects, one field a line, blanks around the colon; lists in one line; no line break
/// at the end. Bytes that are not UTF-8 become U+FFFD.
std::string jackson_text(const exporter::Json& document);

}  // namespace wk::node
