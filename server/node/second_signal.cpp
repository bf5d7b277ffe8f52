#include "server/node/second_signal.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <csignal>

#include "base/log_end.h"

namespace wk::node {

SecondSignal::SecondSignal(int exit_code) : signals_(io_, SIGTERM, SIGINT) {
  signals_.async_wait([exit_code](const boost::system::error_code& error, int signal) {
    if (error) return;
    spdlog::warn("{} again: leaving at once, whatever is still under way",
                 signal == SIGTERM ? "SIGTERM" : "SIGINT");
    leave(exit_code);
  });
  thread_ = std::thread([this] { io_.run(); });
  ::pthread_setname_np(thread_.native_handle(), "wk-signals");
}

SecondSignal::~SecondSignal() {
  io_.stop();
  thread_.join();
}

}  // namespace wk::node
