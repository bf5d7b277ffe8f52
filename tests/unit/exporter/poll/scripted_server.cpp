#include "tests/unit/exporter/poll/scripted_server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace wk::exporter {
namespace asio = boost::asio;
using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;

namespace {

template <typename Stream>
class StreamPeer : public Peer {
 public:
  StreamPeer(Stream& stream, tcp::socket& socket) : stream_(stream), socket_(socket) {}

  asio::awaitable<std::string> read(std::size_t count) override {
    std::string text(count, '\0');
    boost::system::error_code ec;
    const std::size_t got =
        co_await asio::async_read(stream_, asio::buffer(text), redirect_error(use_awaitable, ec));
    text.resize(got);
    co_return text;
  }
  asio::awaitable<std::string> read_head() override {
    std::string text;
    boost::system::error_code ec;
    const std::size_t got = co_await asio::async_read_until(stream_, asio::dynamic_buffer(text), "\r\n\r\n",
                                                            redirect_error(use_awaitable, ec));
    text.resize(got);
    co_return text;
  }
  asio::awaitable<bool> write(std::string text) override {
    boost::system::error_code ec;
    co_await asio::async_write(stream_, asio::buffer(text), redirect_error(use_awaitable, ec));
    co_return !ec;
  }
  asio::awaitable<void> hang() override {
    for (boost::system::error_code ec; !ec;) {
      char byte = 0;
      co_await socket_.async_read_some(asio::buffer(&byte, 1), redirect_error(use_awaitable, ec));
    }
  }
  void reset() override {
    boost::system::error_code ec;
    socket_.set_option(asio::socket_base::linger(true, 0), ec);
    socket_.close(ec);
  }

 private:
  Stream& stream_;
  tcp::socket& socket_;
};

}  // namespace

ScriptedServer::ScriptedServer(asio::io_context& context, std::vector<Script> scripts,
                               std::shared_ptr<asio::ssl::context> tls)
    : state_(std::make_shared<State>(context)) {
  state_->scripts = std::move(scripts);
  state_->tls = std::move(tls);
  const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), 0);
  state_->acceptor.open(endpoint.protocol());
  state_->acceptor.bind(endpoint);
  state_->acceptor.listen();
  state_->port = state_->acceptor.local_endpoint().port();
  asio::co_spawn(context, accept(state_), asio::detached);
}

ScriptedServer::~ScriptedServer() { close(); }

void ScriptedServer::close() {
  boost::system::error_code ec;
  state_->acceptor.close(ec);
}

asio::awaitable<void> ScriptedServer::accept(std::shared_ptr<State> state) {
  for (;;) {
    boost::system::error_code ec;
    tcp::socket socket = co_await state->acceptor.async_accept(redirect_error(use_awaitable, ec));
    if (ec) co_return;
    const auto index =
        std::min<std::size_t>(static_cast<std::size_t>(state->connections), state->scripts.size() - 1);
    ++state->connections;
    asio::co_spawn(state->acceptor.get_executor(), serve(state, std::move(socket), state->scripts[index]),
                   asio::detached);
  }
}

asio::awaitable<void> ScriptedServer::serve(std::shared_ptr<State> state, tcp::socket socket, Script script) {
  if (!state->tls) {
    StreamPeer<tcp::socket> peer(socket, socket);
    co_await script(peer);
    co_return;
  }
  asio::ssl::stream<tcp::socket&> stream(socket, *state->tls);
  boost::system::error_code ec;
  co_await stream.async_handshake(asio::ssl::stream_base::server, redirect_error(use_awaitable, ec));
  if (ec) co_return;
  if (SSL_session_reused(stream.native_handle()) == 1) ++state->resumed;
  StreamPeer<asio::ssl::stream<tcp::socket&>> peer(stream, socket);
  co_await script(peer);
  co_await stream.async_shutdown(redirect_error(use_awaitable, ec));
}

ScriptedServer::Script words(std::vector<std::pair<std::string, std::string>> answers) {
  return [answers](Peer& peer) -> asio::awaitable<void> {
    const std::string word = co_await peer.read(4);
    for (const auto& [known, text] : answers)
      if (known == word) co_await peer.write(text);
  };
}

ScriptedServer::Script says(std::string text) {
  return [text](Peer& peer) -> asio::awaitable<void> {
    co_await peer.read(4);
    co_await peer.write(text);
  };
}

ScriptedServer::Script hangs() {
  return [](Peer& peer) -> asio::awaitable<void> { co_await peer.hang(); };
}

const char* const kSrvrText =
    "Zookeeper version: 3.8.0-abcdef, built on 2024-12-29 17:54 UTC\n"
    "Latency min/avg/max: 0/0.5/7\nReceived: 31\nSent: 30\nConnections: 2\nOutstanding: 0\n"
    "Zxid: 0x100000007\nMode: standalone\nNode count: 5\n";

const char* const kMntrText =
    "zk_version\t3.8.0-abcdef, built on 2024-12-29 17:54 UTC\nzk_server_state\tstandalone\nzk_uptime\t1234\n"
    "zk_avg_latency\t0.5\nzk_max_latency\t7\nzk_min_latency\t0\nzk_packets_received\t31\nzk_packets_"
    "sent\t30\n"
    "zk_num_alive_connections\t2\nzk_outstanding_requests\t0\nzk_znode_count\t5\nzk_watch_count\t0\n"
    "zk_ephemerals_count\t0\nzk_approximate_data_size\t44\nzk_open_file_descriptor_count\t60\n"
    "zk_max_file_descriptor_count\t1024\n";

}  // namespace wk::exporter
