#include "server/node/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

#include "server/storage/lost_files.h"
#include "server/storage/purge.h"

namespace wk::node {
namespace {

constexpr std::string_view kUsage =
    R"(watchkeeperd, a coordination server for ZooKeeper's clients

Usage: watchkeeperd [OPTIONS] FILE
       watchkeeperd [OPTIONS] PORT DATADIR [TICKTIME [MAXCNXNS]]
       watchkeeperd [OPTIONS] --environment [FILE]

Serves in the foreground until SIGTERM, SIGINT, or the end of its terminal; logs to standard error.

  -DKEY=VALUE, --set KEY=VALUE  sets a key of zoo.cfg, with or without "zookeeper." before it; wins over FILE
  --environment                 takes ZOO_… variables as the container images of ZooKeeper do; they win over FILE;
                                without any client port it is 2181
  --lenient                     takes " #" behind a value as the beginning of a comment
  --accept-loss                 for one start after damage: leaves out what is damaged or missing in the data with all
                                that comes after it, tells what, and keeps the files beside the rest as lost.…; without
                                it such a start is refused
  --check                       tells everything about the configuration and ends: 0, or the exit code of the start
  --purge COUNT                 removes what the newest COUNT snapshots (at least 3) make unnecessary and ends; may run
                                beside the server
  --log.level LEVEL             trace, debug, info (default), warn, error or critical
  --log.format FORMAT           text (default) or json; wins over the key watchkeeper.logFormat
  --version                     tells the version
  --help                        tells this
)";

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

class Parser {
 public:
  explicit Parser(std::span<const char* const> arguments) : arguments_(arguments) {}

  Result<Options> run() {
    while (next_ < arguments_.size()) {
      const std::string_view argument = arguments_[next_++];
      if (argument.starts_with("-D")) {
        add_override(argument, argument.substr(2));
      } else if (argument.starts_with("-") && argument.size() > 1) {
        take_flag(argument);
      } else {
        positional_.emplace_back(argument);
      }
      if (error_) return *std::move(error_);
    }
    place_positional();
    if (error_) return *std::move(error_);
    return std::move(options_);
  }

 private:
  void fail(std::string what) { error_ = Error{Errc::kInvalidInput, std::move(what) + "\n\n" + usage()}; }

  std::string_view value_of(std::string_view flag, std::optional<std::string_view> attached) {
    if (attached) return *attached;
    if (next_ < arguments_.size()) return arguments_[next_++];
    fail(fmt::format("{} wants a value", flag));
    return {};
  }

  void take_flag(std::string_view argument) {
    const std::size_t equals = argument.find('=');
    const std::string_view flag = argument.substr(0, equals);
    std::optional<std::string_view> attached;
    if (equals != std::string_view::npos) attached = argument.substr(equals + 1);
    if (flag == "--set") {
      add_override(flag, value_of(flag, attached));
    } else if (flag == "--log.level") {
      options_.log_level = value_of(flag, attached);
    } else if (flag == "--log.format") {
      const std::string_view format = value_of(flag, attached);
      if (error_) return;
      if (format != "text" && format != "json") return fail(fmt::format("{}: write text or json", flag));
      options_.log_format = format == "json" ? LogFormat::kJson : LogFormat::kText;
    } else if (flag == "--purge") {
      take_purge(flag, value_of(flag, attached));
    } else if (attached) {
      fail(fmt::format("{} takes no value, or is no option", flag));
    } else if (flag == "--check") {
      options_.action = Options::Action::kCheck;
    } else if (flag == "--version") {
      options_.action = Options::Action::kVersion;
    } else if (flag == "--help" || flag == "-h") {
      options_.action = Options::Action::kHelp;
    } else if (flag == "--environment") {
      options_.environment = true;
    } else if (flag == "--lenient") {
      options_.lenient = true;
    } else if (flag == storage::kAcceptLossFlag) {
      options_.accept_loss = true;
    } else {
      fail(fmt::format("{} is no option", flag));
    }
  }

  void take_purge(std::string_view flag, std::string_view value) {
    if (error_) return;
    const char* const end = value.data() + value.size();
    const auto [rest, code] = std::from_chars(value.data(), end, options_.snapshots_to_retain);
    if (code != std::errc() || rest != end || options_.snapshots_to_retain < storage::kRetainedSnapshotsMin)
      return fail(fmt::format("{} wants a number of at least {}", flag, storage::kRetainedSnapshotsMin));
    options_.action = Options::Action::kPurge;
  }

  void add_override(std::string_view flag, std::string_view pair) {
    if (error_) return;
    const std::size_t equals = pair.find('=');
    if (equals == 0 || pair.empty()) return fail(fmt::format("{} wants KEY=VALUE", flag));
    // As Java: a property without "=" is set and empty.
    const std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    options_.overrides.push_back(
        {std::string(pair.substr(0, equals)), std::string(value), {"command line", 0}});
  }

  void place_positional() {
    if (options_.action == Options::Action::kVersion || options_.action == Options::Action::kHelp) return;
    if (positional_.size() == 1) {
      options_.file = positional_.front();
    } else if (positional_.empty()) {
      if (!options_.environment) fail("give a configuration file, or PORT DATADIR");
    } else if (positional_.size() > 4) {
      fail(fmt::format("Invalid number of arguments:{}", positional_.size()));
    } else if (!is_number(positional_.front())) {
      fail(fmt::format("\"{}\" is no port, and only one file can be given", positional_.front()));
    } else {
      options_.arguments = std::move(positional_);
    }
  }

  std::span<const char* const> arguments_;
  std::size_t next_ = 0;
  std::vector<std::string> positional_;
  Options options_;
  std::optional<Error> error_;
};

}  // namespace

std::string usage() { return std::string(kUsage); }

Result<Options> parse_options(std::span<const char* const> arguments) { return Parser(arguments).run(); }

}  // namespace wk::node
