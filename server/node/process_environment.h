// Where this process runs and as whom, under the keys of Apache's `envi`.
//
// Thread: any; reads the system.
#pragma once

#include "server/node/word_texts.h"

namespace wk::node {

/// The keys of Apache's `envi` in its order, with what corresponds to them here: tools look for java.version
/// and parse zookeeper.version.
Entries process_environment();

}  // namespace wk::node
