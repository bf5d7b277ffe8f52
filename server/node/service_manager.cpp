#include "server/node/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "server/net/descriptor.h"

namespace wk::node {

void notify_service_manager(std::string_view state) {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || path[0] == '\0') return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  // A name that begins with @ is in the abstract namespace, where it begins with a zero byte.
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const net::Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return;
  const void* const raw = &address;
  ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, static_cast<const sockaddr*>(raw),
           static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
}

}  // namespace wk::node
