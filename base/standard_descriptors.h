// Descriptors 0, 1 and 2, and what a hangup of the terminal means to a process.
//
// Thread: the only one; the first things that main does. Source: POSIX, "Standard streams": a program that
// was started with one of them closed (2>&-) gets its number for the next file that it opens.
#pragma once

namespace wk {

/// Opens /dev/null on each of the descriptors 0, 1 and 2 that is closed, so that no log line ever goes into a
/// file that got the number of standard error. \return  false when /dev/null cannot be opened
bool open_standard_descriptors();

/// Whether SIGHUP is to end this process: it was started from a terminal (standard input is one), which hangs
/// up, and nobody asked for the signal to be ignored (nohup). Ask before a handler is set.
bool ends_with_terminal();

}  // namespace wk
