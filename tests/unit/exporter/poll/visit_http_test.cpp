// Visits over AdminServer and the Prometheus endpoint.
#include <gmock/gmock.h>

#include "exporter/poll/visit.h"
#include "tests/unit/exporter/poll/visit_fixture.h"

namespace wk::exporter {
namespace {

namespace asio = boost::asio;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Pages = std::vector<std::pair<std::string, std::string>>;

std::string http(int status, const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " Reason\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Serves whole responses by path over one connection, until the other side closes; keeps what was asked.
ScriptedServer::Script pages(Pages pages, std::vector<std::string>* heads = nullptr) {
  return [pages, heads](Peer& peer) -> asio::awaitable<void> {
    for (;;) {
      const std::string head = co_await peer.read_head();
      if (head.empty()) co_return;
      if (heads != nullptr) heads->push_back(head);
      const std::string path = head.substr(4, head.find(' ', 4) - 4);
      std::string answer = http(404, "no such page");
      for (const auto& [known, response] : pages)
        if (known == path) answer = response;
      co_await peer.write(answer);
    }
  };
}

constexpr const char* kForbiddenMntr = "mntr is not executed because it is not in the whitelist.\n";
const char* const kMonitor =
    R"({"version":"3.8.0-abc, built on 2024-12-29 17:54 UTC","server_state":"standalone","uptime":5,"avg_latency":0.5,
"max_latency":7,"min_latency":0,"packets_received":31,"packets_sent":30,"num_alive_connections":2,
"outstanding_requests":0,"znode_count":5,"watch_count":0,"ephemerals_count":0,"approximate_data_size":44,
"command":"monitor","error":null})";

class VisitHttpTest : public VisitTest {
 protected:
  /// A member whose words are as scripted, and whose AdminServer and Prometheus endpoint are at the given
  /// ports.
  static TargetSpec target(const ScriptedServer& client, const ScriptedServer* admin,
                           const ScriptedServer* prometheus = nullptr) {
    TargetSpec spec = loopback(client.port());
    if (admin != nullptr) spec.admin_url = "http://127.0.0.1:" + std::to_string(admin->port()) + "/commands";
    if (prometheus != nullptr)
      spec.prometheus_url = "http://127.0.0.1:" + std::to_string(prometheus->port()) + "/metrics";
    return spec;
  }
  ScriptedServer client{io, {words({{"mntr", kForbiddenMntr}, {"srvr", kSrvrText}})}};
};

TEST_F(VisitHttpTest, AdminMonitorStandsInForMntrOverOneConnection) {
  std::vector<std::string> heads;
  ScriptedServer admin(io, {pages({{"/commands/monitor", http(200, kMonitor)}}, &heads)});
  TargetSpec spec = target(client, &admin);
  spec.http_auth = BasicAuthSpec{"watch", "keeper"};
  const PollReport report = visit(spec);
  EXPECT_EQ(probe(report, Probe::kAdminMonitor).state, SourceState::kOk);
  EXPECT_EQ(std::get<StatusAnswer>(probe(report, Probe::kAdminMonitor).answer).number("znode_count"), 5.0);
  EXPECT_EQ(probe(report, Probe::kAdminConfiguration).state, SourceState::kHttpError);
  EXPECT_EQ(admin.connections(), 1);
  ASSERT_GE(heads.size(), 2U);
  EXPECT_THAT(heads[0], HasSubstr("GET /commands/monitor HTTP/1.1\r\n"));
  EXPECT_THAT(heads[0], HasSubstr("Host: 127.0.0.1:" + std::to_string(admin.port()) + "\r\n"));
  EXPECT_THAT(heads[0], HasSubstr("Authorization: Basic d2F0Y2g6a2VlcGVy\r\n"));
  EXPECT_THAT(heads[0], Not(HasSubstr("gzip")));
}

TEST_F(VisitHttpTest, ChunkedBodyIsPutTogether) {
  const std::string text = kMonitor;
  const auto chunk = [](const std::string& part) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    return size + part + "\r\n";
  };
  ScriptedServer admin(
      io, {pages({{"/commands/monitor", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                                            chunk(text.substr(0, 100)) + chunk(text.substr(100)) +
                                            "0\r\n\r\n"}})});
  EXPECT_THAT(outline(visit(target(client, &admin))), Contains("admin_monitor:ok"));
}

TEST_F(VisitHttpTest, ServerErrorIsAnHttpErrorWithItsStatus) {
  ScriptedServer admin(io, {pages({{"/commands/monitor", http(500, "<html>null</html>")}})});
  const PollReport report = visit(target(client, &admin));
  EXPECT_EQ(probe(report, Probe::kAdminMonitor).state, SourceState::kHttpError);
  EXPECT_THAT(probe(report, Probe::kAdminMonitor).detail, HasSubstr("/commands/monitor: HTTP 500 Reason"));
}

TEST_F(VisitHttpTest, BodyThatEndsEarlyIsTruncated) {
  ScriptedServer admin(io, {[](Peer& peer) -> asio::awaitable<void> {
                         co_await peer.read_head();
                         co_await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"version\"");
                       }});
  EXPECT_THAT(outline(visit(target(client, &admin))), Contains("admin_monitor:truncated"));
}

TEST_F(VisitHttpTest, PeerThatSpeaksNoHttpIsMalformed) {
  ScriptedServer admin(io, {[](Peer& peer) -> asio::awaitable<void> {
                         co_await peer.read_head();
                         co_await peer.write("SSH-2.0-OpenSSH_9.2\r\n\r\n");
                       }});
  EXPECT_THAT(outline(visit(target(client, &admin))), Contains("admin_monitor:malformed"));
}

