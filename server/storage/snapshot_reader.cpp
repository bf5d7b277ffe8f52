#include "server/storage/snapshot_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "server/storage/big_endian.h"
#include "server/storage/byte_stream.h"
#include "server/storage/log_format.h"
#include "server/storage/lost_files.h"

namespace wk::storage {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{256} << 10;
constexpr std::size_t kSessionBytes = 12;
/// A node's fixed part behind its data.
constexpr std::size_t kNodeTailBytes = 8 + 4 * 8 + 3 * 4 + 2 * 8;
constexpr std::size_t kDigestBytes = 20;
constexpr std::size_t kLastProcessedBytes = 8;
/// What may stand behind the first seal, in bytes.
constexpr std::size_t kTailNone = 0;
constexpr std::size_t kTailZxid = kLastProcessedBytes + kSealBytes;
constexpr std::size_t kTailDigest = kDigestBytes + kSealBytes;
constexpr std::size_t kTailBoth = kTailDigest + kTailZxid;
/// The last bytes of every uncompressed snapshot: a seal's "/".
constexpr std::array<unsigned char, 5> kLastBytes{0, 0, 0, 1, '/'};
constexpr std::uint64_t kSmallestFile = 10;

/// The uncompressed stream behind a moving window, with the running checksum of what was consumed.
class Input {
 public:
  Input(ByteSource& source, std::string name, const std::stop_token& stop)
      : source_(source), name_(std::move(name)), stop_(stop) {}

  [[nodiscard]] std::uint64_t offset() const { return window_offset_ + begin_; }
  [[nodiscard]] std::uint32_t checksum() {
    add_consumed();
    return checksum_;
  }

  /// Bytes that can be had from here, up to `count`.
  Result<std::size_t> available(std::size_t count) {
    if (end_ - begin_ < count && !ended_)
      if (const auto filled = fill(count); !filled) return filled.error();
    return std::min(count, end_ - begin_);
  }

  /// The next `count` bytes, valid until the next call; Errc::kTruncated when the stream ends before.
  Result<std::span<const std::byte>> take(std::size_t count) {
    const auto had = available(count);
    if (!had) return had.error();
    if (*had < count) return damage(Errc::kTruncated, "the snapshot ends too early");
    const auto bytes = std::span<const std::byte>(window_).subspan(begin_, count);
    begin_ += count;
    return bytes;
  }

  Error damage(Errc code, std::string_view what) const {
    return {code, fmt::format("{} at byte {}: {}", name_, offset(), what)};
  }

 private:
  void add_consumed() {
    checksum_ = adler32(checksum_, std::span<const std::byte>(window_).subspan(summed_, begin_ - summed_));
    summed_ = begin_;
  }

  Result<void> fill(std::size_t count) {
    if (stop_.stop_requested())
      return Error{Errc::kCancelled, fmt::format("{}: reading was given up", name_)};
    add_consumed();
    std::memmove(window_.data(), window_.data() + begin_, end_ - begin_);
    window_offset_ += begin_;
    end_ -= begin_;
    begin_ = summed_ = 0;
    if (window_.size() < std::max(count, kChunkBytes)) window_.resize(std::max(count, kChunkBytes));
    const auto room = std::span(window_).subspan(end_);
    const auto read = source_.read(room);
    if (!read) return read.error();
    ended_ = *read < room.size();
    end_ += *read;
    return {};
  }

  ByteSource& source_;
  std::string name_;
  const std::stop_token& stop_;
  std::vector<std::byte> window_ = std::vector<std::byte>(kChunkBytes);
  std::size_t begin_ = 0;   ///< in window_: not consumed
  std::size_t end_ = 0;     ///< in window_: filled
  std::size_t summed_ = 0;  ///< in window_: part of checksum_
  std::uint64_t window_offset_ = 0;
  std::uint32_t checksum_ = 1;
  bool ended_ = false;
};

class Parser {
 public:
  Parser(Input& in, SnapshotVisitor* visitor, std::size_t field_bytes_max)
      : in_(in), visitor_(visitor), field_bytes_max_(field_bytes_max) {}

