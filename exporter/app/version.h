// Which build this is.
//
// Thread: any; constant.
#pragma once

#include "exporter/catalogue/catalogue.h"

namespace wk::exporter {

/// Version of the project, revision of the source tree ("unknown" outside a git checkout), and compiler.
BuildInfo build_info();

}  // namespace wk::exporter
