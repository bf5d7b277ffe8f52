#include "exporter/poll/visit.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <variant>

#include "base/log.h"
#include "exporter/poll/answer_buffer.h"
#include "exporter/sources/parse.h"
#include "exporter/sources/version.h"

namespace wk::exporter {
namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace {

/// Jetty's own headers take a few hundred bytes; proxies add some.
constexpr std::uint32_t kHttpHeaderLimit = 16 << 10;

Parsed failed(const Fault& fault) { return parsed_failure(fault.state, fault.detail); }

Fault http_fault(const boost::system::error_code& ec, const Connection::ResponseParser& response,
                 std::size_t limit, std::string_view peer) {
  if (ec == http::error::body_limit || ec == http::error::header_limit || ec == http::error::buffer_overflow)
    return {SourceState::kTooLarge,
            wk::printable(fmt::format("{}: the HTTP response passes the limit of {} bytes", peer, limit))};
  if (ec == http::error::end_of_stream)
    return {SourceState::kClosed, wk::printable(fmt::format("{}: closed without an HTTP response", peer))};
  if (ec == http::error::partial_message)
    return {SourceState::kTruncated,
            wk::printable(fmt::format("{}: the HTTP response ends after {} bytes of the body", peer,
                                      response.get().body().size()))};
  if (ec.category() == http::make_error_code(http::error::partial_message).category())
    return {SourceState::kMalformed,
            wk::printable(fmt::format("{}: no HTTP response: {}", peer, ec.message()))};
  return transfer_fault(ec, response.got_some() ? std::max<std::size_t>(1, response.get().body().size()) : 0,
                        peer);
}

/// An answer whose needless lines are taken out may be so many times as long as what is kept of it.
constexpr std::size_t kLooksMax = 32;

/// Whether a status answer is one of a member that serves. The Prometheus endpoint keeps answering while a
/// member looks for a leader, but without the gauges of a running server.
bool tells_serving(const Answer& answer) {
  const auto* status = std::get_if<StatusAnswer>(&answer);
  return status == nullptr || status->role != Role::kUnknown || status->number("uptime").has_value() ||
         status->number("znode_count").has_value();
}

}  // namespace

Visit::Visit(asio::io_context& context, std::shared_ptr<Member> member, Clock::time_point deadline,
             bool detail)
    : context_(context),
      member_(std::move(member)),
      deadline_(deadline),
      plan_(member_->surfaces(), member_->memory, Clock::now(), detail) {
  report_.started = Moment::now();
}

void Visit::abort() {
  aborted_ = true;
  if (resolution_) resolution_->cancel();
  if (connection_) connection_->close();
  if (kept_admin_) kept_admin_->close();
}

asio::awaitable<void> Visit::run(std::shared_ptr<Visit> self) {
  while (!self->aborted_) {
    const std::optional<Probe> probe = self->plan_.next();
    if (!probe) break;
    const auto started = Clock::now();
    if (started >= self->deadline_ && !self->report_.probes.empty()) break;
    const auto budget = step_budget(self->deadline_ - started, self->plan_.others_follow());
    Asked asked = co_await self->ask(*probe, started + std::chrono::duration_cast<Clock::duration>(budget));
    const ProbeOutcome outcome{.state = asked.parsed.state,
                               .connected = asked.connected,
                               .serving = tells_serving(asked.parsed.answer)};
    self->report_.probes.push_back({.probe = *probe,
                                    .state = asked.parsed.state,
                                    .detail = std::move(asked.parsed.detail),
                                    .duration = Clock::now() - started,
                                    .answer = std::move(asked.parsed.answer)});
    self->plan_.answered(outcome);
  }
  self->kept_admin_.reset();
  self->report_.finished = Moment::now();
  if (!self->aborted_) self->member_->memory = self->plan_.memory();
}

bool Visit::knows_digests() const {
  return std::any_of(report_.probes.begin(), report_.probes.end(), [](const ProbeReport& report) {
    const auto* status = std::get_if<StatusAnswer>(&report.answer);
    return status != nullptr && has_digests(status->implementation, status->version);
  });
}

asio::awaitable<Visit::Asked> Visit::ask(Probe probe, Clock::time_point deadline) {
  const ProbeRequest request = request_of(probe);
  Asked asked;
  if (request.surface == Surface::kClientPort)
    asked = co_await ask_word(probe, request, deadline);
  else
    asked = co_await ask_http(probe, request, deadline);
  connection_.reset();
  co_return asked;
}

asio::awaitable<Result<dial::Resolver::Addresses>> Visit::resolve(const std::string& host,
                                                                  Clock::time_point deadline) {
  for (const auto& [known_host, addresses] : resolved_)
    if (known_host == host) co_return addresses;
  resolution_ = std::make_shared<asio::steady_timer>(context_, deadline);
  Result<dial::Resolver::Addresses> addresses =
      co_await dial::Resolver::of(context_).resolve(host, resolution_);
  resolution_.reset();
  if (addresses) {
    const auto good = member_->last_good.find(host);
    if (good != member_->last_good.end()) {
      const auto found = std::find(addresses->begin(), addresses->end(), good->second);
      if (found != addresses->end()) std::rotate(addresses->begin(), found, found + 1);
    }
  }
  resolved_.emplace_back(host, addresses);
  co_return addresses;
}

asio::awaitable<Fault> Visit::connect(const std::string& host, std::uint16_t port,
                                      const std::shared_ptr<TlsClient>& tls, Clock::time_point deadline) {
  const Result<dial::Resolver::Addresses> addresses = co_await resolve(host, deadline);
  if (!addresses) co_return Fault{SourceState::kUnresolved, wk::printable(addresses.error().message)};
  if (aborted_) co_return Fault{SourceState::kNotTried, {}};
  std::vector<asio::ip::tcp::endpoint> endpoints;
  for (const asio::ip::address& address : *addresses) endpoints.emplace_back(address, port);
  connection_ = std::make_shared<Connection>(context_.get_executor());
  const Connection::Goal goal{.host = host, .port = port, .tls = tls, .endpoints = &endpoints};
  Fault fault = co_await connection_->open(goal, deadline);
  if (!fault) {
    const asio::ip::address& good = connection_->endpoint().address();
    member_->last_good[host] = good;
    for (auto& [known_host, known] : resolved_)
      if (known_host == host && known) {
        const auto found = std::find(known->begin(), known->end(), good);
        if (found != known->end()) std::rotate(known->begin(), found, found + 1);
      }
  }
  co_return fault;
}

asio::awaitable<Visit::Asked> Visit::ask_word(Probe probe, const ProbeRequest& request,
                                              Clock::time_point deadline) {
  Fault fault = co_await connect(member_->spec.host, member_->spec.port, member_->client_tls, deadline);
  if (connection_ && connection_->certificate_not_after())
    report_.certificate_not_after = connection_->certificate_not_after();
  if (fault) co_return Asked{failed(fault), false};

  report_.address = to_text(connection_->endpoint());
  connection_->set_deadline(deadline);
  const std::size_t limit = answer_limit(probe);
  AnswerBuffer answer(limit);
  boost::system::error_code ec = co_await connection_->write(request.text);
  // A peer that closed at once may have said why (a TLS alert): read it.
  if (ec == asio::error::broken_pipe || ec == asio::error::connection_reset) ec = {};
  const auto take_out = [&] {
    return answer.take_out_lines([probe](std::string_view line) { return is_needless(probe, line); });
  };
  std::size_t taken_out = 0, looked_at = 0;
  while (!ec) {
    if (answer.overflown()) {
      looked_at += answer.text().size();
      taken_out += take_out();
      // Taking out has to be worth its time, which is that of looking at all there is.
      if (answer.text().size() > limit / 2 || looked_at > limit * kLooksMax) break;
    }
    std::size_t count = 0;
    const std::span<char> room = answer.room();
    ec = co_await connection_->read_some(room, count);
    answer.commit(count);
  }
  // All of a kind or none: half a summary looks like an answer that was cut.
  if (taken_out > 0) taken_out += take_out();
  const std::string peer = to_text(connection_->endpoint());
  connection_->close();
  if (!ec)
    co_return Asked{parsed_failure(SourceState::kTooLarge,
                                   fmt::format("{}: the answer to {} passes the limit of {} bytes", peer,
                                               request.text, limit)),
                    true};
  const bool whole = ec == asio::error::eof;
  // A server without transactions since its start answers hash with nothing at all.
  const bool may_be_empty = probe == Probe::kHash && knows_digests();
  if (whole && answer.text().empty() && !may_be_empty)
    co_return Asked{parsed_failure(SourceState::kClosed,
                                   fmt::format("{}: closed without an answer to {}", peer, request.text)),
                    true};
  if (whole) {
    Parsed parsed = parse(probe, 0, answer.text());
    if (auto* status = std::get_if<StatusAnswer>(&parsed.answer)) status->dropped += taken_out;
    co_return Asked{std::move(parsed), true};
  }

  fault = transfer_fault(ec, answer.text().size(), peer);
  if (fault.state == SourceState::kTruncated) {
    // Reset after data: what a refusal says is said; an answer may have lost its end.
    Parsed parsed = parse(probe, 0, answer.text());
    if (parsed.state == SourceState::kNotWhitelisted || parsed.state == SourceState::kNotServing)
      co_return Asked{std::move(parsed), true};
  }
  co_return Asked{failed(fault), fault.state != SourceState::kTlsFailure};
}

asio::awaitable<Visit::Asked> Visit::ask_http(Probe probe, const ProbeRequest& request,
                                              Clock::time_point deadline) {
  const bool admin = request.surface == Surface::kAdmin;
  const Result<SurfaceUrl>& url = admin ? *member_->admin : *member_->prometheus;
  if (!url) co_return Asked{parsed_failure(SourceState::kUnresolved, url.error().message), false};

  if (admin && kept_admin_) {
    connection_ = std::move(kept_admin_);
    Asked asked = co_await exchange_http(probe, request, *url, deadline);
    // An idle connection may have been closed by the other side just now: that says nothing, ask again.
    if (asked.parsed.state != SourceState::kClosed) co_return asked;
  }
  // Named, not a temporary of the co_await expression: GCC 12 destroys such a conditional twice.
  std::shared_ptr<TlsClient> tls;
  if (url->tls) tls = member_->http_tls;
  const Fault fault = co_await connect(url->host, url->port, tls, deadline);
  if (connection_ && !report_.certificate_not_after)  // the client port's certificate goes first
    report_.certificate_not_after = connection_->certificate_not_after();
  if (fault) co_return Asked{failed(fault), false};
  co_return co_await exchange_http(probe, request, *url, deadline);
}

asio::awaitable<Visit::Asked> Visit::exchange_http(Probe probe, const ProbeRequest& request,
                                                   const SurfaceUrl& url, Clock::time_point deadline) {
  const bool admin = request.surface == Surface::kAdmin;
  std::string target = url.path + std::string(request.text);
  if (target.empty()) target = "/";
  Connection::Request question(http::verb::get, target, 11);
  question.set(http::field::host, url.authority);
  question.set(http::field::user_agent, "watchkeeper-exporter");
  question.set(http::field::accept, admin ? "application/json" : "text/plain; version=0.0.4");
  if (!member_->authorization.empty()) question.set(http::field::authorization, member_->authorization);
  question.keep_alive(admin);

  const std::size_t limit = answer_limit(probe);
  boost::beast::flat_buffer buffer(limit + kHttpHeaderLimit);
  Connection::ResponseParser response;
  response.header_limit(kHttpHeaderLimit);
  response.body_limit(limit);
  connection_->set_deadline(deadline);
  const boost::system::error_code ec = co_await connection_->exchange(question, buffer, response);
  const std::string peer = to_text(connection_->endpoint());
  if (ec) {
    const Fault fault = http_fault(ec, response, limit, peer);
    connection_->close();
    co_return Asked{failed(fault), fault.state != SourceState::kTlsFailure};
  }
  if (admin && response.keep_alive() && !aborted_) {
    // While it is idle the deadline of this question must not close it.
    connection_->set_deadline(deadline_);
    kept_admin_ = std::move(connection_);
  } else {
    connection_->close();
  }

  const auto& answer = response.get();
  Parsed parsed = parse(probe, static_cast<int>(answer.result_int()), answer.body());
  if (parsed.state == SourceState::kHttpError)
    parsed.detail = wk::printable(fmt::format("{}{}: HTTP {} {}", peer, target, answer.result_int(),
                                              std::string_view(answer.reason())));
  co_return Asked{std::move(parsed), true};
}

}  // namespace wk::exporter
