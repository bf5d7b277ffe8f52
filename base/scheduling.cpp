#include "base/scheduling.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace wk {
namespace {

/// struct sched_attr in its first version, whose header of the kernel and that of the C library exclude each
/// other.
struct Attributes {
  std::uint32_t size = sizeof(Attributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};
static_assert(sizeof(Attributes) == 48, "SCHED_ATTR_SIZE_VER0");

}  // namespace

bool ask_for_short_turns() {
  Attributes attributes;
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return false;
  attributes.runtime_ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(kShortTurn).count());
  return ::syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

}  // namespace wk
