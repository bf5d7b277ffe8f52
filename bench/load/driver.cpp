#include "bench/load/driver.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

namespace wk::bench {
namespace {

constexpr std::size_t kInputBytes = std::size_t{256} << 10U;
constexpr std::size_t kEventsMax = 512;
constexpr std::size_t kBacklogMax = 4'000'000;
constexpr std::chrono::seconds kFarewell{2};
constexpr std::int32_t kFirstXid = 1;

}  // namespace

void Tally::merge(const Tally& other) {
  for (std::size_t i = 0; i < latencies.size(); ++i) latencies.at(i).merge(other.latencies.at(i));
  for (const auto& [code, number] : other.errors) errors[code] += number;
}

std::uint64_t Tally::operations() const {
  std::uint64_t sum = 0;
  for (const auto& histogram : latencies) sum += histogram.count();
  return sum;
}

LatencyHistogram Tally::all() const {
  LatencyHistogram joined;
  for (const auto& histogram : latencies) joined.merge(histogram);
  return joined;
}

Driver::Driver(const Plan& plan, std::vector<Session> sessions, std::size_t first_connection, Share share,
               std::uint32_t run)
    : plan_(plan),
      sessions_(std::move(sessions)),
      chooser_(plan.mix),
      random_(plan.seed + first_connection),
      input_(kInputBytes),
      operations_left_(share.operations),
      gap_ns_(share.rate_per_s > 0 ? 1e9 / share.rate_per_s : 0),
      keep_answers_(share.keep_answers) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  connections_.reserve(sessions_.size());
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    Connection& made = connections_.emplace_back(RequestMaker(plan, first_connection + i, run));
    made.descriptor = sessions_[i].descriptor();
    made.server = sessions_[i].server();
    made.ring.resize(plan.outstanding_max);
    fcntl(made.descriptor, F_SETFL, fcntl(made.descriptor, F_GETFL) | O_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, made.descriptor, &event);
  }
}

Driver::~Driver() { close(epoll_); }

bool Driver::may_send() const { return !stopping_ && operations_left_ > 0; }

void Driver::enqueue(Connection& connection, Clock::time_point since) {
  const auto xid = static_cast<std::int32_t>((connection.sent & 0x3fffffffU) + kFirstXid);
  const Operation operation =
      connection.maker.append(chooser_.choose(random_), xid, random_, connection.output);
  connection.ring[connection.sent % connection.ring.size()] = {since, operation};
  ++connection.sent;
  ++outstanding_;
  --operations_left_;
}

Result<void> Driver::flush(Connection& connection) {
  while (connection.written < connection.output.size()) {
    const ssize_t sent = send(connection.descriptor, connection.output.data() + connection.written,
                              connection.output.size() - connection.written, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) {
        return Error{Errc::kIo, fmt::format("{}: cannot send: {}", connection.server, std::strerror(errno))};
      }
      break;
    }
    connection.written += static_cast<std::size_t>(sent);
  }
  const bool all = connection.written == connection.output.size();
  if (all) {
    connection.output.clear();
    connection.written = 0;
  }
  if (connection.waits_for_space == all) {
    connection.waits_for_space = !all;
    epoll_event event{};
    event.events = all ? EPOLLIN : EPOLLIN | EPOLLOUT;
    event.data.u64 = static_cast<std::uint64_t>(&connection - connections_.data());
    epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.descriptor, &event);
  }
  return {};
}

void Driver::count(const Pending& pending, std::int32_t code, Clock::time_point now) {
  if (keep_answers_) answers_.push_back({pending.since, now - pending.since});
  std::size_t window = 0;
  if (!plan_.operations) {
    if (now < schedule_.measuring_begin || now >= schedule_.end()) return;
    window = static_cast<std::size_t>((now - schedule_.measuring_begin) / schedule_.window);
  }
  Tally& tally = tallies_[std::min(window, tallies_.size() - 1)];
  tally.latencies.at(static_cast<std::size_t>(pending.operation)).record(now - pending.since);
  if (code != 0) ++tally.errors[code];
}

Result<void> Driver::take(Connection& connection, std::span<const std::byte> head, Clock::time_point now) {
  if (head.size() < kHeadBytes - Skimmer::kLengthBytes) {
    return Error{Errc::kInvalidInput, fmt::format("{}: a reply of {} bytes", connection.server, head.size())};
  }
  const auto xid = big_endian<std::int32_t>(head.data());
  const auto code = big_endian<std::int32_t>(head.data() + 12);
  const auto expected = static_cast<std::int32_t>((connection.answered & 0x3fffffffU) + kFirstXid);
  if (connection.outstanding() == 0 || xid != expected) {
    return Error{Errc::kInvalidInput,
                 fmt::format("{}: a reply to xid {}, where {} was awaited", connection.server, xid,
                             connection.outstanding() == 0 ? 0 : expected)};
  }
  count(connection.ring[connection.answered % connection.ring.size()], code, now);
  ++connection.answered;
  --outstanding_;
  if (gap_ns_ == 0 && may_send()) enqueue(connection, now);
  return {};
}

