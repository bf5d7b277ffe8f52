// Fuzzes the reader of the configuration file: any bytes are a configuration within its limits, or one line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "exporter/app/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A disk on which every secret exists and every certificate is good: no file of this machine is touched.
  static const wk::exporter::ConfigFiles kFiles{
      [](const std::string&) -> wk::Result<std::string> { return std::string("user:secret\n"); },
      [](const wk::exporter::TlsSpec&) -> std::optional<wk::exporter::TlsFileFault> { return std::nullopt; }};
  const std::string text(data, data + size);
  const auto config = wk::exporter::parse_config(text, "fuzz.yaml", kFiles);
  if (!config) {
    const std::string& line = config.error().message;
    if (!line.starts_with("fuzz.yaml:") || line.find('\n') != std::string::npos) std::abort();
    return 0;
  }
  if (config->ensembles.empty() || config->ensembles.size() > wk::exporter::kEnsembleLimit) std::abort();
  for (const auto& ensemble : config->ensembles) {
    if (ensemble.members.empty() || ensemble.members.size() > wk::exporter::kMemberLimit) std::abort();
    if (ensemble.detail_interval < ensemble.interval) std::abort();
  }
  return 0;
}
