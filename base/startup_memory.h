// Gives back what only starting took: code and tables of libraries that ran once, and free pages of the heap.
//
// The kernel counts each page of a mapped file that was touched as resident, although it could be dropped at
// any time: relocating the libraries, the parsers of flags and configuration and the building of tables touch
// some megabytes that nothing needs again. Thread: any; once, when everything has started. Its time does not
// grow with the memory that the process has. Source: madvise(2), proc_pid_maps(5), proc_pid_pagemap(5).
#pragma once

#include <cstddef>

namespace wk {

/// Drops every page of read-only file mappings from this process; what is needed again comes back from the
/// page cache, one fault for up to 64 kB. A mapping of which a page differs from its file (relocations,
/// breakpoints of a debugger) is left alone. Where /proc is not mounted, only the heap's free pages go. No
/// file may be unmapped meanwhile. \return  bytes that were resident in these mappings
std::size_t return_startup_memory();

}  // namespace wk
