// One visit to one member: the questions of its plan, one after another, each with its part of the deadline.
//
// Four-letter words go over a fresh connection each (the server closes after its answer); the AdminServer is
// asked over one connection that is kept for the visit. Host names are resolved once a visit. Memory: an
// answer never takes more than answer_limit() (exporter/sources/parse.h), and only one is held at a time.
// Thread: io.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dial/resolver.h"
#include "exporter/model/facts.h"
#include "exporter/poll/connection.h"
#include "exporter/poll/member.h"
#include "exporter/poll/probe_request.h"
#include "exporter/poll/source_choice.h"
#include "exporter/sources/parsed.h"

namespace wk::exporter {

class Visit {
 public:
  using Clock = std::chrono::steady_clock;

  /// \param member    outlives the visit; its memory is written when the visit ends
  /// \param detail    see VisitPlan
  Visit(boost::asio::io_context& context, std::shared_ptr<Member> member, Clock::time_point deadline,
        bool detail);

  /// Makes the visit. Once only; the visit lives as long as this runs.
  static boost::asio::awaitable<void> run(std::shared_ptr<Visit> self);

  /// Ends the visit soon: run() returns without asking further.
  void abort();

  /// Valid once run() is done. `member` is left to the caller.
  [[nodiscard]] PollReport& report() { return report_; }
  [[nodiscard]] bool aborted() const { return aborted_; }
  /// Whether detail was asked for: by the caller, or since the member came back.
  [[nodiscard]] bool detail() const { return plan_.detail(); }

 private:
  struct Asked {
    Parsed parsed;
    bool connected = false;
  };

  /// Whether an empty answer to hash is one: a server that does not know the word says nothing either.
  [[nodiscard]] bool knows_digests() const;
  boost::asio::awaitable<Asked> ask(Probe probe, Clock::time_point deadline);
  boost::asio::awaitable<Asked> ask_word(Probe probe, const ProbeRequest& request,
                                         Clock::time_point deadline);
  boost::asio::awaitable<Asked> ask_http(Probe probe, const ProbeRequest& request,
                                         Clock::time_point deadline);
  boost::asio::awaitable<Asked> exchange_http(Probe probe, const ProbeRequest& request, const SurfaceUrl& url,
                                              Clock::time_point deadline);
  boost::asio::awaitable<Fault> connect(const std::string& host, std::uint16_t port,
                                        const std::shared_ptr<TlsClient>& tls, Clock::time_point deadline);
  boost::asio::awaitable<Result<dial::Resolver::Addresses>> resolve(const std::string& host,
                                                                    Clock::time_point deadline);

  boost::asio::io_context& context_;
  std::shared_ptr<Member> member_;
  Clock::time_point deadline_;
  VisitPlan plan_;
  PollReport report_;
  bool aborted_ = false;

  std::shared_ptr<boost::asio::steady_timer> resolution_;  ///< set while a name is being resolved
  std::vector<std::pair<std::string, Result<dial::Resolver::Addresses>>> resolved_;
  std::shared_ptr<Connection> connection_;  ///< the one in use; null between questions
  std::shared_ptr<Connection> kept_admin_;  ///< idle, open to the AdminServer
};

}  // namespace wk::exporter
