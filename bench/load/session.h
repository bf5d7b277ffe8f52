// One session over a blocking socket: the handshake, what has to exist before a load, and the farewell.
//
// The driver takes the descriptor over, makes it non-blocking, and gives it back for the farewell. Thread:
// one owner.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "bench/load/plan.h"

namespace wk::bench {

class Session {
 public:
  /// Connects and sends the ConnectRequest without waiting for its answer.
  /// \param server  host:port; the host is an address or a name
  static Result<Session> open(const std::string& server, std::chrono::milliseconds timeout);
  Session(Session&& other) noexcept;
  Session& operator=(Session&&) = delete;
  ~Session();

  /// Reads the ConnectResponse; an error when the server refuses the session.
  Result<void> await_handshake();
  /// Sends frames (each with its length in front) and reads as many replies; the error code of each.
  Result<std::vector<std::int32_t>> call(std::span<const std::byte> frames, std::size_t count);
  /// Sends one frame and reads its reply: what follows the reply's header. An error when the server refuses.
  Result<std::vector<std::byte>> ask(std::span<const std::byte> frame);
  /// Sends closeSession and does not wait.
  void say_goodbye();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] const std::string& server() const { return server_; }

 private:
  Session(std::string server, int descriptor) : server_(std::move(server)), descriptor_(descriptor) {}
  Result<void> send_all(std::span<const std::byte> bytes);
  Result<void> receive_all(std::span<std::byte> bytes);
  /// The payload of the next frame.
  Result<std::vector<std::byte>> receive_frame();
  Error broken(const char* what) const;

  std::string server_;
  int descriptor_;
};

/// One session, its handshake done.
Result<Session> open_session(const std::string& server, std::chrono::milliseconds timeout);
/// The sessions of a plan, spread over its servers; their handshakes are under way together.
Result<std::vector<Session>> open_sessions(const Plan& plan);

/// Makes these znodes, parents first; those that are there get the data.
Result<void> make_znodes(Session& session, const std::vector<std::string>& paths, const std::string& data);
/// The same in a session of its own.
Result<void> make_znodes(const std::string& server, const std::vector<std::string>& paths,
                         const std::string& data);

/// Makes the root, the keys (with data of the wanted size) and a parent for each connection; what is there
/// already stays.
Result<void> prepare_znodes(Session& session, const Plan& plan);

}  // namespace wk::bench
