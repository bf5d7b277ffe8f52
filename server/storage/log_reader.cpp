#include "server/storage/log_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "server/storage/big_endian.h"
#include "server/storage/log_damage.h"
#include "server/storage/lost_files.h"

namespace wk::storage {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;

bool all_zero(std::span<const std::byte> bytes) {
  if (bytes.empty()) return true;
  return bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

std::string describe(Zxid zxid) { return zxid.value == 0 ? "none" : zxid.to_string(); }

/// A log file behind a moving window of memory.
class LogFile {
 public:
  LogFile(std::unique_ptr<File> file, std::string name, std::uint64_t size)
      : file_(std::move(file)), name_(std::move(name)), size_(size) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// The bytes from `offset`, fewer than `count` only at the end of the file. Valid until the next call.
  Result<std::span<const std::byte>> view(std::uint64_t offset, std::size_t count) {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - std::min(offset, size_)));
    if (offset < window_offset_ || offset + wanted > window_offset_ + window_size_) {
      const auto bytes =
          std::min<std::uint64_t>(std::max(wanted, kReadBytes), size_ - std::min(offset, size_));
      window_.resize(std::max(window_.size(), static_cast<std::size_t>(bytes)));
      window_size_ = 0;
      const auto read = file_->read_at(offset, std::span(window_).first(static_cast<std::size_t>(bytes)));
      if (!read) return read.error();
      window_offset_ = offset;
      window_size_ = *read;
    }
    const auto skipped = static_cast<std::size_t>(offset - window_offset_);
    return std::span<const std::byte>(window_).subspan(skipped, std::min(wanted, window_size_ - skipped));
  }

  /// The bytes from `offset` to the last that is not zero. What lies behind kExaminedBytesMax is left out,
  /// and the answer is then longer than that limit by one.
  Result<std::vector<std::byte>> rest(std::uint64_t offset) {
    std::vector<std::byte> rest;
    if (offset >= size_) return rest;
    std::vector<std::byte> chunk(
        static_cast<std::size_t>(std::min<std::uint64_t>(kReadBytes, size_ - offset)));
    for (std::uint64_t at = offset; at < size_;) {
      const auto data = file_->find_data(at);
      if (!data) return data.error();
      if (*data >= size_) break;
      const auto read = file_->read_at(*data, chunk);
      if (!read) return read.error();
      if (*read == 0) break;
      const auto bytes = std::span<const std::byte>(chunk).first(*read);
      at = *data + *read;
      if (all_zero(bytes)) continue;
      if (at - offset > kExaminedBytesMax) {
        rest.resize(kExaminedBytesMax + 1);
        return rest;
      }
      const auto last =
          std::find_if(bytes.rbegin(), bytes.rend(), [](std::byte b) { return b != std::byte{0}; });
      rest.resize(static_cast<std::size_t>(*data - offset));
      rest.insert(rest.end(), bytes.begin(), last.base());
    }
    return rest;
  }

 private:
  std::unique_ptr<File> file_;
  std::string name_;
  std::uint64_t size_;
  std::vector<std::byte> window_{};
  std::uint64_t window_offset_ = 0;
  std::size_t window_size_ = 0;
};

}  // namespace

class LogReader::State {
 public:
  State(FileSystem& files, std::string directory, Zxid from, LogReadOptions options,
        std::vector<LogName> logs)
      : files_(files),
        directory_(std::move(directory)),
        from_(from),
        options_(std::move(options)),
        logs_(std::move(logs)) {
    for (const LogName& log : logs_) end_.file_bytes += log.size;
  }

  Result<std::optional<LogRecord>> next() {
    if (stopped_) return std::optional<LogRecord>{};
    for (;;) {
      if (!file_) {
        if (next_file_ == logs_.size()) return stop();
        const auto opened = open_next();
        if (!opened) return opened.error();
        if (stopped_) return stop();
        continue;
      }
      const std::uint64_t at = offset_;
      auto payload = payload_here();
      if (!payload) return payload.error();
      if (!*payload) {
        const auto ended = examine_end_of_file();
        if (!ended) return ended.error();
        if (stopped_) return stop();
        if (!*ended) continue;
        payload = **ended;
      }
      const auto wanted = judge(**payload, at);
      if (!wanted) return wanted.error();
      if (stopped_) return stop();
      if (!file_) continue;  // passed over as a whole
      remember_tail(at, at + kRecordOverheadBytes + (*payload)->size());
      if (!*wanted) continue;
      return std::optional(LogRecord{end_.last, **payload, file_->name(), at});
    }
  }

