#include "server/storage/byte_stream.h"

#include <fmt/format.h>
#include <snappy.h>
#define ZLIB_CONST  // input buffers are const
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "server/storage/big_endian.h"

namespace wk::storage {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{256} << 10;
/// What snappy-java puts in front: a magic number, its version, the oldest version that can read it.
constexpr std::array<unsigned char, 16> kSnappyHeader{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0,
                                                      0,    0,   0,   1,   0,   0,   0,   1};
constexpr std::uint32_t kSnappyVersion = 1;
/// zlib's window size for a gzip wrapper instead of its own.
constexpr int kGzipWindowBits = 15 + 16;

/// Sequential reads of a file.
class PlainSource final : public ByteSource {
 public:
  explicit PlainSource(File& file) : file_(file) {}
  Result<std::size_t> read(std::span<std::byte> into) override {
    const auto count = file_.read_at(offset_, into);
    if (count) offset_ += *count;
    return count;
  }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  File& file_;
  std::uint64_t offset_ = 0;
};

class GzipSource final : public ByteSource {
 public:
  GzipSource(File& file, std::string name) : input_(file), name_(std::move(name)), chunk_(kChunkBytes) {
    WK_CHECK(::inflateInit2(&stream_, kGzipWindowBits) == Z_OK, "zlib cannot be initialised");
  }
  ~GzipSource() override { ::inflateEnd(&stream_); }

  Result<std::size_t> read(std::span<std::byte> into) override {
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(into.size());
    while (stream_.avail_out > 0 && !ended_) {
      if (stream_.avail_in == 0) {
        const auto count = input_.read(chunk_);
        if (!count) return count.error();
        if (*count == 0) return damage(Errc::kTruncated, "the gzip stream ends too early");
        stream_.next_in = reinterpret_cast<Bytef*>(chunk_.data());
        stream_.avail_in = static_cast<uInt>(*count);
      }
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      ended_ = result == Z_STREAM_END;
      if (result != Z_OK && !ended_)
        return damage(Errc::kInvalidInput, fmt::format("the gzip stream is damaged ({})",
                                                       stream_.msg != nullptr ? stream_.msg : "zlib"));
    }
    if (ended_ && stream_.avail_in > 0) return damage(Errc::kInvalidInput, "bytes follow the gzip stream");
    return into.size() - stream_.avail_out;
  }

 private:
  Error damage(Errc code, std::string_view what) const {
    return {code, fmt::format("{} before byte {}: {}", name_, input_.offset(), what)};
  }

  PlainSource input_;
  std::string name_;
  std::vector<std::byte> chunk_;
  ::z_stream stream_{};
  bool ended_ = false;
};

class SnappySource final : public ByteSource {
 public:
  SnappySource(File& file, std::string name) : input_(file), name_(std::move(name)) {}

  Result<std::size_t> read(std::span<std::byte> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      if (position_ == block_.size()) {
        const auto more = read_block();
        if (!more) return more.error();
        if (!*more) break;
      }
      const std::size_t count = std::min(into.size() - done, block_.size() - position_);
      std::copy_n(block_.begin() + static_cast<std::ptrdiff_t>(position_), count,
                  reinterpret_cast<char*>(into.data()) + done);
      position_ += count;
      done += count;
    }
    return done;
  }

 private:
  Error damage(Errc code, std::string_view what) const {
    return {code, fmt::format("{} before byte {}: {}", name_, input_.offset(), what)};
  }

  /// false at the end of the stream.
  Result<bool> read_block() {
    if (!header_read_) {
      std::array<std::byte, kSnappyHeader.size()> header{};
      const auto count = input_.read(header);
      if (!count) return count.error();
      if (*count < header.size()) return damage(Errc::kTruncated, "the snappy header is cut off");
      if (std::memcmp(header.data(), kSnappyHeader.data(), 8) != 0)
        return damage(Errc::kInvalidInput, "this is not snappy-java's format");
      if (load_u32(std::span(header).subspan(12)) > kSnappyVersion)
        return damage(Errc::kInvalidInput, "the snappy stream asks for a newer reader");
      header_read_ = true;
    }
    std::array<std::byte, 4> length_bytes{};
    const auto count = input_.read(length_bytes);
    if (!count) return count.error();
    if (*count == 0) return false;
    if (*count < length_bytes.size()) return damage(Errc::kTruncated, "a snappy block is cut off");
    const std::uint32_t length = load_u32(length_bytes);
    if (length == 0 || length > kSnappyBlockBytesMax)
      return damage(Errc::kInvalidInput, fmt::format("a snappy block claims {} bytes", length));
    compressed_.resize(length);
    const auto body = input_.read(std::as_writable_bytes(std::span(compressed_)));
    if (!body) return body.error();
    if (*body < length) return damage(Errc::kTruncated, "a snappy block is cut off");
    std::size_t size = 0;
    if (!::snappy::GetUncompressedLength(compressed_.data(), compressed_.size(), &size) ||
        size > kSnappyBlockBytesMax)
      return damage(Errc::kInvalidInput, "a snappy block has no believable size");
    block_.resize(size);
    position_ = 0;
    if (!::snappy::RawUncompress(compressed_.data(), compressed_.size(), block_.data()))
      return damage(Errc::kInvalidInput, "a snappy block is damaged");
    return true;
  }

