// Transactions that have been given to the log and are not applied yet, in zxid order, with their payloads.
//
// On a leader (and a standalone server) these are the proposals that wait for their quorum, on a follower
// those that wait for their commit. Payload bytes live in chunks that are reused, so steady traffic allocates
// nothing. Pure. Thread: core.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace wk::replica {

struct InFlight {
  Zxid zxid{};
  /// Whose pending request this settles; 0: nobody's here (own clean-up, expiry, another server's client).
  ConnectionId connection{};
  SessionId session{};
  std::chrono::steady_clock::time_point appended{};
  std::size_t queued_before = 0;  ///< transactions in flight when it was made
  /// Valid until the entry is popped.
  std::span<const std::byte> payload{};
};

class InFlightQueue {
 public:
  /// Adds a copy of `payload` behind everything else. \param entry  zxid above that of every entry here
  void push(InFlight entry, std::span<const std::byte> payload);
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// Bytes of the longest payload here; 0 when empty. No znode grows beyond it by what is in flight.
  [[nodiscard]] std::size_t longest() const { return longest_.empty() ? 0 : longest_.front().bytes; }
  /// Bytes of memory held for payloads, spare room included.
  [[nodiscard]] std::size_t allocated_bytes() const;
  [[nodiscard]] const InFlight& front() const { return entries_.front(); }
  void pop_front();
  /// Removes everything, for transactions that will never be written.
  void clear();
  /// The last entry of a session, or nullptr. Linear; for the rare resumption of a session.
  [[nodiscard]] InFlight* last_of(SessionId session);
  /// The entries in order.
  [[nodiscard]] const std::deque<InFlight>& entries() const { return entries_; }

 private:
  struct Chunk {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t capacity = 0;
    std::size_t used = 0;
    std::size_t entries = 0;
  };

  struct Longest {
    Zxid zxid{};
    std::size_t bytes = 0;
  };

  Chunk take_chunk(std::size_t least);
  void give_back(Chunk chunk);

  std::deque<InFlight> entries_;
  std::deque<Longest> longest_;  // entries longer than all behind them, in zxid order
  std::deque<Chunk> chunks_;
  std::vector<Chunk> spare_;
  std::size_t bytes_ = 0;
};

}  // namespace wk::replica
