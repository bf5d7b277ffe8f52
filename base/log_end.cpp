#include "base/log_end.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <future>
#include <memory>
#include <thread>

namespace wk {
namespace {

/// A pipe that can be written to has room for as much, so that the write does not wait.
constexpr std::size_t kPipeRoom = 4096;

}  // namespace

bool end_logging() {
  // spdlog waits for its thread, which waits for whoever reads standard error: that is done beside.
  const auto ended = std::make_shared<std::promise<void>>();
  try {
    std::thread([ended] {
      spdlog::shutdown();
      ended->set_value();
    }).detach();
  } catch (const std::exception&) {
    return false;  // no thread to be had
  }
  return ended->get_future().wait_for(kLogPatience) == std::future_status::ready;
}

void leave(int status) {
  [[maybe_unused]] const bool written = end_logging();
  ::_exit(status);
}

void say(std::string_view text) {
  pollfd error{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&error, 1, 0) != 1 || (error.revents & POLLOUT) == 0) return;
  // There is nobody left to tell that it failed.
  [[maybe_unused]] const ssize_t written =
      ::write(STDERR_FILENO, text.data(), std::min(text.size(), kPipeRoom));
}

}  // namespace wk
