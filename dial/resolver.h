// Host names to addresses without blocking: a few threads that run getaddrinfo, shared by all who use one
// io_context.
//
// A name server that hangs costs nobody else anything: each name is looked up once at a time (later askers
// join), a look-up that takes longer than kSlowLookup no longer counts against kThreads, and an asker leaves
// at its deadline. Nothing is cached: every question asks the system again. Numeric addresses never reach a
// thread. Thread: io (the context's only thread) for everything public. Look-up threads touch the shared
// state under its mutex only, and outlive the resolver when getaddrinfo hangs.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace wk::dial {

/// Addresses taken from one answer; more are ignored.
inline constexpr std::size_t kAddressesMax = 16;

class Resolver : public boost::asio::execution_context::service {
 public:
  using Addresses = std::vector<boost::asio::ip::address>;
  using Lookup = std::function<Result<Addresses>(const std::string& host)>;

  static constexpr std::size_t kThreads = 4;       ///< look-ups at a time that are not slow
  static constexpr std::size_t kThreadsMax = 32;   ///< with the slow ones
  static constexpr std::size_t kQueueMax = 16384;  ///< names waiting for a thread
  static constexpr std::chrono::milliseconds kSlowLookup{500};

  static boost::asio::execution_context::id id;

  /// The resolver of `context`; made at the first call.
  static Resolver& of(boost::asio::io_context& context) {
    return boost::asio::use_service<Resolver>(context);
  }
  explicit Resolver(boost::asio::execution_context& context);
  ~Resolver() override;
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Replaces getaddrinfo for look-ups that start later. `lookup` runs on look-up threads.
  void set_lookup(Lookup lookup);

  /// \param host      name or numeric address, without brackets
  /// \param deadline  fires or is cancelled by the caller: then the answer is Errc::kUnresolved
  /// \return          at least one address, in the system's order of preference; Errc::kUnresolved with the
  /// reason
  boost::asio::awaitable<Result<Addresses>> resolve(std::string host,
                                                    std::shared_ptr<boost::asio::steady_timer> deadline);

 private:
  struct Shared;
  void shutdown() override;

  boost::asio::io_context& context_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace wk::dial
