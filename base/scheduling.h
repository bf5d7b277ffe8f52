// How soon the system lets a thread run that others wait for.
//
// Thread: any; each call is about the calling thread. Source: sched_setattr(2); the kernel's
// Documentation/scheduler/sched-eevdf.rst.
#pragma once

#include <chrono>

namespace wk {

/// A thread whose turns are this short runs at once when it is woken, also while others keep all CPUs busy:
/// with the usual turns of some milliseconds it waits until one of theirs is over.
inline constexpr std::chrono::microseconds kShortTurn{100};

/// Asks for short turns, for a thread that computes little and sleeps much. Costs nobody his share of the
/// CPU, and needs no privilege. \return  false where the system refuses it; before Linux 6.12 it agrees and
/// does nothing
bool ask_for_short_turns();

}  // namespace wk
