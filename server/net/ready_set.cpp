#include "server/net/ready_set.h"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace wk::net {
namespace {

epoll_event event_of(ReadySet::Interest interest, Ready& owner) {
  epoll_event event{};
  event.events = (interest.read ? EPOLLIN : 0U) | (interest.write ? EPOLLOUT : 0U);
  event.data.ptr = &owner;
  return event;
}

}  // namespace

ReadySet::ReadySet() : set_(::epoll_create1(EPOLL_CLOEXEC)) { WK_CHECK(set_.valid(), std::strerror(errno)); }

Result<void> ReadySet::add(int descriptor, Interest interest, Ready& owner) {
  epoll_event event = event_of(interest, owner);
  if (::epoll_ctl(set_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0)
    return Error{Errc::kIo, fmt::format("cannot watch a socket: {}", std::strerror(errno))};
  return {};
}

void ReadySet::change(int descriptor, Interest interest, Ready& owner) {
  epoll_event event = event_of(interest, owner);
  WK_CHECK(::epoll_ctl(set_.get(), EPOLL_CTL_MOD, descriptor, &event) == 0, std::strerror(errno));
}

void ReadySet::remove(int descriptor, const Ready& owner) {
  WK_CHECK(::epoll_ctl(set_.get(), EPOLL_CTL_DEL, descriptor, nullptr) == 0, std::strerror(errno));
  for (epoll_event& event : under_way_)
    if (event.data.ptr == &owner) event.data.ptr = nullptr;
}

std::size_t ReadySet::poll() {
  std::array<epoll_event, kBatch> events;
  const int count = ::epoll_wait(set_.get(), events.data(), static_cast<int>(events.size()), 0);
  if (count <= 0) return 0;
  under_way_ = std::span(events).first(static_cast<std::size_t>(count));
  // By index: an owner that is called may clear the pointers of others.
  for (std::size_t i = 0; i < under_way_.size(); ++i) {
    const epoll_event& event = under_way_[i];
    if (event.data.ptr == nullptr) continue;
    static_cast<Ready*>(event.data.ptr)
        ->on_ready({.readable = (event.events & EPOLLIN) != 0,
                    .writable = (event.events & EPOLLOUT) != 0,
                    .broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0});
  }
  under_way_ = {};
  return static_cast<std::size_t>(count);
}

}  // namespace wk::net