  [[nodiscard]] const LogEnd& end() const { return end_; }

 private:
  using Payload = std::optional<std::span<const std::byte>>;

  [[nodiscard]] bool is_last_file() const { return next_file_ == logs_.size(); }
  [[nodiscard]] std::string path() const { return join(directory_, logs_[next_file_ - 1].name); }

  std::optional<LogRecord> stop() {
    stopped_ = true;
    file_.reset();
    return std::nullopt;
  }

  void note(std::string finding) {
    if (end_.findings.size() < LogEnd::kFindingsMax) end_.findings.push_back(std::move(finding));
  }

  /// What an operator reads when the log is refused.
  Error refuse(Errc code, std::uint64_t offset, std::string_view what) const {
    std::string more;
    if (!is_last_file())
      more = fmt::format(" and {} later log file{}", logs_.size() - next_file_,
                         logs_.size() - next_file_ > 1 ? "s" : "");
    return {code,
            fmt::format(
                "{} at byte {}: {}. Last good transaction: {}. {} bytes{} would be given up if the server "
                "went on from there. Restore the file from another member or a backup, or empty this "
                "member's data so that it copies another member's; to start in spite of the loss, start "
                "once with {}",
                path(), offset, what, describe(last_good()), logs_[next_file_ - 1].size - offset, more,
                kAcceptLossFlag)};
  }

  /// Damage: an error, or the end of reading when the operator has accepted the loss.
  Result<void> damage(Errc code, std::uint64_t offset, std::string_view what) {
    if (!options_.accept_loss) return refuse(code, offset, what);
    if (!end_.loss.empty()) end_.loss += "; ";
    if (end_.records == 0 && options_.continues_state && !is_last_file() &&
        logs_[next_file_].first <= from_) {
      end_.loss += fmt::format("{} at byte {}: {}. Left out, kept as {}*; the snapshot holds what it held",
                               path(), offset, what, kLostPrefix);
      end_.files_set_aside.push_back(logs_[next_file_ - 1].name);
      if (end_.tail_file == logs_[next_file_ - 1].name) end_.tail_file.clear();
      file_.reset();
      return {};
    }
    end_.loss += fmt::format(
        "{} at byte {}: {}. Given up by order: {} bytes of this file and {} later files; kept beside "
        "as {}*. Last transaction: {}",
        path(), offset, what, logs_[next_file_ - 1].size - offset, logs_.size() - next_file_, kLostPrefix,
        describe(last_good()));
    // A file without a record must not stay: it would stand behind those that are written from here on.
    end_.mend = offset <= kLogHeaderBytes ? LogEnd::Mend::kRemoveFile : LogEnd::Mend::kCut;
    end_.mend_file = logs_[next_file_ - 1].name;
    end_.mend_offset = offset;
    for (std::size_t i = next_file_; i < logs_.size(); ++i) end_.files_set_aside.push_back(logs_[i].name);
    stopped_ = true;
    return {};
  }

