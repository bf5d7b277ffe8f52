// What embed.py puts into the program: the files of the status page and the runbooks.
//
// Constant for the life of the process. Thread: any.
#pragma once

#include <span>
#include <string_view>

#include "exporter/web/http.h"

namespace wk::exporter {

/// One file of exporter/page/assets, or document.css. index.html has what its first paint needs in itself.
struct EmbeddedFile {
  std::string_view name;  ///< path below assets/: "index.html", "vendor/uplot/uPlot.min.css"
  std::string_view content_type;
  std::string_view plain;
  std::string_view gzip;  ///< the same, as one gzip member
  std::string_view hash;  ///< of `plain`: hexadecimal digits that change with its content
};

/// One page of docs/runbooks.
struct EmbeddedRunbook {
  std::string_view name;  ///< file name without ".md"; "README" is the list of all
  std::string_view title;
  std::string_view html;  ///< what stands between <main> and </main>
};

/// Sorted by name; "index.html" is always there.
std::span<const EmbeddedFile> embedded_files();
/// Sorted by name.
std::span<const EmbeddedRunbook> embedded_runbooks();
/// Of what index.html has in itself: embed.py puts the classic scripts and style sheets of its head there.
InlineHashes embedded_inline_hashes();
/// What a plain document's head takes over from index.html's: style sheets, icon and classic scripts; and
/// document.css.
std::string_view embedded_look();

}  // namespace wk::exporter