  Result<void> parse(SnapshotContent& content) {
    const auto header = in_.take(kSnapshotHeaderBytes);
    if (!header) return header.error();
    if (load_u32(*header) != kSnapshotMagic)
      return in_.damage(Errc::kInvalidInput,
                        fmt::format("it begins with 0x{:08x}, which is not a snapshot", load_u32(*header)));
    if (const auto read = sessions(content); !read) return read.error();
    if (const auto read = acls(); !read) return read.error();
    if (const auto read = nodes(content); !read) return read.error();
    if (const auto read = seal(); !read) return read.error();
    if (const auto read = tail(content); !read) return read.error();
    content.bytes = in_.offset();
    if (visitor_ != nullptr) return accepted(visitor_->complete());
    return {};
  }

 private:
  Result<std::int32_t> take_int() {
    const auto bytes = in_.take(4);
    if (!bytes) return bytes.error();
    return static_cast<std::int32_t>(load_u32(*bytes));
  }

  Result<std::size_t> take_count(const char* of) {
    const auto count = take_int();
    if (!count) return count.error();
    if (*count < 0) return in_.damage(Errc::kInvalidInput, fmt::format("the number of {} is {}", of, *count));
    return static_cast<std::size_t>(*count);
  }

  /// Length of a ustring or buffer, -1 for null.
  Result<std::int32_t> take_length(const char* of) {
    const auto length = take_int();
    if (!length) return length.error();
    if (*length < -1)
      return in_.damage(Errc::kInvalidInput, fmt::format("the length of {} is {}", of, *length));
    if (*length >= 0 && static_cast<std::size_t>(*length) > field_bytes_max_)
      return in_.damage(
          Errc::kTooLarge,
          fmt::format("the length of {}, {} bytes, is above the limit of {}; if the server that "
                      "wrote it had a higher jute.maxbuffer, set the same",
                      of, *length, field_bytes_max_));
    return length;
  }

  Result<std::optional<std::string>> take_text(const char* of) {
    const auto length = take_length(of);
    if (!length) return length.error();
    if (*length < 0) return std::optional<std::string>{};
    const auto bytes = in_.take(static_cast<std::size_t>(*length));
    if (!bytes) return bytes.error();
    return std::optional<std::string>(std::in_place, reinterpret_cast<const char*>(bytes->data()),
                                      bytes->size());
  }

  Result<void> accepted(Result<void> answer) const {
    if (answer) return {};
    return in_.damage(answer.error().code, answer.error().message);
  }

  Result<void> sessions(SnapshotContent& content) {
    const auto count = take_count("sessions");
    if (!count) return count.error();
    content.sessions = *count;
    for (std::size_t i = 0; i < *count; ++i) {
      const auto bytes = in_.take(kSessionBytes);
      if (!bytes) return bytes.error();
      if (visitor_ == nullptr) continue;
      const SnapshotSession session{SessionId{static_cast<std::int64_t>(load_u64(*bytes))},
                                    static_cast<std::int32_t>(load_u32(bytes->subspan(8)))};
      if (const auto answer = accepted(visitor_->session(session)); !answer) return answer.error();
    }
    return {};
  }

  Result<void> acls() {
    const auto count = take_count("ACLs");
    if (!count) return count.error();
    for (std::size_t i = 0; i < *count; ++i) {
      auto acl = take_acl();
      if (!acl) return acl.error();
      if (visitor_ == nullptr) continue;
      if (const auto answer = accepted(visitor_->acl(std::move(*acl))); !answer) return answer.error();
    }
    return {};
  }

  Result<SnapshotAcl> take_acl() {
    SnapshotAcl acl;
    const std::uint64_t start = in_.offset();
    const auto number = in_.take(8);
    if (!number) return number.error();
    acl.number = static_cast<std::int64_t>(load_u64(*number));
    const auto count = take_count("entries of an ACL");
    if (!count) return count.error();
    for (std::size_t i = 0; i < *count; ++i) {
      const auto perms = take_int();
      if (!perms) return perms.error();
      auto scheme = take_text("an ACL's scheme");
      if (!scheme) return scheme.error();
      auto id = take_text("an ACL's id");
      if (!id) return id.error();
      if (in_.offset() - start > field_bytes_max_)
        return in_.damage(Errc::kTooLarge, fmt::format("one ACL is longer than {} bytes", field_bytes_max_));
      acl.acl.push_back({*perms, {std::move(*scheme), std::move(*id)}});
    }
    return acl;
  }

