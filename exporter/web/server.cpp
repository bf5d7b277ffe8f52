#include "exporter/web/server.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "exporter/web/basic_auth.h"
#include "exporter/web/gzip.h"
#include "exporter/web/negotiation.h"
#include "exporter/web/request_target.h"
#include "exporter/web/web_config_file.h"

namespace wk::exporter {
namespace {

Response overloaded(std::string text) {
  Response response = plain_response(503, std::move(text));
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

/// A place among those that are counted, taken for as long as this lives.
class Place {
 public:
  explicit Place(std::atomic<std::size_t>& taken) : taken_(taken), before_(taken++) {}
  ~Place() { --taken_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  /// Places that were taken before this one.
  [[nodiscard]] std::size_t before() const { return before_; }

 private:
  std::atomic<std::size_t>& taken_;
  const std::size_t before_;
};

/// A handler's stream that holds a place while it lives; an exception ends it.
class PlacedStream final : public BodyStream {
 public:
  PlacedStream(std::shared_ptr<BodyStream> stream, std::unique_ptr<Place> place, std::string path,
               std::atomic<std::uint64_t>& failures)
      : stream_(std::move(stream)), place_(std::move(place)), path_(std::move(path)), failures_(failures) {}

  std::shared_ptr<const std::string> next() override {
    try {
      return stream_->next();
    } catch (const std::exception& e) {
      return failed(e.what());
    } catch (...) {
      return failed("something that is no std::exception");
    }
  }
  void end() override { stream_->end(); }

 private:
  std::shared_ptr<const std::string> failed(std::string_view what) {
    ++failures_;
    spdlog::error("the stream of {} failed: {}", printable(path_), printable(what));
    return nullptr;
  }

  const std::shared_ptr<BodyStream> stream_;
  const std::unique_ptr<Place> place_;
  const std::string path_;
  std::atomic<std::uint64_t>& failures_;
};

/// Nothing from elsewhere, nothing inline but what is allowed by its hash.
std::string content_security_policy(const InlineHashes& inline_hashes) {
  return fmt::format(
      "default-src 'none'; script-src 'self'{}{}; style-src 'self'{}{}; connect-src 'self'; img-src 'self' "
      "data:; "
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      inline_hashes.scripts.empty() ? "" : " ", fmt::join(inline_hashes.scripts, " "),
      inline_hashes.styles.empty() ? "" : " ", fmt::join(inline_hashes.styles, " "));
}

bool has_header(const Response& response, std::string_view name) {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [&](const auto& header) { return equal_header_name(header.first, name); });
}

}  // namespace

class HttpServer::Service {
 public:
  explicit Service(HttpOptions options) : options_(std::move(options)) {
    WK_CHECK(options_.requests_max > BasicAuth::kEvaluationsMax + BasicAuth::kWaitingMax,
             "password checks could hold every request");
    WK_CHECK(options_.connections_max > options_.requests_max + options_.streams_max,
             "streams could take all threads, or requests_max could never be reached");
    WK_CHECK(!options_.listen.empty(), "a server without an address");
  }

  ~Service() { stop(); }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  void route(std::map<std::string, Handler>& routes, std::string path, Handler handler) {
    WK_CHECK(!started_, "routes are fixed once the server runs");
    WK_CHECK(path.starts_with('/'), "a route begins with '/'");
    WK_CHECK(routes.emplace(std::move(path), std::move(handler)).second, "a route stands twice");
  }

  Result<void> start() {
    WK_CHECK(!started_, "a server starts once");
    started_ = true;
    if (options_.web_config) {
      auto file = WebConfigFile::open(*options_.web_config, std::chrono::steady_clock::now());
      if (!file) return file.error();
      web_config_ = std::move(*file);
    }
    TransportUse use;
    use.answer = [this](Request request) { return admitted(std::move(request)); };
    use.finish = [this](Response& response) { finish(response); };
    const auto config = web_config();
    if (config && config->tls) {
      // WebConfigFile never turns TLS off.
      use.tls = [this] { return std::shared_ptr<const TlsContext>(web_config()->tls); };
    }
    transport_ = std::make_unique<Transport>(options_.connections_max, options_.connection, std::move(use));
    return transport_->start(options_.listen);
  }

