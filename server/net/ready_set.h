// Which descriptors are ready: one epoll set, level-triggered.
//
// Why not Boost.Asio's own reactor for the sockets of clients: it is edge-triggered with one operation a
// call, so each request would cost a second read that finds nothing, and nobody could tell where a wake-up
// ends. Asio waits for this set as a whole and for everything else. Thread: core.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "server/net/descriptor.h"

struct epoll_event;

namespace wk::net {

/// What a descriptor is ready for.
struct Readiness {
  bool readable = false;  ///< bytes, a connection to accept, or the end of the stream
  bool writable = false;
  bool broken = false;  ///< reset, or closed in both directions; told whatever the interest is
};

/// Gets told when its descriptor is ready.
class Ready {
 public:
  Ready() = default;
  Ready(const Ready&) = delete;
  Ready& operator=(const Ready&) = delete;
  virtual ~Ready() = default;
  virtual void on_ready(Readiness readiness) = 0;
};

class ReadySet {
 public:
  /// Descriptors handled in one wait().
  static constexpr std::size_t kBatch = 512;

  ReadySet();

  /// The set's own descriptor: readable when any member is ready.
  [[nodiscard]] int descriptor() const { return set_.get(); }

  /// What to wait for.
  struct Interest {
    bool read = true;
    bool write = false;
    friend bool operator==(const Interest&, const Interest&) = default;
  };
  /// \return  Errc::kIo when the system has no room
  Result<void> add(int descriptor, Interest interest, Ready& owner);
  void change(int descriptor, Interest interest, Ready& owner);
  /// The owner is not called any more, not even by a wait() that is under way.
  void remove(int descriptor, const Ready& owner);

  /// Calls everybody who is ready now, at most kBatch; never waits. \return how many were called
  std::size_t poll();

 private:
  Descriptor set_;
  std::span<epoll_event> under_way_;
};

}  // namespace wk::net
