// wk_catalogue_dump: prints docs/METRICS.md, or with --names every name of the catalogue with type and
// family.
#include <cstdio>
#include <string>
#include <string_view>

#include "exporter/catalogue/metrics_document.h"

int main(int argc, char** argv) {
  const bool names = argc == 2 && std::string_view(argv[1]) == "--names";
  if (argc > 1 && !names) {
    std::fputs("usage: wk_catalogue_dump [--names]\n", stderr);
    return 2;
  }
  const std::string text = names ? wk::exporter::metrics_names() : wk::exporter::metrics_document();
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0 ? 0 : 1;
}
