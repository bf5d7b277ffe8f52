#include "base/standard_descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>

namespace wk {
namespace {

/// The exit status of a child that does `work`.
int status_of_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool is_null_device(int descriptor) {
  struct stat facts {
  }, null{};
  return ::fstat(descriptor, &facts) == 0 && ::stat("/dev/null", &null) == 0 && S_ISCHR(facts.st_mode) &&
         facts.st_rdev == null.st_rdev && (::fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_RDWR;
}

class ClosedDescriptors : public testing::TestWithParam<std::array<bool, 3>> {};

TEST_P(ClosedDescriptors, AreTheNullDeviceAndTheOthersStay) {
  const std::array<bool, 3> closed = GetParam();
  EXPECT_EQ(status_of_child([&closed] {
              std::array<struct stat, 3> before{}, after{};
              for (int i = 0; i < 3; ++i) {
                // Not the null device, whatever the test was started with.
                int ends[2];
                if (::pipe(ends) != 0 || ::dup2(ends[0], i) != i) return 2;
                if (::fstat(i, &before.at(static_cast<std::size_t>(i))) != 0) return 3;
              }
              for (int i = 0; i < 3; ++i)
                if (closed.at(static_cast<std::size_t>(i))) ::close(i);
              if (!open_standard_descriptors()) return 4;
              for (int i = 0; i < 3; ++i) {
                const auto at = static_cast<std::size_t>(i);
                if (closed.at(at) != is_null_device(i)) return 10 + i;
                if (!closed.at(at) &&
                    (::fstat(i, &after.at(at)) != 0 || after.at(at).st_ino != before.at(at).st_ino))
                  return 20 + i;
              }
              // What is opened next has none of the three numbers.
              return ::open("/", O_RDONLY) > 2 ? 0 : 5;
            }),
            0);
}

INSTANTIATE_TEST_SUITE_P(All, ClosedDescriptors,
                         testing::Values(std::array{false, false, false}, std::array{false, false, true},
                                         std::array{true, false, false}, std::array{false, true, true},
                                         std::array{true, false, true}, std::array{true, true, true}));

/// The exit status of a child whose standard input is a terminal, or the null device, and which was started
/// with `disposition` for SIGHUP: 1 when it ends with its terminal.
int ends(bool terminal, void (*disposition)(int)) {
  return status_of_child([&] {
    const int input = ::open(terminal ? "/dev/ptmx" : "/dev/null", O_RDWR | O_NOCTTY);
    if (input < 0 || ::dup2(input, STDIN_FILENO) != STDIN_FILENO) return 2;
    std::signal(SIGHUP, disposition);
    return ends_with_terminal() ? 1 : 0;
  });
}

TEST(EndsWithTerminal, OnlyWhereThereIsOneAndNobodyAskedOtherwise) {
  EXPECT_EQ(ends(true, SIG_DFL), 1);
  EXPECT_EQ(ends(true, SIG_IGN), 0) << "nohup";
  EXPECT_EQ(ends(false, SIG_DFL), 0) << "a service";
  EXPECT_EQ(ends(false, SIG_IGN), 0);
}

}  // namespace
}  // namespace wk
