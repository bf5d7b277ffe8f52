// Points in time as values: nothing below the shell reads a clock.
//
// Thread: any; plain values.
#pragma once

#include <chrono>

namespace wk {

/// A moment on both clocks: `steady` for ages and durations (never jumps), `wall` for what a person reads.
/// The shell takes both together; pure code receives them.
struct Moment {
  std::chrono::steady_clock::time_point steady{};
  std::chrono::system_clock::time_point wall{};

  /// This moment on both clocks. Only shells (threads, main) call it.
  static Moment now() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }
};

/// Time from `earlier` to `later`, negative when they are the other way round.
inline std::chrono::nanoseconds operator-(const Moment& later, const Moment& earlier) {
  return later.steady - earlier.steady;
}

/// `moment` moved by `duration` on both clocks.
inline Moment operator+(Moment moment, std::chrono::nanoseconds duration) {
  moment.steady += std::chrono::duration_cast<std::chrono::steady_clock::duration>(duration);
  moment.wall += std::chrono::duration_cast<std::chrono::system_clock::duration>(duration);
  return moment;
}

/// Seconds as a floating-point number, the unit of every exported duration.
inline double seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace wk
