#include "server/net/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <vector>

#include "server/net/address.h"
#include "tests/unit/server/net/sockets.h"

namespace wk::net {
namespace {

TEST(ListenOn, AnyPortIsAFreeOne) {
  const auto socket = listen_on("127.0.0.1", 0, -1);
  ASSERT_TRUE(socket) << socket.error().message;
  EXPECT_GT(bound_port(socket->get()), 0);
}

TEST(ListenOn, TakenPortNamesPlaceAndReason) {
  const auto first = listen_on("127.0.0.1", 0, -1);
  ASSERT_TRUE(first);
  const std::uint16_t port = bound_port(first->get());
  const auto second = listen_on("127.0.0.1", port, -1);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kIo);
  EXPECT_EQ(second.error().message,
            "cannot listen on 127.0.0.1:" + std::to_string(port) + ": bind: Address already in use");
}

TEST(ListenOn, NameThatCannotBeResolved) {
  const auto socket = listen_on("no..name", 2181, -1);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().code, Errc::kUnresolved);
  EXPECT_EQ(socket.error().message.rfind("cannot listen on no..name:2181: ", 0), 0U);
}

TEST(ListenOn, ForeignAddressCannotBeBound) {
  const auto socket = listen_on("192.0.2.1", 0, -1);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().code, Errc::kIo);
  EXPECT_NE(socket.error().message.find("bind: Cannot assign requested address"), std::string::npos);
}

TEST(ListenOn, EmptyHostTakesIp4Too) {
  const auto socket = listen_on("", 0, -1);
  ASSERT_TRUE(socket) << socket.error().message;
  const Descriptor client = connect_to(bound_port(socket->get()));
  EXPECT_TRUE(client.valid());
}

TEST(ListenOn, OfTheAddressesOfANameTheFirstOfIp4IsTaken) {
  addrinfo first{}, second{}, third{};
  first.ai_family = AF_INET6;
  second.ai_family = third.ai_family = AF_INET;
  first.ai_next = &second;
  second.ai_next = &third;
  EXPECT_EQ(&listened_address(first), &second);
  EXPECT_EQ(&listened_address(third), &third);
  second.ai_family = third.ai_family = AF_INET6;
  EXPECT_EQ(&listened_address(first), &first);
}

struct Taken {
  explicit Taken(int backlog = -1) {
    auto socket = listen_on("127.0.0.1", 0, backlog);
    EXPECT_TRUE(socket);
    listener = std::make_unique<Listener>(
        *std::move(socket), set, [this](AcceptedSocket one) { accepted.push_back(std::move(one)); },
        [this] { ++exhausted; });
  }
  ReadySet set;
  std::vector<AcceptedSocket> accepted;
  int exhausted = 0;
  std::unique_ptr<Listener> listener;
};

TEST(Listener, AcceptsNonBlockingAndClosedOnExec) {
  Taken taken;
  const Descriptor client = connect_to(taken.listener->port());
  EXPECT_EQ(taken.set.poll(), 1U);
  ASSERT_EQ(taken.accepted.size(), 1U);
  const int fd = taken.accepted[0].socket.get();
  EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(address_text(taken.accepted[0].peer), "127.0.0.1");
  EXPECT_EQ(port_of(taken.accepted[0].peer), bound_port(client.get()));
}

TEST(Listener, AStormIsTakenInBatches) {
  Taken taken;
  std::vector<Descriptor> clients;
  for (int i = 0; i < Listener::kBatch + 6; ++i) clients.push_back(connect_to(taken.listener->port()));
  taken.set.poll();
  EXPECT_EQ(taken.accepted.size(), static_cast<std::size_t>(Listener::kBatch));
  taken.set.poll();
  EXPECT_EQ(taken.accepted.size(), static_cast<std::size_t>(Listener::kBatch) + 6);
  EXPECT_EQ(taken.set.poll(), 0U);
}

/// Lets the process open no more files while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const int lowest_free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(lowest_free);
    const rlimit none{static_cast<rlim_t>(lowest_free), before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST(Listener, WithoutDescriptorsAConnectionIsClosedAndTold) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer probes memory through a pipe, and takes an object for a wrong one without";
#endif
  Taken taken;
  const Descriptor client = connect_to(taken.listener->port());
  {
    const NoDescriptors none;
    taken.set.poll();
    EXPECT_EQ(taken.exhausted, 1);
    EXPECT_TRUE(taken.accepted.empty());
    EXPECT_EQ(taken.set.poll(), 0U) << "it would spin";
  }
  EXPECT_TRUE(receive_to_end(client).ended);
  const Descriptor next = connect_to(taken.listener->port());
  taken.set.poll();
  EXPECT_EQ(taken.accepted.size(), 1U);
  EXPECT_EQ(taken.exhausted, 1);
}

TEST(Listener, RefusesWhenItIsGone) {
  Taken taken;
  const std::uint16_t port = taken.listener->port();
  taken.listener.reset();
  EXPECT_EQ(taken.set.poll(), 0U);
  const auto again = listen_on("127.0.0.1", port, -1);
  EXPECT_TRUE(again) << "the port was not given back: " << again.error().message;
}

}  // namespace
}  // namespace wk::net
