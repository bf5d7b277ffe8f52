// Tells systemd that the server is ready, or that it stops (Type=notify).
//
// Thread: any. Source: sd_notify(3); the protocol is one datagram to the socket that NOTIFY_SOCKET names, so
// no library is needed for it.
#pragma once

#include <string>
#include <string_view>

namespace wk::node {

/// "READY=1", "STOPPING=1", "STATUS=…", several separated by line feeds. Without effect outside a unit of
/// type notify.
void notify_service_manager(std::string_view state);

}  // namespace wk::node