  void stop() {
    if (transport_) transport_->stop();
  }

  std::vector<ListenAddress> addresses() const {
    return transport_ ? transport_->addresses() : std::vector<ListenAddress>();
  }

  HttpStats stats() const {
    HttpStats stats;
    for (std::size_t i = 0; i < stats.responses.size(); ++i) stats.responses[i] = responses_[i];
    stats.authentication_failures = authentication_failures_;
    stats.rejected_authentication_busy = rejected_authentication_busy_;
    stats.rejected_requests = rejected_requests_;
    stats.rejected_streams = rejected_streams_;
    stats.streams = streams_;
    stats.malformed_requests = malformed_targets_;
    stats.handler_failures = handler_failures_;
    if (transport_) {
      const TransportCounters counters = transport_->counters();
      stats.rejected_connections = counters.keep_alive_refused;
      stats.malformed_requests += counters.malformed;
      stats.timeouts = counters.timeouts;
      stats.tls_failures = counters.tls_failures;
    }
    if (web_config_) {
      const WebConfigReloads reloads = web_config_->reloads();
      stats.web_config_reloads = reloads.succeeded;
      stats.web_config_reload_failures = reloads.failed;
    }
    return stats;
  }

  std::map<std::string, Handler> exact_;
  std::map<std::string, Handler> prefixes_;

 private:
  using Counter = std::atomic<std::uint64_t>;

  std::shared_ptr<const ActiveWebConfig> web_config() {
    return web_config_ ? web_config_->current(std::chrono::steady_clock::now()) : nullptr;
  }

  Response admitted(Request request) {
    const Place place(requests_);
    if (place.before() >= options_.requests_max) {
      ++rejected_requests_;
      return overloaded("Too many requests at the same time; come back in a second.\n");
    }
    return answer(request);
  }

  Response answer(Request& request) {
    const auto config = web_config();
    Response response;
    try {
      response = authenticated(request, config.get());
      if (auto stream = response.body_stream()) placed(request, std::move(stream), response);
    } catch (const std::exception& e) {
      response = handler_failed(request, e.what());
    } catch (...) {
      response = handler_failed(request, "something that is no std::exception");
    }
    if (config) {
      for (const auto& [name, value] : config->config.headers) {
        if (!has_header(response, name)) response.headers.emplace_back(name, value);
      }
    }
    compress(request, response);
    return response;
  }

  /// Gives the stream of `response` a place, or makes `response` say that there is none.
  void placed(const Request& request, std::shared_ptr<BodyStream> stream, Response& response) {
    if (request.method == "HEAD") return;
    auto place = std::make_unique<Place>(streams_);
    if (place->before() >= options_.streams_max) {
      ++rejected_streams_;
      response =
          overloaded(fmt::format("{{\"error\": \"{} streams are open already; ask for single documents "
                                 "instead, or come back later\"}}\n",
                                 options_.streams_max));
      response.content_type = "application/json";
      return;
    }
    response.body =
        std::make_shared<PlacedStream>(std::move(stream), std::move(place), request.path, handler_failures_);
  }

  Response handler_failed(const Request& request, std::string_view what) {
    ++handler_failures_;
    spdlog::error("the handler of {} failed: {}", printable(request.path), printable(what));
    return plain_response(500, "Internal error; the log of this process says more.\n");
  }

  Response authenticated(Request& request, const ActiveWebConfig* config) {
    if (config != nullptr && !config->config.users.empty()) {
      switch (basic_auth_.check(config->config.users, request.header("Authorization"))) {
        case BasicAuth::Verdict::kAllowed:
          break;
        case BasicAuth::Verdict::kBusy:
          ++rejected_authentication_busy_;
          return overloaded("Too many passwords to check at the same time; come back in a second.\n");
        case BasicAuth::Verdict::kDenied: {
          ++authentication_failures_;
          Response response = plain_response(401, "Unauthorized: a user name and password are needed.\n");
          response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"watchkeeper\", charset=\"UTF-8\"");
          return response;
        }
      }
    }
    return routed(request);
  }

