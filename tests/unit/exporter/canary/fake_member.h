// A scripted member of an ensemble for the canary's tests: answers from a small tree of znodes that all
// members share, in the order of the requests, and fails in the ways that a test switches on.
//
// Lives on the io_context of the canaries; answers only inside serve(), which the test calls between
// handlers.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/client/fake_server.h"

namespace wk::exporter {

class FakeMember;

/// Znodes without data, and the members that serve them.
struct FakeTree {
  std::map<std::string, std::int64_t> owners;  ///< path → session of an ephemeral, 0 for a persistent znode
  std::vector<FakeMember*> members;
  std::uint64_t zxid = 0x1'0000'0000;
};

class FakeMember {
 public:
  FakeMember(boost::asio::io_context& io, FakeTree& tree, std::int64_t session)
      : server(io), tree_(tree), session_(session) {
    tree_.members.push_back(this);
  }
  FakeMember(const FakeMember&) = delete;
  FakeMember& operator=(const FakeMember&) = delete;

  client::FakeServer server;
  std::vector<std::string> log;               ///< what was asked for: "create /a", …
  std::vector<std::int64_t> sessions_wanted;  ///< session ids in the handshakes

  std::set<std::string> held;                   ///< lines of `log` that stay unanswered, and all behind them
  std::map<std::string, jute::ErrorCode> fail;  ///< answers to lines of `log`
  bool withhold_events = false;                 ///< keep watch events for send_events()
  bool expire = false;                          ///< tell the next handshake that its session is gone
  jute::ErrorCode auth_answer = jute::ErrorCode::kOk;
  std::int32_t granted_timeout_ms = 10'000;

  void serve() {
    if (server.accepted != connections_) {
      connections_ = server.accepted;
      waiting_.clear();
      watches_.clear();
      handshake_due_ = true;
    }
    while (!server.frames.empty()) {
      const auto frame = server.take();
      if (std::exchange(handshake_due_, false))
        shake_hands(frame);
      else
        note(frame);
    }
    while (!waiting_.empty() && !held.contains(waiting_.front().line)) {
      const Request request = waiting_.front();
      waiting_.pop_front();
      answer(request);
    }
  }

  /// Closes the connection; what waits for an answer is forgotten.
  void drop() {
    waiting_.clear();
    server.drop();
  }

  /// The oldest request is carried out, and its answer is lost together with the connection.
  void carry_out_and_drop() {
    apply(waiting_.front());
    drop();
  }

  void send_events() {
    for (const auto& event : std::exchange(withheld_, {})) server.send(event);
  }

 private:
  struct Request {
    std::int32_t xid = 0;
    jute::OpCode op = jute::OpCode::kPing;
    std::string path;
    std::string line;
    bool flag = false;  ///< exists: leave a watch; create: ephemeral
  };

  void shake_hands(const std::vector<std::byte>& frame) {
    const auto hello = jute::decode<jute::ConnectRequest>(frame);
    sessions_wanted.push_back(hello->session_id.value);
    if (hello->last_zxid_seen.value > tree_.zxid) return drop();  // as Apache: without an answer
    if (std::exchange(expire, false)) {
      end_session();
      server.send(client::encode(jute::ConnectResponse{0, 0, SessionId{0}, std::string(16, '\0'), false}));
    } else {
      server.grant(session_, granted_timeout_ms);
    }
  }

