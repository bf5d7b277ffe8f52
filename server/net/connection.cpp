#include "server/net/connection.h"

#include <limits.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "server/net/client_port.h"

namespace wk::net {

Connection::Connection(ConnectionId id, Descriptor socket, std::string address, std::uint16_t peer_port,
                       std::int32_t payload_max, ClientPort& port)
    : id_(id),
      socket_(std::move(socket)),
      peer_port_(peer_port),
      address_(std::move(address)),
      cutter_(payload_max),
      port_(port) {}

Connection::~Connection() { detach(); }

void Connection::detach() {
  if (!socket_.valid()) return;
  port_.ready_set_.remove(socket_.get(), *this);
  socket_.reset();
}

void Connection::on_ready(Readiness readiness) {
  if (readiness.writable && !flush()) return port_.end(*this);
  if (finishing_ && drained()) return port_.end_if_drained(*this);
  if (may_take_held() && !take_held()) return port_.end(*this);
  if (readiness.readable && interest_.read) return read();
  if (may_take_held()) return;  // the rest in its next turn
  // Nobody is left to read the rest of the stream to, or to send to.
  if (readiness.broken) {
    ++port_.stats_.ended_by_peer;
    port_.end(*this);
  }
}

void Connection::read() {
  const std::span<std::byte> buffer(port_.read_buffer_.get(), ClientPort::kReadBytes);
  const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  ++port_.stats_.reads;
  if (count > 0) {
    port_.stats_.bytes_received += static_cast<std::uint64_t>(count);
    if (!take(buffer.first(static_cast<std::size_t>(count)))) port_.end(*this);
    return;
  }
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  ++port_.stats_.ended_by_peer;
  port_.end(*this);
}

bool Connection::take(std::span<const std::byte> bytes) {
  if (stage_ == Stage::kFirstBytes && !take_first(bytes)) return stage_ != Stage::kFrames;
  return stage_ != Stage::kFrames || take_frames(bytes);
}

/// \return  false when frames do not follow: not yet, or since this is a word
bool Connection::take_first(std::span<const std::byte>& bytes) {
  const std::size_t taken = std::min(first_.size() - first_count_, bytes.size());
  std::copy_n(bytes.begin(), taken, first_.begin() + first_count_);
  first_count_ = static_cast<std::uint8_t>(first_count_ + taken);
  bytes = bytes.subspan(taken);
  if (first_count_ < first_.size()) return false;
  const FirstBytes first = classify(std::span<const std::byte, 4>(first_));
  switch (first.kind) {
    case FirstBytes::Kind::kWord:
      stage_ = Stage::kWord;
      has_asked_ = true;
      ++port_.stats_.words;
      update_interest();
      port_.owner_.on_word(id_, first.word, bytes);
      return false;
    case FirstBytes::Kind::kHttp:
    case FirstBytes::Kind::kTlsHello:
      port_.refuse(first.kind == FirstBytes::Kind::kHttp ? Refusal::kHttp : Refusal::kTlsHello, *this, 0);
      stage_ = Stage::kWord;
      finish();
      port_.end_if_drained(*this);
      return false;
    case FirstBytes::Kind::kFrame:
      break;
  }
  stage_ = Stage::kFrames;
  port_.owner_.on_opened(id_, address_);
  return take_frames(first_);
}

bool Connection::take_frames(std::span<const std::byte> bytes) {
  std::span<const std::byte> rest;
  const auto begun = std::chrono::steady_clock::now();
  std::size_t frames = 0;
  const auto bad_length = cutter_.feed(
      bytes,
      [&](std::span<const std::byte> payload) {
        has_asked_ = true;
        port_.owner_.on_frame(id_, payload);
        if (finishing_ || paused_ || choked_ || !socket_.valid()) return false;
        return ++frames % kFramesALook != 0 || std::chrono::steady_clock::now() - begun < port_.limits_.turn;
      },
      &rest);
  if (bad_length) port_.refuse(Refusal::kFrameTooLong, *this, *bad_length);
  if (bad_length || !socket_.valid()) return false;
  if (!finishing_ && !rest.empty()) {
    held_.assign(rest.begin(), rest.end());
    update_interest();
  }
  return true;
}

bool Connection::take_held() {
  const std::vector<std::byte> held = std::exchange(held_, {});
  const bool alive = take_frames(held);
  if (alive) update_interest();
  return alive;
}

bool Connection::queue(std::span<const std::byte> bytes, Delivery delivery) {
  if (choked_) owed_while_choked_ += bytes.size();
  if (delivery == Delivery::kAtOnce) urgent_ = true;
  const bool first = owed_.empty();
  if (!first) {
    iovec& last = owed_.back();
    if (static_cast<const std::byte*>(last.iov_base) + last.iov_len == bytes.data()) {
      last.iov_len += bytes.size();
      return false;
    }
  }
  // sendmsg() reads only; its structure is older than const.
  owed_.push_back({const_cast<std::byte*>(bytes.data()), bytes.size()});
  return first;
}

bool Connection::flush() {
  if (owed_.empty() && unsent_bytes() == 0) return true;
  urgent_ = false;
  // What was put off and what came since leave together.
  if (std::exchange(waits_, false)) keep_unsent(0);
  std::size_t sent = 0;
  // Behind unsent bytes the new ones can only wait.
  if (unsent_bytes() == 0 || owed_.empty()) {
    iovec rest{unsent_.data() + unsent_begin_, unsent_bytes()};
    const bool old = unsent_bytes() > 0;
    msghdr message{};
    message.msg_iov = old ? &rest : owed_.data();
    message.msg_iovlen = old ? 1 : std::min<std::size_t>(owed_.size(), IOV_MAX);
    const ssize_t count = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    ++port_.stats_.writes;
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
      owed_.clear();
      return false;
    }
    sent = count < 0 ? 0 : static_cast<std::size_t>(count);
    port_.stats_.bytes_sent += sent;
    fetched_ = fetched_ || (choked_ && sent > 0);
  }
  keep_unsent(sent);
  update_interest();
  return true;
}

