#include "base/standard_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace wk {

bool open_standard_descriptors() {
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
    if (::fcntl(number, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest number that is free is this one. Programs that are started inherit it, as they should.
    if (::open("/dev/null", O_RDWR) != number) return false;
  }
  return true;
}

bool ends_with_terminal() {
  struct sigaction now {};
  const bool ignored = ::sigaction(SIGHUP, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
  return !ignored && ::isatty(STDIN_FILENO) == 1;
}

}  // namespace wk
