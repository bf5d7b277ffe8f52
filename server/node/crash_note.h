// The last word of a process that crashes: a line in the flight recorder's file.
//
// Thread: any; the handler itself does only what a signal handler may.
#pragma once

namespace wk::node {

/// From now on SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT write `{"unix_ms":…,"crash":"SIG…"}` to this open
/// descriptor before they do what they always did; -1 = nowhere. Handlers of others (sanitizers) are left
/// alone.
void note_crashes_in(int descriptor);

}  // namespace wk::node