  Result<void> nodes(SnapshotContent& content) {
    for (;;) {
      const auto path_length = take_length("a path");
      if (!path_length) return path_length.error();
      if (*path_length < 0) return in_.damage(Errc::kInvalidInput, "a node has no path");
      const auto path_bytes = static_cast<std::size_t>(*path_length);
      if (path_bytes == 1) {
        const auto end = in_.take(1);
        if (!end) return end.error();
        if ((*end)[0] == std::byte{'/'}) return {};
        return in_.damage(Errc::kInvalidInput, "a path of one byte is not the end of the nodes");
      }
      // Path, length, data and the rest have to be in memory together; ask for all once the length is known.
      const auto had = in_.available(path_bytes + 4);
      if (!had) return had.error();
      const auto node = take_node(path_bytes);
      if (!node) return node.error();
      ++content.nodes;
    }
  }

  Result<void> take_node(std::size_t path_bytes) {
    const auto text = in_.take(path_bytes);
    if (!text) return text.error();
    path_.assign(reinterpret_cast<const char*>(text->data()), text->size());
    const auto length = take_length("a node's data");
    if (!length) return length.error();
    const std::size_t data_bytes = *length < 0 ? 0 : static_cast<std::size_t>(*length);
    const auto bytes = in_.take(data_bytes + kNodeTailBytes);
    if (!bytes) return bytes.error();
    if (visitor_ == nullptr) return {};
    SnapshotNode node;
    node.path = path_;
    if (*length >= 0) node.data.emplace(reinterpret_cast<const char*>(bytes->data()), data_bytes);
    auto rest = bytes->subspan(data_bytes);
    const auto next_long = [&rest] {
      const std::uint64_t value = load_u64(rest);
      rest = rest.subspan(8);
      return value;
    };
    const auto next_int = [&rest] {
      const auto value = static_cast<std::int32_t>(load_u32(rest));
      rest = rest.subspan(4);
      return value;
    };
    node.acl = static_cast<std::int64_t>(next_long());
    node.czxid = Zxid{next_long()};
    node.mzxid = Zxid{next_long()};
    node.ctime_ms = static_cast<std::int64_t>(next_long());
    node.mtime_ms = static_cast<std::int64_t>(next_long());
    node.version = next_int();
    node.cversion = next_int();
    node.aversion = next_int();
    node.ephemeral_owner = static_cast<std::int64_t>(next_long());
    node.pzxid = Zxid{next_long()};
    return accepted(visitor_->node(node));
  }

  Result<void> seal() {
    const std::uint32_t expected = in_.checksum();
    const auto bytes = in_.take(kSealBytes);
    if (!bytes) return bytes.error();
    if (load_u64(*bytes) != expected)
      return in_.damage(Errc::kInvalidInput, fmt::format("the checksum is 0x{:x}, but the content has 0x{:x}",
                                                         load_u64(*bytes), expected));
    if (std::memcmp(bytes->data() + 8, kLastBytes.data(), kLastBytes.size()) != 0)
      return in_.damage(Errc::kInvalidInput, "a seal does not end with \"/\"");
    return {};
  }

  Result<void> tail(SnapshotContent& content) {
    const auto left = in_.available(kTailBoth + 1);
    if (!left) return left.error();
    if (*left != kTailNone && *left != kTailZxid && *left != kTailDigest && *left != kTailBoth)
      return in_.damage(Errc::kInvalidInput,
                        fmt::format("{}{} bytes follow the first seal, which no version of ZooKeeper writes",
                                    *left > kTailBoth ? "more than " : "", std::min(*left, kTailBoth)));
    if (*left == kTailDigest || *left == kTailBoth) {
      const auto bytes = in_.take(kDigestBytes);
      if (!bytes) return bytes.error();
      content.tail.digest =
          SnapshotDigest{Zxid{load_u64(*bytes)}, static_cast<std::int32_t>(load_u32(bytes->subspan(8))),
                         load_u64(bytes->subspan(12))};
      if (const auto read = seal(); !read) return read.error();
    }
    if (*left == kTailZxid || *left == kTailBoth) {
      const auto bytes = in_.take(kLastProcessedBytes);
      if (!bytes) return bytes.error();
      content.tail.last_processed = Zxid{load_u64(*bytes)};
      if (const auto read = seal(); !read) return read.error();
    }
    return {};
  }