  Response routed(Request& request) {
    if (request.method != "GET" && request.method != "HEAD") {
      Response response = plain_response(405, "Only GET and HEAD are served here.\n");
      response.headers.emplace_back("Allow", "GET, HEAD");
      return response;
    }
    auto target = parse_request_target(request.path);
    if (!target) {
      ++malformed_targets_;
      return plain_response(400, fmt::format("Bad request: {}.\n", target.error().message));
    }
    request.path = std::move(target->path);
    request.query = std::move(target->query);
    request.segments = std::move(target->segments);
    if (const auto found = exact_.find(request.path); found != exact_.end()) return found->second(request);
    // Backwards, a longer prefix comes before the shorter ones that it begins with.
    for (auto prefix = prefixes_.rbegin(); prefix != prefixes_.rend(); ++prefix) {
      if (request.path.starts_with(prefix->first)) return prefix->second(request);
    }
    return plain_response(404, "Nothing is served at this path; / lists what is.\n");
  }

  void compress(const Request& request, Response& response) const {
    if (response.body_text().size() <= kGzipBytesMin || has_header(response, "Content-Encoding")) return;
    response.headers.emplace_back("Vary", "Accept-Encoding");
    if (!accepts_gzip(request.header("Accept-Encoding"))) return;
    response.body = gzip(response.body_text());
    response.headers.emplace_back("Content-Encoding", "gzip");
  }

  // Every response passes, also those that no handler made.
  void finish(Response& response) {
    const int status_class = std::clamp(response.status / 100, 2, 5);
    ++responses_[static_cast<std::size_t>(status_class - 2)];
    static constexpr std::array<std::pair<const char*, const char*>, 4> kDefaults = {
        {{"Cache-Control", "no-store"},
         {"X-Content-Type-Options", "nosniff"},
         {"X-Frame-Options", "DENY"},
         {"Referrer-Policy", "no-referrer"}}};
    for (const auto& [name, value] : kDefaults) {
      if (!has_header(response, name)) response.headers.emplace_back(name, value);
    }
    constexpr const char* kPolicy = "Content-Security-Policy";
    if (!has_header(response, kPolicy))
      response.headers.emplace_back(kPolicy, content_security_policy(response.inline_hashes));
    // An empty value in the configuration means: without this header.
    std::erase_if(response.headers, [](const auto& header) { return header.second.empty(); });
  }

  HttpOptions options_;
  std::unique_ptr<WebConfigFile> web_config_;
  BasicAuth basic_auth_;
  bool started_ = false;

  std::array<Counter, 4> responses_{};
  Counter authentication_failures_{0};
  Counter rejected_authentication_busy_{0};
  Counter rejected_requests_{0};
  Counter rejected_streams_{0};
  Counter malformed_targets_{0};
  Counter handler_failures_{0};
  std::atomic<std::size_t> requests_{0};  ///< being answered
  std::atomic<std::size_t> streams_{0};   ///< being sent
  std::unique_ptr<Transport> transport_;  ///< last: its threads use everything above
};

HttpServer::HttpServer(HttpOptions options) : service_(std::make_unique<Service>(std::move(options))) {}
HttpServer::~HttpServer() = default;

void HttpServer::handle(std::string path, Handler handler) {
  service_->route(service_->exact_, std::move(path), std::move(handler));
}

void HttpServer::handle_prefix(std::string prefix, Handler handler) {
  service_->route(service_->prefixes_, std::move(prefix), std::move(handler));
}

Result<void> HttpServer::start() { return service_->start(); }
std::vector<ListenAddress> HttpServer::addresses() const { return service_->addresses(); }
void HttpServer::stop() { service_->stop(); }
HttpStats HttpServer::stats() const { return service_->stats(); }

}  // namespace wk::exporter