bool Connection::may_wait() const {
  if (urgent_ || (unsent_bytes() > 0 && !waits_)) return false;
  std::size_t bytes = unsent_bytes();
  for (const iovec& piece : owed_) bytes += piece.iov_len;
  return bytes <= kPutOffMax;
}

bool Connection::put_off() {
  keep_unsent(0);
  return !std::exchange(waits_, true);
}

/// Moves what is owed and was not sent into memory of our own.
void Connection::keep_unsent(std::size_t sent) {
  const std::size_t of_unsent = std::min(sent, unsent_bytes());
  unsent_begin_ += of_unsent;
  sent -= of_unsent;
  for (const iovec& piece : owed_) {
    const std::size_t skipped = std::min(sent, piece.iov_len);
    sent -= skipped;
    const auto* const begin = static_cast<const std::byte*>(piece.iov_base);
    unsent_.insert(unsent_.end(), begin + skipped, begin + piece.iov_len);
  }
  owed_.clear();
  if (unsent_bytes() == 0) {
    unsent_ = {};
    unsent_begin_ = 0;
  } else if (unsent_begin_ > unsent_.size() / 2) {
    unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(unsent_begin_));
    unsent_begin_ = 0;
  }
}

void Connection::pause_reading(bool paused) {
  paused_ = paused;
  update_interest();
}

void Connection::update_interest() {
  if (!choked_ && unsent_bytes() > kUnsentHigh) {
    choked_ = true;
    owed_while_choked_ = 0;
    ++port_.stats_.choked;
    port_.choked_.push_back(id_);
  } else if (choked_ && unsent_bytes() <= kUnsentLow) {
    choked_ = false;
  }
  const ReadySet::Interest wanted{
      .read = !paused_ && !finishing_ && !choked_ && held_.empty() && stage_ != Stage::kWord,
      // A socket with room is ready to be written to at once: that is how held frames get their turn.
      .write = (unsent_bytes() > 0 && !waits_) || may_take_held()};
  if (wanted == interest_) return;
  interest_ = wanted;
  port_.ready_set_.change(socket_.get(), interest_, *this);
}

void Connection::shut_down() {
  ::shutdown(socket_.get(), SHUT_WR);
  // Not the port's buffer: frames of another connection may lie in it.
  std::array<std::byte, kDrainBytes> buffer;
  while (::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT) ==
         static_cast<ssize_t>(buffer.size())) {
  }
}

}  // namespace wk::net
