// Ends the process when it is asked to stop once more, for a stop may wait: for a disk, for whoever reads
// over HTTP.
//
// Thread: constructed and destroyed by one; listens on its own.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <thread>

namespace wk::node {

class SecondSignal {
 public:
  /// From here on SIGTERM and SIGINT end the process with this status, after a line in the log.
  explicit SecondSignal(int exit_code);
  ~SecondSignal();
  SecondSignal(const SecondSignal&) = delete;
  SecondSignal& operator=(const SecondSignal&) = delete;

 private:
  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_;
  std::thread thread_;
};

}  // namespace wk::node