  Result<void> open_next() {
    const LogName& log = logs_[next_file_++];
    auto opened = files_.open_to_read(path());
    if (!opened) return opened.error();
    const auto size = (*opened)->size();
    if (!size) return size.error();
    file_.emplace(std::move(*opened), log.name, *size);
    offset_ = kLogHeaderBytes;
    const auto header = file_->view(0, kLogHeaderBytes);
    if (!header) return header.error();
    if (header->size() == kLogHeaderBytes && load_u32(*header) == kLogMagic) {
      const std::uint32_t version = load_u32(header->subspan(4));
      if (version != kLogVersion)
        note(fmt::format("{}: format version {} instead of {}; read all the same", path(), version,
                         kLogVersion));
      return {};
    }
    // A crash may leave a new file without its header, but then without any record either.
    if (header->size() < kLogHeaderBytes || all_zero(*header)) {
      const auto rest = file_->rest(0);
      if (!rest) return rest.error();
      const bool empty = rest->empty() || header->size() < kLogHeaderBytes;
      if (empty && is_last_file()) {
        note(fmt::format("{}: {} bytes without a header, left by a crash; removed", path(), *size));
        end_.mend = LogEnd::Mend::kRemoveFile;
        end_.mend_file = log.name;
        file_.reset();
        return {};
      }
      return damage(Errc::kTruncated, 0,
                    empty ? "the file is empty, yet others follow" : "the header is missing");
    }
    return damage(Errc::kInvalidInput, 0,
                  fmt::format("it begins with 0x{:08x}, which is not a transaction log", load_u32(*header)));
  }

  /// The payload of the good record at offset_, which moves behind it; nullopt when none begins there.
  Result<Payload> payload_here() {
    const auto prefix = file_->view(offset_, kRecordPrefixBytes);
    if (!prefix) return prefix.error();
    if (prefix->size() < kRecordPrefixBytes) return Payload{};
    const std::uint64_t checksum = load_u64(*prefix);
    const std::uint32_t length = load_u32(prefix->subspan(8));
    if (length < kTxnHeaderBytes || length > options_.payload_bytes_max) return Payload{};
    if (kRecordOverheadBytes + length > file_->size() - offset_) return Payload{};
    const auto body = file_->view(offset_ + kRecordPrefixBytes, length + 1);
    if (!body) return body.error();
    if (body->size() != length + 1 || body->back() != kRecordEnd) return Payload{};
    const auto payload = body->first(length);
    if (adler32(1, payload) != checksum) return Payload{};
    offset_ += kRecordOverheadBytes + length;
    return Payload{payload};
  }

  /// Decides what the place means at which no good record begins: the end of the file, a whole record in
  /// spite of it, or damage.
  Result<Payload> examine_end_of_file() {
    const auto rest = file_->rest(offset_);
    if (!rest) return rest.error();
    const LogTailFinding found =
        examine_log_tail(*rest, offset_, file_->size(), end_of_order(), options_.payload_bytes_max);
    const std::uint64_t at = offset_;
    const bool last_file = is_last_file();
    const std::string next = found.next_whole
                                 ? fmt::format("; transaction {} follows whole at byte {}",
                                               found.next_whole->zxid.to_string(), found.next_whole->offset)
                                 : std::string();
    switch (found.kind) {
      case LogTail::kEnd:
        break;
      case LogTail::kStray:
        note(fmt::format("{} at byte {}: {} ({} bytes); passed over", path(), at, found.what, rest->size()));
        break;
      case LogTail::kTorn:
        note(fmt::format("{} at byte {}: {}, left by a crash{}; {} bytes that were never acknowledged are {}",
                         path(), at, found.what, next, rest->size(), last_file ? "cut off" : "passed over"));
        if (last_file) set_mend(LogEnd::Mend::kCut, at);
        break;
      case LogTail::kUnmarked:
        return unmarked_record(found, at);
      case LogTail::kCorrupt: {
        // An earlier start may have given the rest of this file up: then the next file begins where it
        // stopped.
        const bool superseded =
            found.apache_stops && !last_file && logs_[next_file_].first.value <= end_of_order().value + 1;
        if (!superseded) {
          const auto refused =
              damage(found.above_limit ? Errc::kTooLarge : Errc::kInvalidInput, at,
                     found.what + next +
                         (found.above_limit
                              ? "; if the server that wrote it had a higher jute.maxbuffer, set the same"
                              : ""));
          if (!refused) return refused.error();
          return Payload{};
        }
        note(fmt::format("{} at byte {}: {}{}; passed over since {} takes the log up from there", path(), at,
                         found.what, next, logs_[next_file_].name));
        break;
      }
    }
    file_.reset();
    return Payload{};
  }

