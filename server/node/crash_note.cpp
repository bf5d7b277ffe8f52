#include "server/node/crash_note.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string_view>

namespace wk::node {
namespace {

std::atomic<int> descriptor{-1};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler reads it");

struct Fatal {
  int number;
  std::string_view name;
};
constexpr std::array<Fatal, 5> kFatal{
    {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"}, {SIGILL, "SIGILL"}, {SIGABRT, "SIGABRT"}}};

/// A line put together without an allocation.
class Note {
 public:
  void add(std::string_view text) {
    for (const char c : text)
      if (size_ < text_.size()) text_[size_++] = c;
  }
  void add(std::uint64_t number) {
    std::array<char, 20> digits{};
    std::size_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number > 0);
    while (count > 0) add(std::string_view(&digits[--count], 1));
  }
  void write_to(int file) const {
    // There is nobody left to tell that it failed.
    [[maybe_unused]] const ssize_t written = ::write(file, text_.data(), size_);
  }

 private:
  std::array<char, 128> text_{};
  std::size_t size_ = 0;
};

extern "C" void on_fatal_signal(int number) {
  if (const int file = descriptor.load(); file >= 0) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    Note note;
    note.add("{\"unix_ms\":");
    note.add(static_cast<std::uint64_t>(now.tv_sec) * 1000 +
             static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000);
    note.add(",\"crash\":\"");
    for (const Fatal& fatal : kFatal)
      if (fatal.number == number) note.add(fatal.name);
    note.add("\"}\n");
    note.write_to(file);
  }
  // The handler was taken away before it ran (SA_RESETHAND): this ends the process as it always did.
  ::raise(number);
}

}  // namespace

void note_crashes_in(int file) {
  if (descriptor.exchange(file) >= 0 || file < 0) return;
  for (const Fatal& fatal : kFatal) {
    struct sigaction before {};
    if (::sigaction(fatal.number, nullptr, &before) != 0 || before.sa_handler != SIG_DFL) continue;
    struct sigaction note {};
    note.sa_handler = on_fatal_signal;
    note.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(fatal.number, &note, nullptr);
  }
}

}  // namespace wk::node
