#include "exporter/web/server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <mutex>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <thread>

#include "exporter/web/civetweb_library.h"
#include "tests/unit/exporter/web/test_files.h"

namespace wk::exporter {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Connects to the server, sends, and reads until the server closes.
class Client {
 public:
  explicit Client(std::uint16_t port, const char* address = "127.0.0.1") {
    socket_.connect({asio::ip::make_address(address), port});
  }

  void send(std::string_view text) {
    error_code ignored;  // the server may have closed already; what it said is then still readable
    asio::write(socket_, asio::buffer(text.data(), text.size()), ignored);
  }

  std::string read_to_end() {
    std::string text;
    error_code error;
    asio::read(socket_, asio::dynamic_buffer(text), error);
    return text;
  }

  std::string read_until(std::string_view end) {
    std::string text;
    error_code error;
    while (!error && !text.ends_with(end)) {
      char c = 0;
      asio::read(socket_, asio::buffer(&c, 1), error);
      if (!error) text += c;
    }
    return text;
  }

 private:
  asio::io_context io_;
  tcp::socket socket_{io_};
};

std::string get(std::string_view path, std::string_view headers = "", std::string_view method = "GET") {
  return fmt::format("{} {} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{}\r\n", method, path, headers);
}

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    options_.listen = {{"127.0.0.1", 0}};
    options_.requests_max = 8;
    options_.streams_max = 4;
    options_.connections_max = 16;
  }

  void start() {
    server_.emplace(options_);
    server_->handle("/", [](const Request&) { return Response{200, "text/html", "hello", {}}; });
    server_->handle("/echo", [](const Request& request) {
      std::string text = request.path + "|" + request.remote_address + "|" + request.header("x-test") + "|";
      for (const auto& [key, value] : request.query) text += key + "=" + value + ";";
      return Response{200, "text/plain", text, {}};
    });
    server_->handle("/inline", [](const Request&) {
      static constexpr std::string_view kScripts[] = {"'sha256-a='", "'sha256-b='"};
      static constexpr std::string_view kStyles[] = {"'sha256-c='"};
      return Response{200, "text/html", "hello", {}, {kScripts, kStyles}};
    });
    server_->handle("/throws", [](const Request&) -> Response { throw std::runtime_error("broken"); });
    server_->handle("/big", [](const Request&) {
      return Response{200, "text/plain", std::make_shared<const std::string>(std::string(100'000, 'x')), {}};
    });
    server_->handle("/headers", [](const Request&) {
      return Response{409,
                      "text/plain",
                      "no",
                      {{"X-Good", "1"}, {"X-Bad", "1\r\nInjected: 1"}, {"Cache-Control", "max-age=9"}}};
    });
    server_->handle_prefix("/segments/", [](const Request& request) {
      return Response{200, "text/plain", fmt::format("{}", fmt::join(request.segments, "|")), {}};
    });
    server_->handle_prefix("/p/", [](const Request&) { return Response{200, "text/plain", "short", {}}; });
    server_->handle_prefix("/p/q/", [](const Request&) { return Response{200, "text/plain", "long", {}}; });
    const auto started = server_->start();
    ASSERT_TRUE(started.has_value()) << started.error().message;
  }

  std::uint16_t port() const { return server_->addresses().at(0).port; }

  std::string ask(std::string_view request) {
    Client client(port());
    client.send(request);
    return client.read_to_end();
  }

  HttpOptions options_;
  TemporaryDirectory directory_;
  std::optional<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersWithSecurityHeaders) {
  start();
  const std::string answer = ask(get("/"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/html\r\nContent-Length: 5\r\nConnection: close\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nCache-Control: no-store\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nX-Frame-Options: DENY\r\n"));
  EXPECT_THAT(answer,
              HasSubstr("\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; "
                        "style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
                        "form-action 'none'; frame-ancestors 'none'\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\nhello"));
}

TEST_F(HttpServerTest, ThePolicyLetsThroughWhatTheDocumentHasInItself) {
  start();
  EXPECT_THAT(ask(get("/inline")), HasSubstr("; script-src 'self' 'sha256-a=' 'sha256-b='; "
                                             "style-src 'self' 'sha256-c='; connect-src"));
}

TEST_F(HttpServerTest, HandlerSeesTheRequest) {
  start();
  EXPECT_TRUE(
      ask(get("/echo?b=2&a=%31", "X-Test: v\r\nx-test: w\r\n")).ends_with("/echo|127.0.0.1|v, w|a=1;b=2;"));
}

TEST_F(HttpServerTest, HandlerSeesTheSegmentsOfThePath) {
  start();
  EXPECT_TRUE(ask(get("/segments/a%2Fb/c")).ends_with("\r\n\r\nsegments|a/b|c"));
}

TEST_F(HttpServerTest, HeadHasTheLengthButNoBody) {
  start();
  const std::string answer = ask(get("/", "", "HEAD"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 5\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(HttpServerTest, RoutesExactThenLongestPrefix) {
  start();
  EXPECT_TRUE(ask(get("/p/x")).ends_with("short"));
  EXPECT_TRUE(ask(get("/p/q/x")).ends_with("long"));
  const std::string answer = ask(get("/nowhere"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_TRUE(answer.ends_with("Nothing is served at this path; / lists what is.\n"));
}

TEST_F(HttpServerTest, OtherMethodsAreRefused) {
  start();
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const std::string answer = ask(get("/", "", method));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n")) << method;
    EXPECT_THAT(answer, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  }
}

TEST_F(HttpServerTest, AThrowingHandlerIs500AndTheServerLives) {
  start();
  EXPECT_THAT(ask(get("/throws")), StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_THAT(ask(get("/")), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(server_->stats().handler_failures, 1U);
  EXPECT_EQ(server_->stats().responses, (std::array<std::uint64_t, 4>{1, 0, 0, 1}));
}

TEST_F(HttpServerTest, HandlersHeadersOverrideButCannotInject) {
  start();
  const std::string answer = ask(get("/headers"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 409 Conflict\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nX-Good: 1\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nCache-Control: max-age=9\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Injected")));
  EXPECT_THAT(answer, Not(HasSubstr("no-store")));
}

TEST_F(HttpServerTest, CompressesLargeBodiesWhenAsked) {
  start();
  const std::string plain = ask(get("/big"));
  EXPECT_THAT(plain, HasSubstr("\r\nContent-Length: 100000\r\n"));
  EXPECT_THAT(plain, HasSubstr("\r\nVary: Accept-Encoding\r\n"));
  const std::string answer = ask(get("/big", "Accept-Encoding: gzip\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Encoding: gzip\r\n"));
  const std::string body = answer.substr(answer.find("\r\n\r\n") + 4);
  std::vector<Bytef> in(body.begin(), body.end());
  std::vector<Bytef> out(200'000);
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = in.data();
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.total_out, 100'000U);
  EXPECT_EQ(out[99'999], 'x');
  inflateEnd(&stream);
  EXPECT_THAT(ask(get("/", "Accept-Encoding: gzip\r\n")), Not(HasSubstr("gzip")));
}

TEST_F(HttpServerTest, KeepsConnectionsAliveAndReadsPipelinedRequests) {
  start();
  Client client(port());
  client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\nGET /echo HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_THAT(client.read_until("hello"), HasSubstr("\r\nConnection: keep-alive\r\n"));
  EXPECT_THAT(client.read_until("/echo|127.0.0.1||"), StartsWith("HTTP/1.1 200 OK\r\n"));
  client.send(get("/p/x"));
  EXPECT_TRUE(client.read_to_end().ends_with("short"));
}

TEST_F(HttpServerTest, Http10ClosesAfterTheAnswer) {
  start();
  EXPECT_TRUE(ask("GET / HTTP/1.0\r\n\r\n").ends_with("hello"));
}

TEST_F(HttpServerTest, KeepsAliveAsTheClientWishes) {
  start();
  const auto asked = [&](std::string_view text) {
    Client client(port());
    client.send(text);
    return client.read_until("hello");
  };
  EXPECT_THAT(asked("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
              HasSubstr("\r\nConnection: keep-alive\r\n"));
  EXPECT_THAT(asked("GET / HTTP/1.1\r\nHost: t\r\nConnection: x, keep-alive\r\n\r\n"),
              HasSubstr("\r\nConnection: keep-alive\r\n"));
  EXPECT_THAT(asked("GET / HTTP/1.1\r\nHost: t\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
              HasSubstr("\r\nConnection: close\r\n"));
}

TEST_F(HttpServerTest, ABodyIsNeverTakenForTheNextRequest) {
  start();
  const std::string_view hidden = "GET /big HTTP/1.1\r\nHost: t\r\n\r\n";
  for (const std::string& framing :
       {fmt::format("Content-Length: {}\r\n\r\n{}", hidden.size(), hidden),
        fmt::format("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n", hidden.size(), hidden)}) {
    const std::string answer = ask("GET / HTTP/1.1\r\nHost: t\r\n" + framing);
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_TRUE(answer.ends_with("hello")) << framing;
  }
}

TEST_F(HttpServerTest, HostileRequestsGet4xxAndAreCounted) {
  start();
  const std::string long_header = get("/", "X: " + std::string(100'000, 'a') + "\r\n");
  EXPECT_THAT(ask(long_header), HasSubstr("header is larger than 16384 bytes.\n"));
  std::string many_headers;
  for (int i = 0; i < 62; ++i) many_headers += fmt::format("X{}: y\r\n", i);  // with Host and Connection 64
  EXPECT_THAT(ask(get("/", many_headers)), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(ask(get("/" + std::string(50'000, 'a'))), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(std::string("GET /\0 HTTP/1.1\r\nHost: t\r\n\r\n", 29)), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(get("/", std::string("X: a\0b\r\n", 8))), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("\x16\x03\x01\x02\x03\x04\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(get("/", "", "BREW")), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("GET / HTTP/3.0\r\nHost: t\r\n\r\n"), StartsWith("HTTP/1.1 505 "));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(get("/", "Host: again\r\n")), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(get("/../../etc/passwd")), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(get("/%2e%2e/x")), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(get("/%zz")), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(get("/a%00b")), StartsWith("HTTP/1.1 400 "));
  std::string query = "/?a";
  for (int i = 0; i < 5'000; ++i) query += "&a";
  EXPECT_THAT(ask(get(query)), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(server_->stats().malformed_requests, 15U);
  EXPECT_THAT(ask(get("/")), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, NothingOfTheFileSystemIsServed) {
  start();
  for (const char* path : {"/etc/passwd", "//etc/passwd", "/.htpasswd", "/index.html", "/*", "/."}) {
    EXPECT_THAT(ask(get(path)), testing::AnyOf(StartsWith("HTTP/1.1 404 "), StartsWith("HTTP/1.1 400 ")))
        << path;
  }
}

TEST_F(HttpServerTest, SlowClientsAreCutOff) {
  options_.connection.request_timeout = 100ms;
  start();
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 40; ++i) {  // more than there are threads
    slow.push_back(std::make_unique<Client>(port()));
    slow.back()->send("GET / HT");
  }
  EXPECT_TRUE(ask(get("/")).ends_with("hello"));  // after those before it, each of which has its time
  for (auto& client : slow)
    EXPECT_THAT(client->read_to_end(), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_EQ(server_->stats().timeouts, 40U);
}

TEST_F(HttpServerTest, SilentClientsAreCutOff) {
  options_.connection.request_timeout = 100ms;
  start();
  EXPECT_EQ(Client(port()).read_to_end(), "");
  EXPECT_EQ(server_->stats().timeouts, 1U);
}

TEST_F(HttpServerTest, KeepsAtMostHalfOfTheConnectionsAlive) {
  start();
  std::vector<std::unique_ptr<Client>> clients;
  std::size_t kept = 0;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<Client>(port()));
    clients.back()->send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
    kept += clients.back()->read_until("hello").find("Connection: keep-alive") != std::string::npos ? 1 : 0;
    if (kept <= static_cast<std::size_t>(i))
      clients.back()->read_to_end();  // it is closed, and counts no longer
  }
  EXPECT_EQ(kept, 8U);
  EXPECT_EQ(server_->stats().rejected_connections, 4U);
}

/// Holds every request until it is told to go on.
class Gate {
 public:
  Handler handler() {
    return [this](const Request&) {
      entered_.release();
      released_.acquire();
      return Response{200, "text/plain", "late", {}};
    };
  }
  void wait_for_one() { entered_.acquire(); }
  void release(std::ptrdiff_t count) { released_.release(count); }

 private:
  std::counting_semaphore<> entered_{0};
  std::counting_semaphore<> released_{0};
};

TEST_F(HttpServerTest, TooManyRequestsAre503) {
  server_.emplace(options_);
  Gate gate;
  server_->handle("/", gate.handler());
  ASSERT_TRUE(server_->start().has_value());
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < options_.requests_max; ++i) {
    clients.push_back(std::make_unique<Client>(port()));
    clients.back()->send(get("/"));
    gate.wait_for_one();
  }
  const std::string answer = ask(get("/"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nRetry-After: 1\r\n"));
  EXPECT_EQ(server_->stats().rejected_requests, 1U);
  gate.release(8);
  for (auto& client : clients) EXPECT_TRUE(client->read_to_end().ends_with("late"));
}

TEST_F(HttpServerTest, StopLetsARunningHandlerFinish) {
  server_.emplace(options_);
  Gate gate;
  server_->handle("/", gate.handler());
  server_->handle("/quick", [](const Request&) { return Response{200, "text/plain", "hello", {}}; });
  ASSERT_TRUE(server_->start().has_value());
  // One that civetweb has only queued is not closed by it before the process ends.
  Client idle(port());
  idle.send("GET /quick HTTP/1.1\r\nHost: t\r\n\r\n");
  idle.read_until("hello");
  Client first(port());
  first.send(get("/"));
  gate.wait_for_one();
  std::thread stopping([this] { server_->stop(); });
  gate.release(1);
  EXPECT_TRUE(first.read_to_end().ends_with("late"));
  stopping.join();
  EXPECT_EQ(idle.read_to_end(), "");
  server_->stop();
}

/// Sends what the test pushes, and tells when it is gone.
class ScriptedStream final : public BodyStream {
 public:
  explicit ScriptedStream(std::counting_semaphore<>& gone) : gone_(gone) {}
  ~ScriptedStream() override { gone_.release(); }

  void push(std::string piece) {
    const std::lock_guard lock(mutex_);
    pieces_.push_back(std::move(piece));
    changed_.notify_all();
  }
  std::shared_ptr<const std::string> next() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_ || !pieces_.empty(); });
    if (ended_) return nullptr;
    auto piece = std::make_shared<const std::string>(std::move(pieces_.front()));
    pieces_.pop_front();
    if (*piece == "throw") throw std::runtime_error("broken");
    return piece;
  }
  void end() override {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

 private:
  std::counting_semaphore<>& gone_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> pieces_;
  bool ended_ = false;
};

/// Never waits and never ends by itself.
class EndlessStream final : public BodyStream {
 public:
  explicit EndlessStream(std::counting_semaphore<>& gone) : gone_(gone) {}
  ~EndlessStream() override { gone_.release(); }
  std::shared_ptr<const std::string> next() override { return ended_ ? nullptr : piece_; }
  void end() override { ended_ = true; }

 private:
  std::counting_semaphore<>& gone_;
  const std::shared_ptr<const std::string> piece_ =
      std::make_shared<const std::string>(std::string(100'000, 'x'));
  std::atomic<bool> ended_{false};
};

class HttpStreamTest : public HttpServerTest {
 protected:
  void start_streams() {
    server_.emplace(options_);
    server_->handle("/", [](const Request&) { return Response{200, "text/html", "hello", {}}; });
    server_->handle("/stream", [this](const Request&) {
      auto stream = std::make_shared<ScriptedStream>(gone_);
      {
        const std::lock_guard lock(mutex_);
        newest_ = stream;
      }
      return Response{200, "text/event-stream", std::shared_ptr<BodyStream>(stream), {}};
    });
    server_->handle("/endless", [this](const Request&) {
      return Response{
          200, "text/plain", std::shared_ptr<BodyStream>(std::make_shared<EndlessStream>(gone_)), {}};
    });
    const auto started = server_->start();
    ASSERT_TRUE(started.has_value()) << started.error().message;
  }

  /// The stream that the last request opened, while its head has been read.
  std::shared_ptr<ScriptedStream> newest() {
    const std::lock_guard lock(mutex_);
    return newest_.lock();
  }

  std::unique_ptr<Client> open() {
    auto client = std::make_unique<Client>(port());
    client->send(get("/stream"));
    EXPECT_THAT(client->read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
    return client;
  }

  std::counting_semaphore<> gone_{0};
  std::mutex mutex_;
  std::weak_ptr<ScriptedStream> newest_;
};

TEST_F(HttpStreamTest, PiecesAreSentAsTheyCome) {
  start_streams();
  Client client(port());
  client.send(get("/stream", "Accept-Encoding: gzip\r\nConnection: keep-alive\r\n"));
  const std::string head = client.read_until("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(head, Not(HasSubstr("Content-Encoding")));
  EXPECT_EQ(server_->stats().streams, 1U);
  newest()->push("one");
  EXPECT_EQ(client.read_until("one"), "one");
  newest()->push(std::string(50'000, 'a') + "two");
  EXPECT_EQ(client.read_until("two").size(), 50'003U);
  newest()->end();
  EXPECT_EQ(client.read_to_end(), "");
  gone_.acquire();
  EXPECT_EQ(server_->stats().streams, 0U);
  EXPECT_EQ(server_->stats().timeouts, 0U);
}

TEST_F(HttpStreamTest, TooManyAre503InJson) {
  start_streams();
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < options_.streams_max; ++i) clients.push_back(open());
  EXPECT_EQ(server_->stats().streams, 4U);
  const std::string answer = ask(get("/stream"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nRetry-After: 1\r\n"));
  EXPECT_TRUE(
      answer.ends_with("{\"error\": \"4 streams are open already; ask for single documents instead, or come "
                       "back later\"}\n"));
  EXPECT_EQ(server_->stats().rejected_streams, 1U);
  gone_.acquire();  // the one that got no place
  EXPECT_THAT(ask(get("/")), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpStreamTest, AnEndedStreamGivesItsPlaceBack) {
  options_.streams_max = 1;
  start_streams();
  const auto first = open();
  newest()->end();
  EXPECT_EQ(first->read_to_end(), "");
  const auto second = open();
  EXPECT_EQ(server_->stats().rejected_streams, 0U);
}

TEST_F(HttpStreamTest, StreamsTakeNoPlaceOfRequests) {
  options_.streams_max = 7;
  start_streams();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 7; ++i) clients.push_back(open());
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(ask(get("/")).ends_with("hello"));
  EXPECT_EQ(server_->stats().rejected_requests, 0U);
}

TEST_F(HttpStreamTest, HeadOpensNone) {
  start_streams();
  const std::string answer = ask(get("/stream", "", "HEAD"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/event-stream\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
  EXPECT_EQ(server_->stats().streams, 0U);
}

TEST_F(HttpStreamTest, AThrowingStreamEndsAndTheServerLives) {
  start_streams();
  const auto client = open();
  newest()->push("good");
  newest()->push("throw");
  EXPECT_EQ(client->read_to_end(), "good");
  EXPECT_EQ(server_->stats().handler_failures, 1U);
  EXPECT_TRUE(ask(get("/")).ends_with("hello"));
}

TEST_F(HttpStreamTest, StopEndsStreamsThatWait) {
  start_streams();
  const auto first = open();
  const auto second = open();
  server_->stop();
  EXPECT_EQ(first->read_to_end(), "");
  EXPECT_EQ(second->read_to_end(), "");
  gone_.acquire();
  gone_.acquire();
}

TEST_F(HttpStreamTest, StopEndsStreamsThatNobodyReads) {
  start_streams();
  Client client(port());
  client.send(get("/endless"));
  EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
  server_->stop();
  gone_.acquire();
  EXPECT_EQ(server_->stats().timeouts, 0U);
}

TEST_F(HttpStreamTest, AClientThatIsGoneIsNoticed) {
  start_streams();
  {
    Client client(port());
    client.send(get("/endless"));
    client.read_until("\r\n\r\n");
  }
  gone_.acquire();
  EXPECT_EQ(server_->stats().timeouts, 0U);
}

TEST_F(HttpStreamTest, AClientThatDoesNotReadIsCutOff) {
  options_.connection.request_timeout = 100ms;
  start_streams();
  Client client(port());
  client.send(get("/endless"));
  client.read_until("\r\n\r\n");
  gone_.acquire();
  EXPECT_EQ(server_->stats().timeouts, 1U);
  EXPECT_TRUE(ask(get("/")).ends_with("hello"));
}

TEST_F(HttpServerTest, NotModifiedHasNoBodyAndNoLength) {
  server_.emplace(options_);
  server_->handle("/", [](const Request&) { return Response{304, "text/html", "", {{"ETag", "\"1\""}}}; });
  ASSERT_TRUE(server_->start().has_value());
  Client client(port());
  client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  const std::string answer = client.read_until("\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 304 Not Modified\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Content-Length")));
  client.send(get("/"));
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 304 Not Modified\r\n"));
}

TEST_F(HttpServerTest, AStaticTextIsABody) {
  server_.emplace(options_);
  server_->handle("/", [](const Request&) { return Response{200, "text/plain", StaticText{"fixed"}, {}}; });
  ASSERT_TRUE(server_->start().has_value());
  EXPECT_THAT(ask(get("/")), HasSubstr("\r\nContent-Length: 5\r\n"));
  EXPECT_TRUE(ask(get("/")).ends_with("\r\n\r\nfixed"));
}

TEST_F(HttpServerTest, ErrorsOfListeningNameAddressAndRemedy) {
  start();
  HttpOptions options;
  options.listen = {{"127.0.0.1", 0}, {"127.0.0.1", port()}};
  HttpServer second(options);
  const auto started = second.start();
  ASSERT_FALSE(started.has_value());
  EXPECT_THAT(
      started.error().message,
      StartsWith(fmt::format(
          "cannot listen on 127.0.0.1:{}: Address already in use; another process listens there", port())));
  options.listen = {{"::1", 9141}};
  EXPECT_THAT(
      HttpServer(options).start().error().message,
      StartsWith("cannot listen on [::1]:9141: the HTTP library of this build (civetweb 1.15) has no IPv6; "
                 "listen on an IPv4 address such as 127.0.0.1:9141"));
  options.listen = {{"127.0.0.1", 0}, {"192.0.2.1", 0}};
  EXPECT_THAT(HttpServer(options).start().error().message,
              HasSubstr("this machine does not have that address"));
  options.listen = {{"no-such-host.invalid", 1}};
  EXPECT_EQ(HttpServer(options).start().error().code, Errc::kUnresolved);
}

TEST_F(HttpServerTest, ListensOnSeveralAddresses) {
  options_.listen = {{"", 0}, {"127.0.0.1", 0}};
  start();
  const auto addresses = server_->addresses();
  ASSERT_EQ(addresses.size(), 2U);
  EXPECT_NE(addresses[0].port, addresses[1].port);
  EXPECT_TRUE(ask(get("/echo")).ends_with("/echo|127.0.0.1||"));
  Client other(addresses[1].port);
  other.send(get("/"));
  EXPECT_TRUE(other.read_to_end().ends_with("hello"));
}

TEST_F(HttpServerTest, PortsOfOthersAreRefused) {
  std::ifstream first_free("/proc/sys/net/ipv4/ip_unprivileged_port_start");
  std::string text;
  std::getline(first_free, text);
  if (text != "1024") GTEST_SKIP() << "this machine lets everybody listen on every port";
  options_.listen = {{"127.0.0.1", 1}};
  server_.emplace(options_);
  constexpr uid_t kNobody = 65534;
  const uid_t user = geteuid();
  ASSERT_EQ(seteuid(user == 0 ? kNobody : user), 0);
  const auto started = server_->start();
  ASSERT_EQ(seteuid(user), 0);
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(
      started.error().message,
      "cannot listen on 127.0.0.1:1: Permission denied; ports below 1024 need CAP_NET_BIND_SERVICE; choose a "
      "port above");
}

TEST_F(HttpServerTest, TooManyPasswordsToCheckAre503) {
  // One check at cost 12 takes longer than seven requests need to arrive; three of them hold all places.
  options_.web_config = directory_.write(
      "web.yml", "basic_auth_users: {ann: $2b$12$MDEyMzQ1Njc4OWFiY2RlZeSPzJTKo7f9bbFlIpwyzkdGnqbNAGXCC}");
  start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 7; ++i) {
    clients.push_back(std::make_unique<Client>(port()));
    clients.back()->send(
        get("/", fmt::format("Authorization: Basic YW5uOnh{}\r\n", static_cast<char>('A' + i))));
  }
  std::size_t busy = 0;
  for (auto& client : clients) busy += client->read_to_end().starts_with("HTTP/1.1 503 ") ? 1 : 0;
  EXPECT_GT(busy, 0U);
  EXPECT_EQ(server_->stats().rejected_authentication_busy, busy);
}

TEST_F(HttpServerTest, BasicAuthenticationGuardsEveryPath) {
  options_.web_config =
      directory_.write("web.yml", "basic_auth_users: {ann: " + bcrypt("secret") +
                                      "}\nhttp_server_config: {headers: {X-Frame-Options: sameorigin}}");
  start();
  for (const std::string& request : {get("/"), get("/nowhere"), get("/../x"), get("/", "", "POST"),
                                     get("/", "Authorization: Basic YW5uOnNlY3JldHM=\r\n")}) {
    const std::string answer = ask(request);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 401 Unauthorized\r\n")) << request;
    EXPECT_THAT(answer, HasSubstr("\r\nWWW-Authenticate: Basic realm=\"watchkeeper\""));
  }
  EXPECT_EQ(server_->stats().authentication_failures, 5U);
  const std::string answer = ask(get("/", "Authorization: Basic YW5uOnNlY3JldA==\r\n"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nX-Frame-Options: sameorigin\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("DENY")));
}

TEST_F(HttpServerTest, ABrokenWebConfigurationStopsTheStart) {
  options_.web_config = directory_.write("web.yml", "nonsense: 1");
  server_.emplace(options_);
  const auto started = server_->start();
  ASSERT_FALSE(started.has_value());
  EXPECT_THAT(started.error().message, HasSubstr("web.yml:1: nonsense: unknown key"));
}

class HttpsServerTest : public HttpStreamTest {
 protected:
  void write_tls(const std::string& more) {
    directory_.write("c.pem", server_pair_.certificate_pem);
    directory_.write("k.pem", server_pair_.key_pem);
    directory_.write("ca.pem", client_pair_.certificate_pem);
    options_.web_config =
        directory_.write("web.yml", "tls_server_config:\n  cert_file: c.pem\n  key_file: k.pem\n" + more);
  }
  void start_tls(const std::string& more) {
    write_tls(more);
    start();
  }

  /// The answer over TLS, or the reason why there is none. Verifies the server's certificate.
  std::string ask_tls(std::string_view request, const KeyPair* client = nullptr, int version = 0) {
    asio::ssl::context context(asio::ssl::context::tls_client);
    context.add_certificate_authority(asio::buffer(server_pair_.certificate_pem));
    context.set_verify_mode(asio::ssl::verify_peer);
    if (version != 0) SSL_CTX_set_max_proto_version(context.native_handle(), version);
    if (client != nullptr) {
      context.use_certificate(asio::buffer(client->certificate_pem), asio::ssl::context::pem);
      context.use_private_key(asio::buffer(client->key_pem), asio::ssl::context::pem);
    }
    asio::io_context io;
    asio::ssl::stream<tcp::socket> stream(io, context);
    stream.next_layer().connect({asio::ip::make_address("127.0.0.1"), port()});
    error_code error;
    stream.handshake(asio::ssl::stream_base::client, error);
    if (!error) asio::write(stream, asio::buffer(request.data(), request.size()), error);
    std::string text;
    if (!error) asio::read(stream, asio::dynamic_buffer(text), error);
    return text.empty() ? "refused: " + error.message() : text;
  }

  const KeyPair server_pair_ = make_key_pair("server", "DNS:localhost");
  const KeyPair client_pair_ = make_key_pair("client", "DNS:scraper.example");
};

TEST_F(HttpsServerTest, ServesTls) {
  start_tls("");
  EXPECT_THAT(ask_tls(get("/")), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(ask_tls(get("/echo?a=b")).ends_with("/echo|127.0.0.1||a=b;"));

  EXPECT_GT(ask_tls(get("/big")).size(), 100'000U);
}

TEST_F(HttpsServerTest, StreamsOverTls) {
  write_tls("");
  start_streams();
  std::thread ending([this] {
    std::shared_ptr<ScriptedStream> stream;
    while (!stream) stream = newest();
    stream->push("piece");
    stream->push("throw");
  });
  EXPECT_TRUE(ask_tls(get("/stream")).ends_with("\r\n\r\npiece"));
  ending.join();
}

TEST_F(HttpsServerTest, PlainRequestIsToldWhatIsWrong) {
  start_tls("");
  const std::string answer = ask(get("/"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(answer, HasSubstr("This port speaks HTTPS"));
  EXPECT_EQ(server_->stats().tls_failures, 1U);
}

TEST_F(HttpsServerTest, RespectsTheLowestVersion) {
  start_tls("  min_version: TLS13\n");
  EXPECT_THAT(ask_tls(get("/"), nullptr, TLS1_2_VERSION), StartsWith("refused: "));
  EXPECT_THAT(ask_tls(get("/")), StartsWith("HTTP/1.1 200 OK\r\n"));
  // Counted when the connection is closed, behind the alert.
  while (server_->stats().tls_failures == 0) std::this_thread::yield();
  EXPECT_EQ(server_->stats().tls_failures, 1U);
}

TEST_F(HttpsServerTest, VerifiesClientCertificates) {
  start_tls("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n");
  const KeyPair stranger = make_key_pair("client", "DNS:scraper.example");
  EXPECT_THAT(ask_tls(get("/"), &client_pair_), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(ask_tls(get("/")), StartsWith("refused: "));
  EXPECT_THAT(ask_tls(get("/"), &stranger), StartsWith("refused: "));
}

TEST_F(HttpsServerTest, AnyClientCertificateWillDoWhenNotVerified) {
  start_tls("  client_auth_type: RequireAnyClientCert\n");
  EXPECT_THAT(ask_tls(get("/"), &client_pair_), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(ask_tls(get("/")), StartsWith("refused: "));
}

TEST_F(HttpsServerTest, OptionalClientCertificateIsVerifiedWhenGiven) {
  start_tls("  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n");
  const KeyPair stranger = make_key_pair("stranger", "DNS:x");
  EXPECT_THAT(ask_tls(get("/")), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(ask_tls(get("/"), &client_pair_), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(ask_tls(get("/"), &stranger), StartsWith("refused: "));
}

TEST_F(HttpsServerTest, AllowsOnlyListedNames) {
  start_tls(
      "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  client_allowed_sans: "
      "[scraper.example]\n");
  EXPECT_THAT(ask_tls(get("/"), &client_pair_), StartsWith("HTTP/1.1 200 OK\r\n"));
  server_->stop();
  start_tls(
      "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  client_allowed_sans: "
      "[other.example]\n");
  EXPECT_THAT(ask_tls(get("/"), &client_pair_), StartsWith("refused: "));
}

TEST_F(HttpsServerTest, RefusesOldVersionsUnlessTold) {
  start_tls("");
  EXPECT_THAT(ask_tls(get("/"), nullptr, TLS1_1_VERSION), StartsWith("refused: "));
  EXPECT_THAT(ask_tls(get("/"), nullptr, TLS1_2_VERSION), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpsServerTest, ARequestedClientCertificateMayBeAnyOrNone) {
  start_tls("  client_auth_type: RequestClientCert\n");
  EXPECT_THAT(ask_tls(get("/")), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(ask_tls(get("/"), &client_pair_), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpsServerTest, SilentClientDoesNotStayInTheHandshake) {
  options_.connection.request_timeout = 100ms;
  start_tls("");
  EXPECT_EQ(Client(port()).read_to_end(), "");
  server_->stop();
  EXPECT_EQ(server_->stats().timeouts, 1U);
}

TEST(CivetwebLibraryTest, AMissingBridgeIsAnErrorThatNamesIt) {
  const auto loaded = load_civetweb_openssl("/nonexistent");
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, Errc::kTls);
  EXPECT_THAT(loaded.error().message,
              StartsWith("HTTPS is not possible: /nonexistent/libcrypto.so cannot be loaded ("));
}

}  // namespace
}  // namespace wk::exporter
