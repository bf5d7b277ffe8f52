// Fuzz target: bytes of clients, through the frame cutter into a replica whose log is synced now and then.
//
// The input is a script of steps: one byte that says what happens and to which of four connections, and for
// bytes a length and the bytes. Properties: no crash; what is sent to a connection is whole frames, and
// nothing follows a close; zxids of the log rise by one; replaying the log gives the same tree.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "jute/reader.h"
#include "jute/records.h"
#include "jute/writer.h"
#include "server/net/frame_cutter.h"
#include "server/replica/io.h"
#include "server/replica/recovery.h"
#include "server/replica/replica.h"

namespace {

using namespace wk;
using Bytes = std::vector<std::byte>;

constexpr std::size_t kConnections = 4;
constexpr std::int32_t kPayloadMax = 64 << 10;

replica::Settings settings() {
  replica::Settings settings;
  settings.owners.extended_types = true;
  settings.snap_count = 16;
  settings.global_outstanding_limit = 8;
  settings.container_check_interval = std::chrono::milliseconds{500};
  return settings;
}

class Driver {
 public:
  Driver() : replica_(settings(), replica::Recovery(settings()).take(), now_) {
    replica_.start(std::nullopt, now_, output_);
    carry_out();
  }

  void open(std::size_t slot) {
    close(slot);
    connections_[slot].emplace(Connection{ConnectionId{++last_connection_}, net::FrameCutter(kPayloadMax)});
    step(replica::ClientOpened{connections_[slot]->id, slot % 2 == 0 ? "127.0.0.1" : "0:0:0:0:0:0:0:1"});
  }
  void close(std::size_t slot) {
    if (connections_[slot]) step(replica::ClientGone{std::exchange(connections_[slot], std::nullopt)->id});
  }
  /// A session, so that the script need not guess the handshake.
  void handshake(std::size_t slot) {
    open(slot);
    Bytes bytes;
    jute::Writer out(bytes);
    write(out, jute::ConnectRequest{0, Zxid{}, 4'000, SessionId{}, std::string(16, '\0'), false});
    step(replica::ClientFrame{connections_[slot]->id, bytes});
    sync();
  }
  void bytes(std::size_t slot, std::span<const std::byte> stream) {
    if (!connections_[slot]) open(slot);
    const ConnectionId id = connections_[slot]->id;
    const auto bad = connections_[slot]->cutter.feed(stream, [&](std::span<const std::byte> payload) {
      replica_.step({now_, replica::ClientFrame{id, payload}}, output_);
      return true;
    });
    carry_out();
    // The connection may have been closed by what it sent.
    if (bad) close(slot);
  }
  void pass(std::chrono::milliseconds time) {
    now_ = now_ + time;
    do {
      more_work_ = false;
      step(replica::Tick{});
    } while (more_work_);
  }
  void sync() {
    if (!log_.empty()) step(replica::LogSynced{log_.back().first});
  }

  /// Everything that was logged, replayed, is the tree that clients saw.
  void check_replay() {
    sync();
    replica::Recovery recovery(settings());
    for (const auto& [zxid, payload] : log_)
      WK_CHECK(recovery.replay(payload), "a logged transaction cannot be replayed");
    const std::uint64_t digest = recovery.tree().digest();
    WK_CHECK(recovery.report().digest_mismatches == 0, "digests of replayed transactions differ");
    WK_CHECK(digest == replica_.tree().digest(), "the replayed tree differs");
    WK_CHECK(recovery.tree().node_count() == replica_.tree().node_count(),
             "the replayed tree has other znodes");
  }

 private:
  struct Connection {
    ConnectionId id;
    net::FrameCutter cutter;
  };

  void step(const replica::Event& event) {
    replica_.step({now_, event}, output_);
    carry_out();
  }

  void carry_out() {
    for (const replica::Send& send : output_.sends) {
      WK_CHECK(send.offset + send.size <= output_.bytes.size(), "a send outside of the bytes");
      std::span<const std::byte> rest =
          std::span<const std::byte>(output_.bytes).subspan(send.offset, send.size);
      while (!rest.empty()) {
        WK_CHECK(rest.size() >= 4, "a send that is no whole frame");
        jute::Reader in(rest);
        const auto length = static_cast<std::size_t>(in.read_int());
        WK_CHECK(length <= in.remaining(), "a frame longer than its send");
        rest = rest.subspan(4 + length);
      }
    }
    for (const replica::Append& append : output_.appends) {
      WK_CHECK(append.offset + append.size <= output_.log_bytes.size(), "an append outside of the bytes");
      WK_CHECK(log_.empty() || log_.back().first.value + 1 == append.zxid.value, "zxids do not rise by one");
      const auto begin = output_.log_bytes.begin() + static_cast<std::ptrdiff_t>(append.offset);
      log_.emplace_back(append.zxid, Bytes(begin, begin + static_cast<std::ptrdiff_t>(append.size)));
    }
    for (const replica::Close& one : output_.closes)
      for (auto& connection : connections_)
        if (connection && connection->id == one.connection) connection.reset();
    more_work_ = more_work_ || output_.more_work;
    const bool snapshot = output_.start_snapshot.has_value();
    output_.clear();
    if (snapshot) {
      replica_.step({now_, replica::SnapshotFinished{true}}, output_);
      carry_out();
    }
  }

  Moment now_{std::chrono::steady_clock::time_point{std::chrono::seconds{1'000}},
              std::chrono::system_clock::time_point{std::chrono::seconds{1'700'000'000}}};
  replica::Output output_;
  replica::Replica replica_;
  std::array<std::optional<Connection>, kConnections> connections_{};
  std::uint64_t last_connection_ = 0;
  std::vector<std::pair<Zxid, Bytes>> log_;
  bool more_work_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::uint8_t> script(data, size);
  const auto take = [&script] {
    const std::uint8_t first = script.empty() ? 0 : script.front();
    script = script.subspan(script.empty() ? 0 : 1);
    return first;
  };
  Driver driver;
  driver.handshake(0);
  while (!script.empty()) {
    const std::uint8_t step = take();
    const std::size_t slot = step / 8 % kConnections;
    switch (step % 8) {
      case 0:
        driver.handshake(slot);
        break;
      case 1:
        driver.close(slot);
        break;
      case 2:
        driver.sync();
        break;
      case 3:
        driver.pass(std::chrono::milliseconds{take() * 20});
        break;
      case 4: {  // a request: the length prefix is made, so that most of what is tried is a frame
        const std::size_t length = std::min<std::size_t>(take(), script.size());
        Bytes frame{std::byte{0}, std::byte{0}, std::byte{0}, static_cast<std::byte>(length)};
        const auto payload = std::as_bytes(script.first(length));
        frame.insert(frame.end(), payload.begin(), payload.end());
        driver.bytes(slot, frame);
        script = script.subspan(length);
        break;
      }
      default: {
        const std::size_t length = std::min<std::size_t>(take(), script.size());
        driver.bytes(slot, std::as_bytes(script.first(length)));
        script = script.subspan(length);
        break;
      }
    }
  }
  driver.check_replay();
  return 0;
}