  void note(const std::vector<std::byte>& frame) {
    jute::Reader in(frame);
    jute::RequestHeader header;
    read(in, header);
    Request request{header.xid, header.op, {}, jute::name(header.op), false};
    switch (header.op) {
      case jute::OpCode::kPing:
        return server.reply(jute::kXidPing, tree_.zxid, jute::ErrorCode::kOk);
      case jute::OpCode::kSetWatches:
        return server.reply(jute::kXidSetWatches, tree_.zxid, jute::ErrorCode::kOk);
      case jute::OpCode::kAuth: {
        jute::AuthPacket packet;
        read(in, packet);
        log.push_back("auth " + packet.scheme + " " + packet.auth.value_or("null"));
        return server.reply(jute::kXidAuth, tree_.zxid, auth_answer);
      }
      case jute::OpCode::kCreate: {
        jute::CreateRequest record;
        read(in, record);
        request.path = record.path;
        request.flag = record.mode == jute::CreateMode::kEphemeral;
        break;
      }
      case jute::OpCode::kExists: {
        jute::ReadRequest record;
        read(in, record);
        request.path = record.path;
        request.flag = record.watch;
        break;
      }
      case jute::OpCode::kSetData: {
        jute::SetDataRequest record;
        read(in, record);
        request.path = record.path;
        break;
      }
      case jute::OpCode::kDelete: {
        jute::DeleteRequest record;
        read(in, record);
        request.path = record.path;
        break;
      }
      case jute::OpCode::kSync: {
        jute::SyncRecord record;
        read(in, record);
        request.path = record.path.value_or("null");
        break;
      }
      default:
        break;
    }
    if (!request.path.empty()) request.line += " " + request.path;
    log.push_back(request.line);
    waiting_.push_back(std::move(request));
  }

  jute::ErrorCode apply(const Request& request) {
    if (const auto found = fail.find(request.line); found != fail.end()) return found->second;
    const bool there = request.path == "/" || tree_.owners.contains(request.path);
    switch (request.op) {
      case jute::OpCode::kCreate: {
        const std::string parent = request.path.substr(0, request.path.rfind('/'));
        if (!parent.empty() && !tree_.owners.contains(parent)) return jute::ErrorCode::kNoNode;
        if (there) return jute::ErrorCode::kNodeExists;
        tree_.owners[request.path] = request.flag ? session_ : 0;
        break;
      }
      case jute::OpCode::kExists:
        if (request.flag) watches_.insert(request.path);
        return there ? jute::ErrorCode::kOk : jute::ErrorCode::kNoNode;
      case jute::OpCode::kSetData:
        if (!there) return jute::ErrorCode::kNoNode;
        for (FakeMember* member : tree_.members) member->fire(request.path);
        break;
      case jute::OpCode::kDelete:
        if (tree_.owners.erase(request.path) == 0) return jute::ErrorCode::kNoNode;
        break;
      case jute::OpCode::kCloseSession:
        end_session();
        break;
      default:
        return jute::ErrorCode::kOk;
    }
    ++tree_.zxid;
    return jute::ErrorCode::kOk;
  }

  void answer(const Request& request) {
    const jute::ErrorCode error = apply(request);
    if (error != jute::ErrorCode::kOk) return server.reply(request.xid, tree_.zxid, error);
    switch (request.op) {
      case jute::OpCode::kCreate:
        return server.reply(request.xid, tree_.zxid, error, jute::CreateResponse{request.path});
      case jute::OpCode::kExists:
      case jute::OpCode::kSetData:
        return server.reply(request.xid, tree_.zxid, error, jute::StatResponse{});
      case jute::OpCode::kSync:
        return server.reply(request.xid, tree_.zxid, error, jute::SyncRecord{request.path});
      default:
        return server.reply(request.xid, tree_.zxid, error);
    }
  }

  void fire(const std::string& path) {
    if (watches_.erase(path) == 0) return;
    auto event = client::encode(
        jute::ReplyHeader{jute::kXidNotification, Zxid{tree_.zxid}, jute::ErrorCode::kOk},
        jute::WatcherEvent{jute::EventType::kNodeDataChanged, jute::KeeperState::kSyncConnected, path});
    if (withhold_events)
      withheld_.push_back(std::move(event));
    else
      server.send(event);
  }

  void end_session() {
    std::erase_if(tree_.owners, [this](const auto& node) { return node.second == session_; });
  }

  FakeTree& tree_;
  const std::int64_t session_;
  int connections_ = 0;
  bool handshake_due_ = false;
  std::deque<Request> waiting_;
  std::set<std::string> watches_;
  std::vector<std::vector<std::byte>> withheld_;
};

}  // namespace wk::exporter
