#include "server/node/command_routes.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>
#include <utility>

#include "server/node/jackson_text.h"

namespace wk::node {
namespace {

// A listener for people and probes: few connections, each a thread.
constexpr std::size_t kAdminRequestsMax = 8;
constexpr std::size_t kAdminStreamsMax = 1;
constexpr std::size_t kAdminConnectionsMax = 16;

/// A link a command, as Apache lists them; with a content type, which Apache leaves to the browser's guess.
exporter::Response links(const std::string& url) {
  fmt::memory_buffer out;
  for (const std::string_view name : Commands::names())
    fmt::format_to(std::back_inserter(out), "<a href=\"{}/{}\">{}</a>\n<br/>\n", url, name, name);
  exporter::Response response;
  response.content_type = "text/html; charset=utf-8";
  response.body = fmt::to_string(out);
  return response;
}

exporter::Response answer(const Commands& commands, std::string_view name) {
  const CommandAnswer told = commands.answer(name);
  exporter::Response response;
  response.status = told.status;
  response.content_type = "application/json";
  response.body = jackson_text(told.document);
  return response;
}

}  // namespace

void add_commands(exporter::HttpServer& server, const std::string& url, const Commands& commands) {
  const auto index = [url](const exporter::Request&) { return links(url); };
  server.handle(url, index);
  server.handle(url + "/", index);
  server.handle_prefix(url + "/", [url, &commands](const exporter::Request& request) {
    return answer(commands, std::string_view(request.path).substr(url.size() + 1));
  });
}

std::unique_ptr<exporter::HttpServer> admin_server(const config::Admin& admin, const Commands& commands) {
  exporter::HttpOptions options;
  options.listen = {{admin.host, admin.port}};
  options.requests_max = kAdminRequestsMax;
  options.streams_max = kAdminStreamsMax;
  options.connections_max = kAdminConnectionsMax;
  options.connection.idle_timeout = admin.idle_timeout;
  auto server = std::make_unique<exporter::HttpServer>(std::move(options));
  add_commands(*server, admin.command_url, commands);
  return server;
}

}  // namespace wk::node