  PlainSource input_;
  std::string name_;
  bool header_read_ = false;
  std::vector<char> compressed_{};
  std::vector<char> block_{};
  std::size_t position_ = 0;
};

class PlainSink final : public ByteSink {
 public:
  explicit PlainSink(File& file) : file_(file) {}
  Result<void> write(std::span<const std::byte> bytes) override {
    const auto written = file_.write_at(offset_, bytes);
    if (written) offset_ += bytes.size();
    return written;
  }
  Result<void> finish() override { return {}; }
  [[nodiscard]] std::uint64_t bytes_written() const override { return offset_; }

 private:
  File& file_;
  std::uint64_t offset_ = 0;
};

class GzipSink final : public ByteSink {
 public:
  explicit GzipSink(File& file) : output_(file), chunk_(kChunkBytes) {
    WK_CHECK(::deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindowBits, 8,
                            Z_DEFAULT_STRATEGY) == Z_OK,
             "zlib cannot be initialised");
  }
  ~GzipSink() override { ::deflateEnd(&stream_); }

  Result<void> write(std::span<const std::byte> bytes) override {
    // zlib counts in 32 bits.
    while (!bytes.empty()) {
      const auto part = bytes.first(std::min<std::size_t>(bytes.size(), std::size_t{1} << 30));
      if (const auto written = deflate(part, Z_NO_FLUSH); !written) return written.error();
      bytes = bytes.subspan(part.size());
    }
    return {};
  }
  Result<void> finish() override { return deflate({}, Z_FINISH); }
  [[nodiscard]] std::uint64_t bytes_written() const override { return output_.bytes_written(); }

 private:
  Result<void> deflate(std::span<const std::byte> bytes, int flush) {
    stream_.next_in = reinterpret_cast<const Bytef*>(bytes.data());
    stream_.avail_in = static_cast<uInt>(bytes.size());
    for (;;) {
      stream_.next_out = reinterpret_cast<Bytef*>(chunk_.data());
      stream_.avail_out = static_cast<uInt>(chunk_.size());
      const int result = ::deflate(&stream_, flush);
      WK_CHECK(result != Z_STREAM_ERROR, "zlib's stream is inconsistent");
      const auto written = output_.write(std::span(chunk_).first(chunk_.size() - stream_.avail_out));
      if (!written) return written.error();
      const bool done = flush == Z_FINISH ? result == Z_STREAM_END : stream_.avail_out > 0;
      if (done) return {};
    }
  }

  PlainSink output_;
  std::vector<std::byte> chunk_;
  ::z_stream stream_{};
};

class SnappySink final : public ByteSink {
 public:
  explicit SnappySink(File& file) : output_(file) {}

  Result<void> write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const std::size_t count = std::min(bytes.size(), kSnappyBlockBytes - block_.size());
      const auto* begin = reinterpret_cast<const char*>(bytes.data());
      block_.insert(block_.end(), begin, begin + count);
      bytes = bytes.subspan(count);
      if (block_.size() == kSnappyBlockBytes)
        if (const auto written = write_block(); !written) return written.error();
    }
    return {};
  }
  Result<void> finish() override { return write_block(); }
  [[nodiscard]] std::uint64_t bytes_written() const override { return output_.bytes_written(); }

 private:
  Result<void> write_block() {
    std::vector<std::byte> out;
    if (!header_written_) {
      const auto header = std::as_bytes(std::span(kSnappyHeader));
      out.assign(header.begin(), header.end());
      header_written_ = true;
    }
    if (!block_.empty()) {
      std::string compressed;
      ::snappy::Compress(block_.data(), block_.size(), &compressed);
      append_u32(out, static_cast<std::uint32_t>(compressed.size()));
      const auto bytes = std::as_bytes(std::span(compressed));
      out.insert(out.end(), bytes.begin(), bytes.end());
      block_.clear();
    }
    return output_.write(out);
  }

  PlainSink output_;
  std::vector<char> block_{};
  bool header_written_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> open_byte_source(File& file, std::string name, Compression compression) {
  switch (compression) {
    case Compression::kNone:
      break;
    case Compression::kGzip:
      return std::make_unique<GzipSource>(file, std::move(name));
    case Compression::kSnappy:
      return std::make_unique<SnappySource>(file, std::move(name));
  }
  return std::make_unique<PlainSource>(file);
}

std::unique_ptr<ByteSink> open_byte_sink(File& file, Compression compression) {
  switch (compression) {
    case Compression::kNone:
      break;
    case Compression::kGzip:
      return std::make_unique<GzipSink>(file);
    case Compression::kSnappy:
      return std::make_unique<SnappySink>(file);
  }
  return std::make_unique<PlainSink>(file);
}

}  // namespace wk::storage
