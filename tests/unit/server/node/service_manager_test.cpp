#include "server/node/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "server/net/descriptor.h"

namespace wk::node {
namespace {

/// What systemd is to a service: a datagram socket at `name`, the first byte of which may be zero (abstract).
class ServiceManager {
 public:
  explicit ServiceManager(const std::string& name)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    const void* const raw = &address;
    EXPECT_EQ(::bind(socket_.get(), static_cast<const sockaddr*>(raw),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())),
              0);
  }
  std::string received() {
    char buffer[1024];
    const ssize_t count = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    return count < 0 ? "nothing" : std::string(buffer, static_cast<std::size_t>(count));
  }

 private:
  net::Descriptor socket_;
};

class NotifyServiceManager : public testing::Test {
 protected:
  void TearDown() override { ::unsetenv("NOTIFY_SOCKET"); }
};

TEST_F(NotifyServiceManager, SocketWithAPath) {
  const std::string path = testing::TempDir() + "wk-notify-" + std::to_string(::getpid());
  ServiceManager manager(path);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  notify_service_manager("READY=1\nSTATUS=serving\n");
  EXPECT_EQ(manager.received(), "READY=1\nSTATUS=serving\n");
  notify_service_manager("STOPPING=1\n");
  EXPECT_EQ(manager.received(), "STOPPING=1\n");
  ::unlink(path.c_str());
}

TEST_F(NotifyServiceManager, AbstractSocket) {
  const std::string name = "wk-notify-test-" + std::to_string(::getpid());
  ServiceManager manager(std::string(1, '\0') + name);
  ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
  notify_service_manager("READY=1");
  EXPECT_EQ(manager.received(), "READY=1");
}

TEST_F(NotifyServiceManager, NothingHappensWithoutOneOrWithABadOne) {
  ::unsetenv("NOTIFY_SOCKET");
  notify_service_manager("READY=1");
  for (const std::string& name : {std::string(), std::string("/nonexistent/socket"), std::string(300, 'x')}) {
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    notify_service_manager("READY=1");
  }
}

}  // namespace
}  // namespace wk::node
