// How each question is put to a member: the surface it goes to, and the word or path.
//
// Thread: any; pure functions.
// Source: reference client-protocol.md, section 9 (four-letter words); metrics.md, section 9.2 (AdminServer).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "exporter/model/facts.h"

namespace wk::exporter {

/// A door of a member. Each can be open or shut independently of the others.
enum class Surface : std::uint8_t {
  kClientPort,  ///< four-letter words; one connection a word
  kAdmin,       ///< AdminServer's /commands
  kPrometheus,  ///< the Prometheus provider's /metrics
};
inline constexpr std::size_t kSurfaceCount = 3;

struct ProbeRequest {
  Surface surface;
  std::string_view
      text;  ///< the four letters, or what follows the base URL: "/monitor"; empty for kPrometheus
};

ProbeRequest request_of(Probe probe);

}  // namespace wk::exporter
