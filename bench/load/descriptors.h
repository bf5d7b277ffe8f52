// Leave to have many files open: every connection is one.
//
// Thread: the main one, before others begin.
#pragma once

#include <cstddef>

#include "base/error.h"

namespace wk::bench {

/// Raises this process's limit of open files to `wanted` when it is lower; an error that names both numbers
/// when that is not allowed.
Result<void> allow_descriptors(std::size_t wanted);

}  // namespace wk::bench
