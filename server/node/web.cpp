#include "server/node/web.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "exporter/app/routes.h"
#include "server/node/command_routes.h"

namespace wk::node {
namespace {

/// Age of the newest report of the core, whatever the age of the snapshot; before the first one, time since
/// the start.
std::chrono::nanoseconds silence_of_core(const exporter::Snapshot& snapshot, const Moment& now) {
  return now - snapshot.ensembles.front().members.front().last_poll.value_or(snapshot.exporter.started);
}

exporter::HttpOptions options_of(const config::Http& http) {
  exporter::HttpOptions options;
  options.listen = {{http.host, http.port}};
  return options;
}

exporter::Settings settings_of(const config::MetricFamilies& families) {
  exporter::Settings settings;
  settings.single_member = true;
  settings.families.native = families.native;
  settings.families.zk = families.zk;
  settings.families.zookeeper39 = families.zookeeper39;
  return settings;
}

exporter::Response text(int status, std::string body) {
  exporter::Response response;
  response.status = status;
  response.body = std::move(body);
  response.headers = {{"Cache-Control", "no-store"}};
  return response;
}

}  // namespace

exporter::Response server_livez(const exporter::Snapshot& snapshot, const Moment& now) {
  const auto age = silence_of_core(snapshot, now);
  if (age <= Observatory::kSilenceMax) return text(200, "ok\n");
  return text(503,
              fmt::format("the core thread has not reported for {:.1f} s: it hangs; restart the server\n",
                          seconds(age)));
}

exporter::Response server_readyz(const exporter::Snapshot& snapshot, const Moment& now) {
  const auto age = silence_of_core(snapshot, now);
  if (age > Observatory::kSilenceMax)
    return text(503,
                fmt::format("the core thread has not reported for {:.1f} s: it hangs; restart the server\n"
                            "not ready\n",
                            seconds(age)));
  const exporter::MemberView& member = snapshot.ensembles.front().members.front();
  if (member.polls == 0) return text(503, "the server is starting\nnot ready\n");
  if (member.state != exporter::ServingState::kServing)
    return text(503, fmt::format("the server does not serve clients: {}\nnot ready\n", member.state_reason));
  return text(200, "ready\n");
}

Web::Web(const config::Http& http, const config::MetricFamilies& families, const Observatory& observatory,
         const Commands& commands)
    : server_(options_of(http)) {
  exporter::Observations observations = exporter::observations_of(observatory.chronicle());
  observations.http_stats = [this] { return server_.stats(); };
  const exporter::Routes routes(observations, {observatory.ensemble()}, settings_of(families));
  for (auto& [path, handler] : routes.exact()) {
    // Asking other servers is the sidecar's business.
    if (path == "/probe" || path == "/livez" || path == "/readyz") continue;
    server_.handle(path, std::move(handler));
  }
  for (auto& [prefix, handler] : routes.prefixes()) server_.handle_prefix(prefix, std::move(handler));
  const auto publication = observatory.chronicle().publication();
  server_.handle("/livez", [publication](const exporter::Request&) {
    return server_livez(*publication->current(), Moment::now());
  });
  server_.handle("/readyz", [publication](const exporter::Request&) {
    return server_readyz(*publication->current(), Moment::now());
  });
  add_commands(server_, config::kCommandUrl, commands);
}

Web::~Web() { server_.stop(); }

Result<void> Web::start() { return server_.start(); }

std::string Web::url() const { return "http://" + server_.addresses().front().to_string(); }

bool Web::everywhere() const {
  const std::string host = server_.addresses().front().host;
  return host.empty() || host == "0.0.0.0";
}

}  // namespace wk::node