Result<void> Driver::receive(Connection& connection) {
  const ssize_t received = recv(connection.descriptor, input_.data(), input_.size(), 0);
  if (received < 0) {
    if (errno == EAGAIN || errno == EINTR) return {};
    return Error{Errc::kIo, fmt::format("{}: {}", connection.server, std::strerror(errno))};
  }
  if (received == 0) {
    return Error{Errc::kClosed, fmt::format("{}: the server closed a connection with {} requests under way",
                                            connection.server, connection.outstanding())};
  }
  const Clock::time_point now = Clock::now();
  const std::span<const std::byte> bytes(input_.data(), static_cast<std::size_t>(received));
  const auto fed = connection.skimmer.feed(bytes, [&](std::span<const std::byte> head) -> Result<bool> {
    if (auto taken = take(connection, head, now); !taken) return taken.error();
    return true;
  });
  if (!fed) return fed;
  return flush(connection);
}

Result<void> Driver::start_closed_loop() {
  for (Connection& connection : connections_) {
    const Clock::time_point now = Clock::now();
    for (std::size_t i = 0; i < plan_.outstanding_max && may_send(); ++i) enqueue(connection, now);
    if (auto flushed = flush(connection); !flushed) return flushed;
  }
  return {};
}

std::chrono::nanoseconds Driver::next_gap() {
  const double gap = plan_.arrivals == Arrivals::kEven ? gap_ns_ : -std::log1p(-random_.share()) * gap_ns_;
  return std::chrono::nanoseconds{static_cast<std::int64_t>(gap)};
}

Result<void> Driver::send_due(Clock::time_point now) {
  for (; next_due_ <= now && may_send(); next_due_ += next_gap()) backlog_.push_back(next_due_);
  backlog_max_ = std::max(backlog_max_, backlog_.size());
  if (backlog_.size() > kBacklogMax) {
    return Error{Errc::kTooLarge,
                 fmt::format("{} requests are due and cannot be sent: the rate is far beyond what "
                             "the server does; ask for less with --rate",
                             backlog_.size())};
  }
  std::size_t busy = 0;
  while (!backlog_.empty() && busy < connections_.size() && operations_left_ > 0) {
    Connection& connection = connections_[turn_];
    turn_ = (turn_ + 1) % connections_.size();
    if (connection.outstanding() >= plan_.outstanding_max) {
      ++busy;
      continue;
    }
    busy = 0;
    enqueue(connection, backlog_.front());
    backlog_.pop_front();
  }
  for (Connection& connection : connections_) {
    if (connection.output.empty()) continue;
    if (auto flushed = flush(connection); !flushed) return flushed;
  }
  return {};
}

bool Driver::finished(Clock::time_point now) const {
  if (plan_.operations) return operations_left_ == 0 && outstanding_ == 0;
  return stopping_ && (outstanding_ == 0 || now >= stopped_at_ + kFarewell);
}

std::optional<std::chrono::nanoseconds> Driver::patience(Clock::time_point now) const {
  std::optional<Clock::time_point> wake;
  if (gap_ns_ > 0 && may_send()) wake = next_due_;
  if (!plan_.operations) {
    const Clock::time_point end = stopping_ ? stopped_at_ + kFarewell : schedule_.end();
    wake = std::min(wake.value_or(end), end);
  }
  if (!wake) return std::nullopt;
  return std::max<std::chrono::nanoseconds>(*wake - now, std::chrono::nanoseconds{0});
}

Result<void> Driver::run(const Schedule& schedule) {
  schedule_ = schedule;
  tallies_.assign(schedule.windows, Tally{});
  next_due_ = Clock::now();
  if (gap_ns_ == 0) {
    if (auto started = start_closed_loop(); !started) return started;
  }
  std::array<epoll_event, kEventsMax> events{};
  while (true) {
    Clock::time_point now = Clock::now();
    if (!stopping_ && !plan_.operations && (stop_asked_ || now >= schedule_.end())) {
      stopping_ = true;
      stopped_at_ = now;
    }
    if (gap_ns_ > 0) {
      if (stopping_) backlog_.clear();
      if (auto sent = send_due(now); !sent) return sent;
      now = Clock::now();
    }
    if (finished(now)) return {};
    const auto wait = patience(now);
    const timespec limit{wait ? wait->count() / 1'000'000'000 : 0, wait ? wait->count() % 1'000'000'000 : 0};
    const int ready = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()),
                                   wait ? &limit : nullptr, nullptr);
    if (ready < 0 && errno != EINTR) {
      return Error{Errc::kIo, fmt::format("epoll_pwait2: {}", std::strerror(errno))};
    }
    for (int i = 0; i < ready; ++i) {
      Connection& connection = connections_[events.at(static_cast<std::size_t>(i)).data.u64];
      if (connection.waits_for_space) {
        if (auto flushed = flush(connection); !flushed) return flushed;
      }
      if (auto received = receive(connection); !received) return received;
    }
  }
}

}  // namespace wk::bench