  Result<Payload> unmarked_record(const LogTailFinding& found, std::uint64_t at) {
    const auto prefix = file_->view(at, kRecordPrefixBytes);
    if (!prefix) return prefix.error();
    const std::uint32_t length = load_u32(prefix->subspan(8));
    const auto payload = file_->view(at + kRecordPrefixBytes, length);
    if (!payload) return payload.error();
    const Zxid zxid = zxid_of_payload(*payload);
    if (!is_last_file() && logs_[next_file_].first <= zxid) {
      note(fmt::format("{} at byte {}: {}; transaction {} passed over since {} takes the log up from there",
                       path(), at, found.what, zxid.to_string(), logs_[next_file_].name));
      file_.reset();
      return Payload{};
    }
    note(fmt::format("{} at byte {}: {}, but transaction {} is whole by its checksum; kept", path(), at,
                     found.what, zxid.to_string()));
    if (is_last_file()) set_mend(LogEnd::Mend::kRestoreEndMark, at + kRecordPrefixBytes + length);
    offset_ = file_->size();  // nothing that counts stands behind it
    return Payload{*payload};
  }

  void remember_tail(std::uint64_t record, std::uint64_t end) {
    if (end_.tail_file != file_->name()) end_.tail_file = file_->name();
    end_.tail_begin = std::min(record, end - std::min<std::uint64_t>(end, kUnsyncedBytesMax));
    end_.tail_end = end;
  }

  void set_mend(LogEnd::Mend mend, std::uint64_t offset) {
    end_.mend = mend;
    end_.mend_file = file_->name();
    end_.mend_offset = offset;
  }

  /// The zxid of the state that stands: the last one handed out, or the one that the log goes on from.
  [[nodiscard]] Zxid last_good() const {
    if (end_.records > 0 || !options_.continues_state) return end_.last;
    return Zxid{from_.value - 1};
  }

  /// The zxid that the next record has to follow: the last one read, wanted or not.
  [[nodiscard]] Zxid end_of_order() const { return std::max(end_.last, below_from_); }

  /// Whether a good record is to be handed out. Order matters only among records that are.
  Result<bool> judge(std::span<const std::byte> payload, std::uint64_t at) {
    const Zxid zxid = zxid_of_payload(payload);
    if (zxid < from_) {
      below_from_ = std::max(below_from_, zxid);
      ++end_.skipped;
      return false;
    }
    if (end_.records > 0 && zxid <= end_.last) {
      note(fmt::format("{} at byte {}: transaction {} stands again behind {}; passed over", path(), at,
                       zxid.to_string(), end_.last.to_string()));
      ++end_.skipped;
      return false;
    }
    if (end_.records > 0 || options_.continues_state) {
      const auto follows = judge_gap(zxid, at);
      if (!follows) return follows.error();
      if (!*follows) return false;
    } else if (from_.value > 0 && zxid.counter() > 1 && zxid != from_) {
      note(fmt::format("{} at byte {}: the first transaction is {}, and nothing tells of those before it",
                       path(), at, zxid.to_string()));
    }
    if (end_.records == 0) end_.first = zxid;
    end_.last = zxid;
    ++end_.records;
    return true;
  }

  /// Whether a record may follow what stands. Within an epoch nothing may be left out. A new epoch begins
  /// with 1, but where it begins with more only a snapshot from in between proves that this member had the
  /// rest.
  Result<bool> judge_gap(Zxid zxid, std::uint64_t at) {
    const Zxid last = last_good();
    if (zxid.epoch() == last.epoch()) {
      if (zxid.value == last.value + 1) return true;
      if (end_.records > 0)
        return leave_out(at, fmt::format("transaction {} follows {}; those in between are missing",
                                         zxid.to_string(), last.to_string()));
      return leave_out(
          at,
          fmt::format("it goes on with transaction {}, but what stands before it ends with {}: {}, and the "
                      "log file that held what lies between",
                      zxid.to_string(), last.to_string(),
                      missing_text(Zxid{last.value + 1}, Zxid{zxid.value - 1})));
    }
    if (zxid.counter() <= 1) return true;
    const std::string gap =
        fmt::format("transaction {} follows {}, though its epoch begins with {}", zxid.to_string(),
                    last.to_string(), Zxid{(zxid.value >> 32 << 32) + 1}.to_string());
    const auto& snapshots = options_.unreadable_snapshots;
    const bool had = std::ranges::any_of(snapshots, [&](Zxid snapshot) {
      return snapshot > last && snapshot < zxid && snapshot.counter() > 0;
    });
    if (had) return leave_out(at, gap + "; those in between are missing");
    note(fmt::format("{} at byte {}: {}; those in between may be missing", path(), at, gap));
    return true;
  }

