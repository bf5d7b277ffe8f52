#include "dial/resolver.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace wk::dial {
namespace asio = boost::asio;

boost::asio::execution_context::id Resolver::id;

namespace {

/// One who waits for a name: woken by cancelling its timer. Touched on the io thread only.
struct Waiter {
  explicit Waiter(std::shared_ptr<asio::steady_timer> timer) : deadline(std::move(timer)) {}
  std::shared_ptr<asio::steady_timer> deadline;
  std::optional<Result<Resolver::Addresses>> answer;
};

Result<Resolver::Addresses> look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  const int failure = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (failure != 0) {
    const std::string reason =
        failure == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(failure);
    return Error{Errc::kUnresolved, fmt::format("host name {}: {}", host, reason)};
  }
  Resolver::Addresses addresses;
  for (const addrinfo* entry = list; entry != nullptr && addresses.size() < kAddressesMax;
       entry = entry->ai_next) {
    asio::ip::tcp::endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
    endpoint.resize(entry->ai_addrlen);
    addresses.push_back(endpoint.address());
  }
  ::freeaddrinfo(list);
  if (addresses.empty()) return Error{Errc::kUnresolved, fmt::format("host name {}: no IP address", host)};
  return addresses;
}

}  // namespace

/// What the io thread and the look-up threads share.
struct Resolver::Shared {
  struct Running {
    std::chrono::steady_clock::time_point since;
  };

  std::mutex mutex;
  asio::io_context* context = nullptr;  ///< null once the resolver is shut down
  Lookup lookup = look_up;
  std::deque<std::string> queue;           ///< names that wait for a thread
  std::map<std::string, Running> running;  ///< names that a thread is busy with

  /// Names in work with those who wait for them. Io thread only.
  std::map<std::string, std::vector<std::shared_ptr<Waiter>>> waiters;

  /// Whether one more look-up may run beside the running ones. Mutex held.
  bool has_room(std::chrono::steady_clock::time_point now) const {
    if (running.size() >= kThreadsMax) return false;
    const auto brisk = std::count_if(running.begin(), running.end(), [&](const auto& entry) {
      return now - entry.second.since < kSlowLookup;
    });
    return static_cast<std::size_t>(brisk) < kThreads;
  }

  /// Starts look-ups while there is room. Mutex held.
  static void start_lookups(const std::shared_ptr<Shared>& self) {
    const auto now = std::chrono::steady_clock::now();
    while (!self->queue.empty() && self->has_room(now)) {
      std::string host = std::move(self->queue.front());
      self->queue.pop_front();
      self->running.emplace(host, Running{now});
      try {
        std::thread([self, host] { work(self, host); }).detach();
      } catch (const std::system_error&) {  // no more threads to be had: tried again with the next question
        self->running.erase(host);
        self->queue.push_front(std::move(host));
        return;
      }
    }
  }

  /// Body of a look-up thread: its name, then whatever waits, as long as it is not the one too many.
  static void work(const std::shared_ptr<Shared>& self, std::string host) {
    for (;;) {
      Lookup lookup;
      {
        const std::lock_guard lock(self->mutex);
        if (self->context == nullptr) return;
        lookup = self->lookup;
      }
      Result<Addresses> answer = lookup(host);
      const std::lock_guard lock(self->mutex);
      self->running.erase(host);
      if (self->context == nullptr) return;
      asio::post(*self->context, [self, host, answer = std::move(answer)] { deliver(*self, host, answer); });
      if (self->queue.empty() || !self->has_room(std::chrono::steady_clock::now())) return;
      host = std::move(self->queue.front());
      self->queue.pop_front();
      self->running.emplace(host, Running{std::chrono::steady_clock::now()});
    }
  }

  /// Io thread: hands the answer to all who wait for the name.
  static void deliver(Shared& shared, const std::string& host, const Result<Addresses>& answer) {
    const auto entry = shared.waiters.extract(host);
    if (entry.empty()) return;
    for (const auto& waiter : entry.mapped()) {
      waiter->answer = answer;
      waiter->deadline->cancel();
    }
  }
};

Resolver::Resolver(asio::execution_context& context)
    : asio::execution_context::service(context),
      context_(static_cast<asio::io_context&>(context)),
      shared_(std::make_shared<Shared>()) {
  shared_->context = &context_;
}

Resolver::~Resolver() = default;

void Resolver::shutdown() {
  const std::lock_guard lock(shared_->mutex);
  shared_->context = nullptr;
  shared_->queue.clear();
  shared_->waiters.clear();
}

void Resolver::set_lookup(Lookup lookup) {
  const std::lock_guard lock(shared_->mutex);
  shared_->lookup = std::move(lookup);
}

asio::awaitable<Result<Resolver::Addresses>> Resolver::resolve(std::string host,
                                                               std::shared_ptr<asio::steady_timer> deadline) {
  boost::system::error_code ec;
  const asio::ip::address numeric = asio::ip::make_address(host, ec);
  if (!ec) co_return Addresses{numeric};

  const auto waiter = std::make_shared<Waiter>(deadline);
  {
    const auto [entry, is_new] = shared_->waiters.try_emplace(host);
    if (is_new) {
      const std::lock_guard lock(shared_->mutex);
      if (shared_->queue.size() >= kQueueMax) {
        shared_->waiters.erase(entry);
        co_return Error{Errc::kUnresolved,
                        fmt::format("host name {}: {} other names wait to be resolved; check the "
                                    "name servers in /etc/resolv.conf",
                                    host, kQueueMax)};
      }
      shared_->queue.push_back(host);
    }
    entry->second.push_back(waiter);
    // Also for a known name: one that hung when others were queued is slow by now and makes room for them.
    const std::lock_guard lock(shared_->mutex);
    Shared::start_lookups(shared_);
  }
  co_await deadline->async_wait(asio::redirect_error(asio::use_awaitable, ec));
  if (waiter->answer) co_return *waiter->answer;

  const auto entry = shared_->waiters.find(host);
  if (entry != shared_->waiters.end()) std::erase(entry->second, waiter);
  co_return Error{Errc::kUnresolved,
                  fmt::format("host name {}: no answer from the name service before the deadline; "
                              "check the name servers in /etc/resolv.conf",
                              host)};
}

}  // namespace wk::dial
