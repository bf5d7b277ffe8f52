// The AdminServer's commands over HTTP.
//
// Thread: registration from main; the handlers run on the HTTP server's threads.
// Source: JettyAdminServer.java; reference metrics.md, section 9.1.
#pragma once

#include <memory>
#include <string>

#include "exporter/web/server.h"
#include "server/config/config.h"
#include "server/node/commands.h"

namespace wk::node {

/// Routes `url` (a list of links) and everything below it. \param commands  must outlive the server
void add_commands(exporter::HttpServer& server, const std::string& url, const Commands& commands);

/// A listener for the commands alone, not started yet.
std::unique_ptr<exporter::HttpServer> admin_server(const config::Admin& admin, const Commands& commands);

}  // namespace wk::node