  Input& in_;
  SnapshotVisitor* visitor_;
  std::size_t field_bytes_max_;
  std::string path_{};
};

}  // namespace

Result<SnapshotContent> read_snapshot(FileSystem& files, const std::string& directory,
                                      const SnapshotName& name, SnapshotVisitor* visitor,
                                      std::size_t field_bytes_max, const std::stop_token& stop) {
  const std::string path = join(directory, name.name);
  auto file = files.open_to_read(path);
  if (!file) return file.error();
  const auto source = open_byte_source(**file, path, name.compression);
  Input input(*source, path, stop);
  SnapshotContent content;
  content.name = name;
  if (visitor != nullptr) visitor->restart();
  if (const auto parsed = Parser(input, visitor, field_bytes_max).parse(content); !parsed)
    return parsed.error();
  return content;
}

Result<bool> passes_quick_check(FileSystem& files, const std::string& directory, const SnapshotName& name) {
  auto file = files.open_to_read(join(directory, name.name));
  if (!file) return file.error();
  const auto size = (*file)->size();
  if (!size) return size.error();
  std::array<std::byte, 8> bytes{};
  const auto holds = [&](std::uint64_t offset, std::span<const unsigned char> expected) -> Result<bool> {
    const auto into = std::span(bytes).first(expected.size());
    const auto read = (*file)->read_at(offset, into);
    if (!read) return read.error();
    return *read == expected.size() && std::memcmp(into.data(), expected.data(), expected.size()) == 0;
  };
  switch (name.compression) {
    case Compression::kNone:
      break;
    case Compression::kGzip: {
      constexpr std::array<unsigned char, 2> kGzipMagic{0x1f, 0x8b};
      return holds(0, kGzipMagic);
    }
    case Compression::kSnappy: {
      constexpr std::array<unsigned char, 8> kSnappyMagic{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
      return holds(0, kSnappyMagic);
    }
  }
  if (*size < kSmallestFile) return false;
  return holds(*size - kLastBytes.size(), kLastBytes);
}

Result<NewestSnapshot> read_newest_snapshot(FileSystem& files, const std::string& directory,
                                            SnapshotVisitor& visitor, SnapshotReadOptions options) {
  const auto entries = files.list(directory);
  if (!entries) return entries.error();
  NewestSnapshot newest;
  bool refused = false;
  std::size_t tried = 0;
  for (const SnapshotName& name : snapshots_of(*entries)) {
    if (name.zxid > options.max) continue;
    if (tried == kSnapshotCandidatesMax) break;
    const auto quick = passes_quick_check(files, directory, name);
    if (!quick) return quick.error();
    if (!*quick) {
      newest.passed_over.push_back({name, fmt::format("{}: {} bytes, not a complete snapshot",
                                                      join(directory, name.name), name.size)});
      // The first start of a server writes snapshot.0, which holds no transaction: half of it is as good as
      // none.
      refused = refused || name.zxid.value != 0;
      continue;
    }
    ++tried;
    auto content = read_snapshot(files, directory, name, &visitor, options.field_bytes_max);
    if (content) {
      newest.content = std::move(*content);
      return newest;
    }
    // Differs: Apache passes over what it cannot read. A disk that does not answer says nothing about the
    // file: an older state must not be taken instead.
    if (content.error().code == Errc::kIo || content.error().code == Errc::kNotAllowed ||
        content.error().code == Errc::kNoSpace)
      return content.error();
    newest.passed_over.push_back({name, content.error().message});
    refused = true;
  }
  visitor.restart();
  if (!refused || options.accept_loss) return newest;
  std::string why;
  for (const PassedOverSnapshot& one : newest.passed_over) why += (why.empty() ? "" : "; ") + one.reason;
  return Error{
      Errc::kInvalidInput,
      fmt::format(
          "not able to find valid snapshots in {}: {}. Restore one from another member or a backup, "
          "or empty this member's data so that it copies another member's; to start with what the log "
          "alone holds from its beginning, start once with {}",
          directory, why, kAcceptLossFlag)};
}

}  // namespace wk::storage