  /// damage() as the answer to whether a record is handed out.
  Result<bool> leave_out(std::uint64_t at, std::string_view what) {
    const auto refused = damage(Errc::kInvalidInput, at, what);
    if (!refused) return refused.error();
    return false;
  }

  FileSystem& files_;
  std::string directory_;
  Zxid from_;
  LogReadOptions options_;
  std::vector<LogName> logs_;
  std::size_t next_file_ = 0;  ///< behind the open one
  std::optional<LogFile> file_{};
  std::uint64_t offset_ = 0;
  Zxid below_from_{};
  bool stopped_ = false;
  LogEnd end_{};
};

LogReader::LogReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;
LogReader::~LogReader() = default;

Result<LogReader> LogReader::open(FileSystem& files, std::string directory, Zxid from,
                                  LogReadOptions options) {
  const auto entries = files.list(directory);
  if (!entries) return entries.error();
  std::vector<LogName> logs = logs_of(*entries);
  // Everything from the newest file that begins below `from`: it may hold the first wanted transactions.
  const auto first_above =
      std::ranges::find_if(logs, [from](const LogName& log) { return log.first >= from; });
  if (first_above != logs.begin()) logs.erase(logs.begin(), std::prev(first_above));
  return LogReader(
      std::make_unique<State>(files, std::move(directory), from, std::move(options), std::move(logs)));
}

Result<LogReader> LogReader::open_file(FileSystem& files, std::string directory, std::string name,
                                       LogReadOptions options) {
  const auto file = files.open_to_read(join(directory, name));
  if (!file) return file.error();
  const auto size = (*file)->size();
  if (!size) return size.error();
  std::vector<LogName> logs{{Zxid{}, std::move(name), *size}};
  return LogReader(
      std::make_unique<State>(files, std::move(directory), Zxid{}, std::move(options), std::move(logs)));
}

Result<std::optional<LogRecord>> LogReader::next() { return state_->next(); }

const LogEnd& LogReader::end() const { return state_->end(); }

namespace {

Result<void> copy_file(FileSystem& files, const std::string& from, const std::string& to) {
  auto source = files.open_to_read(from);
  if (!source) return source.error();
  auto target = files.create(to);
  if (!target) return target.error();
  const auto size = (*source)->size();
  if (!size) return size.error();
  std::vector<std::byte> chunk(kReadBytes);
  for (std::uint64_t at = 0; at < *size;) {
    const auto data = (*source)->find_data(at);
    if (!data) return data.error();
    if (*data >= *size) break;
    const auto read = (*source)->read_at(*data, chunk);
    if (!read) return read.error();
    if (*read == 0) break;
    if (const auto written = (*target)->write_at(*data, std::span(chunk).first(*read)); !written)
      return written.error();
    at = *data + *read;
  }
  if (const auto sized = (*target)->set_size(*size); !sized) return sized.error();
  return (*target)->sync();
}

Result<void> remove_durably(FileSystem& files, const std::string& directory, const std::string& name) {
  if (const auto removed = files.remove(join(directory, name)); !removed) return removed.error();
  return files.sync_directory(directory);
}

Result<void> cut_durably(FileSystem& files, const std::string& path, std::uint64_t size) {
  auto file = files.open_to_write(path);
  if (!file) return file.error();
  if (const auto cut = (*file)->set_size(size); !cut) return cut.error();
  return (*file)->sync();
}

Result<void> make_tail_durable(FileSystem& files, const std::string& directory, const LogEnd& end) {
  if (end.tail_file.empty()) return {};
  const std::string path = join(directory, end.tail_file);
  auto file = files.open_to_write(path);
  // A log that was copied here by somebody else may be read only, and can be synced all the same.
  const bool writable = file || file.error().code != Errc::kNotAllowed;
  if (!writable) file = files.open_to_read(path);
  if (!file) return file.error();
  std::vector<std::byte> chunk(kReadBytes);
  for (std::uint64_t at = end.tail_begin; writable && at < end.tail_end;) {
    const auto bytes = std::span(chunk).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(kReadBytes, end.tail_end - at)));
    const auto read = (*file)->read_at(at, bytes);
    if (!read) return read.error();
    if (*read == 0) break;
    const auto written = (*file)->write_at(at, bytes.first(*read));
    // A file system that writes elsewhere may be full. Then a sync is all that can be done.
    if (!written && written.error().code == Errc::kNoSpace) break;
    if (!written) return written.error();
    at += *read;
  }
  if (const auto synced = (*file)->sync(); !synced) return synced.error();
  return files.sync_directory(directory);
}

