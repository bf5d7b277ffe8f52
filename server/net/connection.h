// One client's TCP connection: reading, cutting frames, writing, and what happens when the client does not
// read.
//
// Thread: core.
#pragma once

#include <sys/uio.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "server/net/descriptor.h"
#include "server/net/first_bytes.h"
#include "server/net/frame_cutter.h"
#include "server/net/ready_set.h"
#include "server/net/refusal.h"

namespace wk::net {

class ClientPort;

/// Unsent bytes of one connection from which on nothing is read from it any more: who does not read the
/// answers gets no further questions in.
inline constexpr std::size_t kUnsentHigh = 256UL << 10;
/// Unsent bytes at which reading goes on.
inline constexpr std::size_t kUnsentLow = 64UL << 10;
/// Bytes owed on top of that at which a connection is closed: watch events, for one that does not read. One
/// reply may be as long as it likes.
inline constexpr std::size_t kUnsentMax = 64UL << 20;
/// Owed bytes of one connection that may be put off: they are copied then.
inline constexpr std::size_t kPutOffMax = 4UL << 10;

/// When owed bytes are to be written.
enum class Delivery : std::uint8_t {
  kAtOnce,  ///< by the next flush(): somebody waits for an answer
  kInTurn,  ///< may wait until others have had their turn: one event for thousands
};

class Connection final : public Ready {
 public:
  Connection(ConnectionId id, Descriptor socket, std::string address, std::uint16_t peer_port,
             std::int32_t payload_max, ClientPort& port);
  ~Connection() override;

  [[nodiscard]] ConnectionId id() const { return id_; }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] std::uint16_t peer_port() const { return peer_port_; }
  [[nodiscard]] std::size_t unsent_bytes() const { return unsent_.size() - unsent_begin_; }
  /// Bytes that were owed to it while it was not read from, since it did not read.
  [[nodiscard]] std::size_t owed_while_choked_bytes() const { return owed_while_choked_; }
  /// Not read from until it has fetched what it is owed.
  [[nodiscard]] bool choked() const { return choked_; }
  /// Whether it fetched some of that since the last call.
  [[nodiscard]] bool fetched() { return std::exchange(fetched_, false); }
  /// Why the port ends it; nullopt: it does not, or its owner asked for it.
  [[nodiscard]] std::optional<Refusal> refusal() const { return refusal_; }
  void set_refusal(Refusal refusal) { refusal_ = refusal; }
  /// Bytes of memory held for it, but for a frame that is still incomplete.
  [[nodiscard]] std::size_t allocated_bytes() const {
    return sizeof(*this) + address_.capacity() + held_.capacity() + unsent_.capacity() +
           owed_.capacity() * sizeof(iovec);
  }
  /// As Apache's `cons` prints it: 1 reading, 4 writing.
  [[nodiscard]] int interest_ops() const { return (interest_.read ? 1 : 0) | (interest_.write ? 4 : 0); }

  void on_ready(Readiness readiness) override;

  /// Owes `bytes` to the client; they must live until flush() or put_off().
  /// \return  true for the first bytes since the last of these
  bool queue(std::span<const std::byte> bytes, Delivery delivery);
  /// Writes what is owed, in one call. \return  false when the connection is broken
  bool flush();
  /// All that is owed may wait, and only for others: the socket is not known to be full.
  [[nodiscard]] bool may_wait() const;
  /// Keeps what is owed until the next flush(). Only when may_wait().
  /// \return  false when it waits already
  bool put_off();
  [[nodiscard]] bool waits() const { return waits_; }

  /// Neither reads nor delivers frames while paused.
  void pause_reading(bool paused);
  /// Reads nothing any more; ends when everything owed has left.
  void finish() {
    finishing_ = true;
    update_interest();
  }
  [[nodiscard]] bool finishing() const { return finishing_; }
  [[nodiscard]] bool drained() const { return unsent_bytes() == 0 && owed_.empty(); }
  /// Tells the client that no byte follows. Bytes that came meanwhile are taken out of the way: with them the
  /// system would reset the connection and destroy what the client has not read yet.
  void shut_down();
  /// Closes the socket; nothing is called any more.
  void detach();

  /// A whole frame or word came, so what is missing now is the server's.
  [[nodiscard]] bool has_asked() const { return has_asked_; }
  /// The owner was told of it (on_opened).
  [[nodiscard]] bool announced() const { return stage_ == Stage::kFrames; }

 private:
  enum class Stage : std::uint8_t { kFirstBytes, kFrames, kWord };

  static constexpr std::size_t kDrainBytes = 16UL << 10;
  /// Frames between two looks at the clock.
  static constexpr std::size_t kFramesALook = 8;

  void read();
  /// \return  false when the connection has ended
  bool take(std::span<const std::byte> bytes);
  bool take_first(std::span<const std::byte>& bytes);
  bool take_frames(std::span<const std::byte> bytes);
  bool take_held();
  [[nodiscard]] bool may_take_held() const { return !held_.empty() && !paused_ && !choked_ && !finishing_; }
  void keep_unsent(std::size_t sent);
  void update_interest();

  ConnectionId id_;
  Descriptor socket_;
  std::uint16_t peer_port_;
  Stage stage_ = Stage::kFirstBytes;
  std::uint8_t first_count_ = 0;
  bool paused_ = false;
  bool finishing_ = false;
  bool has_asked_ = false;
  bool choked_ = false;   // unsent bytes passed kUnsentHigh and have not fallen to kUnsentLow yet
  bool urgent_ = false;   // part of what is owed is to be written at once
  bool fetched_ = false;  // unsent bytes have left since it was choked
  bool waits_ = false;    // the unsent bytes wait for their turn and not for the socket
  ReadySet::Interest interest_;
  std::array<std::byte, 4> first_{};
  std::string address_;
  FrameCutter cutter_;
  std::vector<std::byte> held_;    // read, and not looked at while paused or choked
  std::vector<iovec> owed_;        // since the last flush(), in the owner's memory
  std::vector<std::byte> unsent_;  // from earlier ones or put off, from unsent_begin_ on
  std::size_t unsent_begin_ = 0;
  std::size_t owed_while_choked_ = 0;
  std::optional<Refusal> refusal_;
  ClientPort& port_;
};

}  // namespace wk::net
