#include "server/node/process_environment.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "server/node/process_memory.h"
#include "server/node/words.h"

namespace wk::node {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "localhost";
}

/// Name and home of who runs this process; the number, and nothing, where nobody knows him.
std::pair<std::string, std::string> user_and_home() {
  std::array<char, 4096> room{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, room.data(), room.size(), &found) == 0 && found != nullptr)
    return {found->pw_name, found->pw_dir};
  return {std::to_string(::geteuid()), ""};
}

std::string megabytes(std::uint64_t bytes) { return fmt::format("{}MB", bytes >> 20); }

}  // namespace

Entries process_environment() {
  utsname system{};
  ::uname(&system);
  const auto [user, home] = user_and_home();
  std::error_code error;
  const std::string directory = std::filesystem::current_path(error).string();
  const ProcessMemory memory = process_memory();
  return {{"zookeeper.version", version_text()},
          {"host.name", host_name()},
          {"java.version", "none"},
          {"java.vendor", "none"},
          {"java.home", ""},
          {"java.class.path", ""},
          {"java.library.path", ""},
          {"java.io.tmpdir", "/tmp"},
          {"java.compiler", "none"},
          {"os.name", system.sysname},
          {"os.arch", system.machine},
          {"os.version", system.release},
          {"user.name", user},
          {"user.home", home},
          {"user.dir", directory},
          {"os.memory.free", megabytes(memory.system_free_bytes)},
          {"os.memory.max", megabytes(memory.system_bytes)},
          {"os.memory.total", megabytes(memory.resident_bytes)}};
}

}  // namespace wk::node