TEST_F(VisitHttpTest, PeerThatClosesIsClosed) {
  ScriptedServer admin(io, {[](Peer& peer) -> asio::awaitable<void> { co_await peer.read_head(); }});
  EXPECT_THAT(outline(visit(target(client, &admin))), Contains("admin_monitor:closed"));
}

TEST_F(VisitHttpTest, AnnouncedOversizeIsTooLargeWithoutReadingIt) {
  ScriptedServer admin(io, {[](Peer& peer) -> asio::awaitable<void> {
                         co_await peer.read_head();
                         co_await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
                         co_await peer.hang();
                       }});
  EXPECT_THAT(outline(visit(target(client, &admin))), Contains("admin_monitor:too_large"));
}

TEST_F(VisitHttpTest, EndlessBodyIsTooLarge) {
  ScriptedServer admin(io, {[](Peer& peer) -> asio::awaitable<void> {
                         co_await peer.read_head();
                         co_await peer.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
                         const std::string block(std::size_t{64} << 10, 'x');
                         for (int i = 0; i < 1600; ++i) {
                           const bool alive = co_await peer.write(block);
                           if (!alive) co_return;
                         }
                       }});
  EXPECT_THAT(outline(visit(target(client, &admin))), Contains("admin_monitor:too_large"));
}

TEST_F(VisitHttpTest, EndlessHeaderIsTooLarge) {
  ScriptedServer admin(io, {[](Peer& peer) -> asio::awaitable<void> {
                         co_await peer.read_head();
                         co_await peer.write("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'));
                         co_await peer.hang();
                       }});
  EXPECT_THAT(outline(visit(target(client, &admin))), Contains("admin_monitor:too_large"));
}

TEST_F(VisitHttpTest, ConnectionClosedAfterEachResponseIsOpenedAgain) {
  ScriptedServer admin(io, {[](Peer& peer) -> asio::awaitable<void> {
                         co_await peer.read_head();
                         co_await peer.write(http(200, kMonitor));  // keep-alive promised and not kept
                       }});
  const PollReport report = visit(target(client, &admin));
  EXPECT_EQ(probe(report, Probe::kAdminMonitor).state, SourceState::kOk);
  EXPECT_NE(probe(report, Probe::kAdminConfiguration).state, SourceState::kClosed);
  EXPECT_GT(admin.connections(), 1);
}

TEST_F(VisitHttpTest, KeptConnectionOutlivesTheDeadlineOfItsFirstQuestion) {
  // srvr has as much time as the first question had, and begins later: the second one comes behind both.
  ScriptedServer slow(io, {says(kForbiddenMntr), hangs(), says("imok")});
  ScriptedServer admin(io, {pages({{"/commands/monitor", http(200, kMonitor)}})});
  const PollReport report = visit(target(slow, &admin), std::chrono::milliseconds{3'000});
  EXPECT_EQ(probe(report, Probe::kSrvr).state, SourceState::kTimedOut);
  EXPECT_EQ(probe(report, Probe::kAdminServerStats).state, SourceState::kHttpError);
  EXPECT_EQ(admin.connections(), 1);
}

TEST_F(VisitHttpTest, HungAdminServerIsLeftAloneForTheVisit) {
  ScriptedServer admin(io, {hangs()});
  const PollReport report = visit(target(client, &admin), std::chrono::seconds{3});
  EXPECT_EQ(probe(report, Probe::kAdminMonitor).state, SourceState::kTimedOut);
  EXPECT_EQ(probe(report, Probe::kSrvr).state, SourceState::kOk);
  EXPECT_EQ(admin.connections(), 1);
}

TEST_F(VisitHttpTest, RefusedClientPortIsNotTheEnd) {
  ScriptedServer admin(io, {pages({{"/commands/monitor", http(200, kMonitor)}})});
  const TargetSpec spec = target(client, &admin);
  client.close();
  const PollReport report = visit(spec);
  EXPECT_EQ(outline(report).at(0), "mntr:refused");
  EXPECT_EQ(outline(report).at(1), "admin_monitor:ok");
}

TEST_F(VisitHttpTest, PrometheusEndpointIsAskedAtItsUrl) {
  std::vector<std::string> heads;
  ScriptedServer endpoint(
      io, {pages({{"/metrics",
                   http(200, "# TYPE znode_count gauge\nznode_count 5.0\n# TYPE uptime gauge\nuptime 9.0\n",
                        "Content-Type: text/plain; version=0.0.4\r\n")}},
                 &heads)});
  const PollReport report = visit(target(client, nullptr, &endpoint));
  EXPECT_EQ(outline(report).at(1).substr(0, 11), "prometheus:");
  ASSERT_EQ(heads.size(), 1U);
  EXPECT_THAT(heads[0], HasSubstr("GET /metrics HTTP/1.1\r\n"));
  EXPECT_THAT(heads[0], HasSubstr("Connection: close\r\n"));
}

TEST_F(VisitHttpTest, BadUrlIsAStateWithWords) {
  TargetSpec spec = loopback(client.port());
  spec.admin_url = "gopher://x/";
  const PollReport report = visit(spec);
  EXPECT_EQ(probe(report, Probe::kAdminMonitor).state, SourceState::kUnresolved);
  EXPECT_THAT(probe(report, Probe::kAdminMonitor).detail, HasSubstr("neither http nor https"));
}

}  // namespace
}  // namespace wk::exporter
