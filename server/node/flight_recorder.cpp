#include "server/node/flight_recorder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <optional>
#include <system_error>
#include <utility>

#include "exporter/app/json_text.h"
#include "server/node/crash_note.h"

namespace wk::node {
namespace {

using exporter::Event;
using exporter::EventType;
using exporter::Json;
using exporter::Severity;
using std::chrono::system_clock;

/// Differs between two starts of the machine; empty where the kernel does not tell it.
std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

std::optional<EventType> event_type(std::string_view word) {
  for (std::size_t i = 0; i < exporter::kEventTypeCount; ++i)
    if (word == exporter::name(static_cast<EventType>(i))) return static_cast<EventType>(i);
  return std::nullopt;
}

std::optional<Severity> severity(std::string_view word) {
  for (const Severity one : {Severity::kInfo, Severity::kWarning, Severity::kCritical})
    if (word == exporter::name(one)) return one;
  return std::nullopt;
}

std::int64_t ms_since_1970(system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::string line_of(const Event& event, const std::string& boot) {
  Json line{{"time", exporter::rfc3339(event.at.wall)},
            {"unix_ms", ms_since_1970(event.at.wall)},
            {"type", exporter::name(event.type)},
            {"severity", exporter::name(event.severity)},
            {"ensemble", event.ensemble},
            {"member", event.member},
            {"text", event.text}};
  if (event.duration) line["duration_ns"] = event.duration->count();
  if (event.type == EventType::kServerStarted) line["boot"] = boot;
  return exporter::json_line(line) + "\n";
}

/// A line as it was read; nothing when it is none of ours.
struct Line {
  Event event;
  std::string boot;    ///< of a start
  std::string signal;  ///< of a crash, whose time is event->at
};

std::string text_of(const Json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::int64_t> whole_of(const Json& line, const char* key) {
  const auto found = line.find(key);
  if (found == line.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

/// The year 2200: later times are damage.
constexpr std::int64_t kUnixMsMax = 7'258'118'400'000;

std::optional<Line> parse_line(const std::string& text, const Moment& now) {
  const Json line = Json::parse(text, nullptr, false);
  const auto unix_ms = line.is_object() ? whole_of(line, "unix_ms") : std::nullopt;
  if (!unix_ms || *unix_ms < 0 || *unix_ms > kUnixMsMax) return std::nullopt;
  const system_clock::time_point at{std::chrono::milliseconds{*unix_ms}};
  Line read{.event = {}, .boot = text_of(line, "boot"), .signal = text_of(line, "crash")};
  Event& event = read.event;
  event.at = now + (at - now.wall);
  if (!read.signal.empty()) return read;
  const auto type = event_type(text_of(line, "type"));
  const auto level = severity(text_of(line, "severity"));
  if (!type || !level) return std::nullopt;
  event.type = *type;
  event.severity = *level;
  event.ensemble = text_of(line, "ensemble");
  event.member = text_of(line, "member");
  event.text = text_of(line, "text");
  if (const auto duration = whole_of(line, "duration_ns"))
    event.duration = std::chrono::nanoseconds{*duration};
  return read;
}

void read_lines(const std::string& path, const Moment& now, std::vector<Line>& lines) {
  std::error_code none;
  const std::uintmax_t size = std::filesystem::file_size(path, none);
  if (none) return;
  std::ifstream file(path, std::ios::binary);
  std::string text(std::min<std::uintmax_t>(size, 2 * FlightRecorder::kFileBytesMax), '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end - begin <= FlightRecorder::kLineBytesMax)
      if (auto line = parse_line(text.substr(begin, end - begin), now)) lines.push_back(*std::move(line));
    begin = end + 1;
  }
}

/// \param touched  when the file was written last
PreviousEnd end_of(const std::vector<Line>& lines, std::optional<system_clock::time_point> touched) {
  PreviousEnd end;
  for (const Line& line : lines) {
    const system_clock::time_point at = line.event.at.wall;
    if (!line.signal.empty()) {
      end.kind = PreviousEnd::Kind::kCrashed;
      end.reason = line.signal;
      end.at = at;
    } else if (line.event.type == EventType::kServerStarted) {
      end = {
          .kind = PreviousEnd::Kind::kSilent, .at = at, .reason = "", .other_boot = line.boot != boot_id()};
    } else if (line.event.type == EventType::kServerStopped) {
      end.kind = PreviousEnd::Kind::kStopped;
      end.reason = line.event.text;
      end.at = at;
    } else if (end.kind == PreviousEnd::Kind::kSilent) {
      end.at = at;
    }
  }
  if (end.kind == PreviousEnd::Kind::kSilent && touched && *touched > end.at) end.at = *touched;
  return end;
}

std::optional<system_clock::time_point> time_of(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
  return system_clock::time_point{std::chrono::seconds{facts.st_mtim.tv_sec} +
                                  std::chrono::microseconds{facts.st_mtim.tv_nsec / 1000}};
}

}  // namespace

std::string start_text(const PreviousEnd& end) {
  const std::string at = exporter::rfc3339(end.at);
  const char* const boot = end.other_boot ? "; the machine was started again in between" : "";
  switch (end.kind) {
    case PreviousEnd::Kind::kStopped:
      return fmt::format("The server started. It had been stopped at {}: {}{}", at, end.reason, boot);
    case PreviousEnd::Kind::kCrashed:
      return fmt::format(
          "The server started. It had crashed with {} at {}{}; look for a core dump and report it",
          end.reason, at, boot);
    case PreviousEnd::Kind::kSilent:
      if (end.other_boot)
        return fmt::format(
            "The server started. Before, it had ended without a word; its last sign of life was at {}, and "
            "the machine was started again in between",
            at);
      return fmt::format(
          "The server started. Before, it had ended without a word; its last sign of life was at {}. What "
          "ended it could not be told: SIGKILL, the kernel for want of memory (its log tells), another "
          "signal, "
          "or a loss of power",
          at);
    case PreviousEnd::Kind::kUnknown:
      break;
  }
  return "The server started; nothing is known of an earlier start.";
}

// ---------------------------------------------------------------------------------------------------------------
// The file, on the thread that writes

class FlightRecorder::File {
 public:
  explicit File(std::string path) : path_(std::move(path)) {}
  ~File() { close(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void write(const std::string& line) {
    if (descriptor_ < 0 && !open()) return;
    if (size_ + line.size() >= kFileBytesMax && !begin_anew()) return;
    // Behind a line that was cut short, a break makes the next one whole.
    const std::string bytes = (torn_ ? "\n" : "") + line;
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0) return trouble("written");
    size_ += static_cast<std::size_t>(written);
    torn_ = static_cast<std::size_t>(written) < bytes.size();
    troubled_ = false;
  }

  void touch() {
    if (descriptor_ >= 0) ::futimens(descriptor_, nullptr);
  }

 private:
  bool open() {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0) {
      trouble("opened");
      return false;
    }
    struct stat facts {};
    if (::fstat(descriptor_, &facts) == 0) size_ = static_cast<std::size_t>(facts.st_size);
    char last = '\n';
    if (size_ > 0 && ::pread(descriptor_, &last, 1, static_cast<off_t>(size_ - 1)) == 1) torn_ = last != '\n';
    note_crashes_in(descriptor_);
    return true;
  }

  bool begin_anew() {
    close();
    size_ = 0;
    if (::rename(path_.c_str(), (path_ + ".1").c_str()) != 0 && errno != ENOENT) {
      trouble("renamed");
      return false;
    }
    return open();
  }

  void close() {
    if (descriptor_ < 0) return;
    note_crashes_in(-1);
    ::close(descriptor_);
    descriptor_ = -1;
  }

  /// Once, until it works again.
  void trouble(std::string_view what) {
    const int code = errno;
    if (!std::exchange(troubled_, true))
      spdlog::warn("{} cannot be {}: {}; the time line will not reach beyond this start", path_, what,
                   std::generic_category().message(code));
  }

  const std::string path_;
  int descriptor_ = -1;
  std::size_t size_ = 0;
  bool torn_ = false;
  bool troubled_ = false;
};

// ---------------------------------------------------------------------------------------------------------------

FlightRecorder::FlightRecorder(std::string folder, const Moment& now) {
  const std::string path = std::move(folder) + "/" + kFileName;
  std::vector<Line> lines;
  read_lines(path + ".1", now, lines);
  read_lines(path, now, lines);
  previous_end_ = end_of(lines, time_of(path));
  for (Line& line : lines)
    if (line.signal.empty()) past_.push_back(std::move(line.event));
  if (past_.size() > kPastMax)
    past_.erase(past_.begin(), past_.end() - static_cast<std::ptrdiff_t>(kPastMax));
  file_ = std::make_unique<File>(path);
}

FlightRecorder::~FlightRecorder() { thread_.stop(); }

void FlightRecorder::post(std::function<void(File&)> task) {
  if (waiting_.fetch_add(1) >= kWaitingMax) {
    --waiting_;
    return;
  }
  thread_.post([this, task = std::move(task)] {
    task(*file_);
    --waiting_;
  });
}

void FlightRecorder::append(std::span<const Event> events) {
  static const std::string kBoot = boot_id();
  std::vector<std::string> lines;
  for (const Event& event : events)
    if (std::string line = line_of(event, kBoot); line.size() <= kLineBytesMax)
      lines.push_back(std::move(line));
  if (lines.empty()) return;
  post([lines = std::move(lines)](File& file) {
    for (const std::string& line : lines) file.write(line);
  });
}

void FlightRecorder::beat() {
  post([](File& file) { file.touch(); });
}

void FlightRecorder::flush() {
  const auto written = std::make_shared<std::promise<void>>();
  auto done = written->get_future();
  post([written](File&) { written->set_value(); });
  done.wait_for(std::chrono::seconds{1});
}

}  // namespace wk::node