Result<void> mend_last_file(FileSystem& files, const std::string& directory, const LogEnd& end) {
  const std::string path = join(directory, end.mend_file);
  switch (end.mend) {
    case LogEnd::Mend::kNothing:
      return {};
    case LogEnd::Mend::kRemoveFile:
      return remove_durably(files, directory, end.mend_file);
    case LogEnd::Mend::kCut:
      return cut_durably(files, path, end.mend_offset);
    case LogEnd::Mend::kRestoreEndMark: {
      auto file = files.open_to_write(path);
      if (!file) return file.error();
      if (const auto written = (*file)->write_at(end.mend_offset, std::span(&kRecordEnd, 1)); !written)
        return written.error();
      return (*file)->sync();
    }
  }
  return {};
}

}  // namespace

Result<void> mend_log(FileSystem& files, const std::string& directory, const LogEnd& end) {
  // From the newest file backwards, so that a crash leaves a log without a gap.
  for (auto name = end.files_set_aside.rbegin(); name != end.files_set_aside.rend(); ++name)
    if (const auto moved = set_aside(files, directory, *name); !moved) return moved.error();
  if (!end.loss.empty() && end.mend != LogEnd::Mend::kNothing) {
    const auto lost = free_lost_name(files, directory, end.mend_file);
    if (!lost) return lost.error();
    const auto copied = copy_file(files, join(directory, end.mend_file), join(directory, *lost));
    if (!copied) return copied.error();
    if (const auto synced = files.sync_directory(directory); !synced) return synced.error();
  }
  if (const auto mended = mend_last_file(files, directory, end); !mended) return mended;
  return make_tail_durable(files, directory, end);
}

Result<void> truncate_log(FileSystem& files, const std::string& directory, Zxid last,
                          LogReadOptions options) {
  auto reader = LogReader::open(files, directory, last, std::move(options));
  if (!reader) return reader.error();
  const auto record = reader->next();
  if (!record) return record.error();
  if (!*record || (*record)->zxid != last)
    return Error{
        Errc::kNotFound,
        fmt::format("{}: the log holds no transaction {} at which the leader asks to cut it{}; empty this "
                    "member's data so that it copies the leader's",
                    directory, last.to_string(),
                    *record ? fmt::format(" (the next one is {})", (*record)->zxid.to_string()) : "")};
  const std::string keep((*record)->file);
  const std::uint64_t size = (*record)->offset + kRecordOverheadBytes + (*record)->payload.size();
  const auto entries = files.list(directory);
  if (!entries) return entries.error();
  auto logs = logs_of(*entries);
  // From the newest file backwards, each removal durable, so that a crash leaves a log without a gap.
  for (auto log = logs.rbegin(); log != logs.rend() && log->name != keep; ++log)
    if (const auto removed = remove_durably(files, directory, log->name); !removed) return removed.error();
  return cut_durably(files, join(directory, keep), size);
}

}  // namespace wk::storage
