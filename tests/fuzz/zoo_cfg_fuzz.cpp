// Fuzz target: the reader of zoo.cfg. Any bytes are a configuration, or errors with an exit code.
//
// The text up to the first zero byte is zoo.cfg, what follows is every other file that it names. Properties:
// no crash; there is a configuration exactly when no remark is an error; every remark is one line that says
// something; values keep the limits that their comments promise.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "server/config/load.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wk::config;
  const std::string text(data, data + size);
  const std::string main_file = text.substr(0, text.find('\0'));
  const std::string others = main_file.size() < text.size() ? text.substr(main_file.size() + 1) : "";
  for (const bool lenient : {false, true}) {
    const Loaded loaded =
        load({"zoo.cfg", {}, lenient}, [&](const std::string& path) -> wk::Result<std::string> {
          if (path == "zoo.cfg") return main_file;
          if (others.empty()) return wk::Error{wk::Errc::kNotFound, "there is no such file"};
          return others;
        });
    const bool wrong = std::ranges::any_of(
        loaded.diagnostics, [](const Diagnostic& one) { return one.severity == Severity::kError; });
    WK_CHECK(loaded.config.has_value() == !wrong, "a configuration and errors, or neither");
    WK_CHECK((exit_code(loaded.diagnostics) != 0) == wrong, "the exit code does not fit the errors");
    for (const Diagnostic& one : loaded.diagnostics) {
      const std::string line = one.to_string();
      WK_CHECK(!line.empty() && line.find('\n') == std::string::npos, "a remark is not one line");
    }
    if (!loaded.config) continue;
    WK_CHECK(!loaded.config->storage.data_dir.empty(), "no dataDir");
    WK_CHECK(loaded.config->tick_time.count() > 0, "no tickTime");
    WK_CHECK(loaded.config->sessions.timeout_min <= loaded.config->sessions.timeout_max, "timeouts cross");
    WK_CHECK(loaded.config->storage.snapshots_to_retain >= 3, "too few snapshots are kept");
    WK_CHECK(loaded.config->storage.snapshot_count >= 2, "too many snapshots are taken");
    WK_CHECK(
        std::ranges::find(loaded.config->four_letter_words, "srvr") != loaded.config->four_letter_words.end(),
        "srvr is not answered");
  }
  return 0;
}
