// Streams of bytes from and to a file, compressed or not, with bounded memory.
//
// Formats: one gzip member (zlib), or snappy-java's stream: 8 magic bytes, two version ints, then blocks of
// {compressed length, raw snappy block of up to 32 KiB}. Thread: disk (one owner).
// Source: persistence/SnapStream.java; reference storage-formats 4.7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/error.h"
#include "server/storage/file_names.h"
#include "server/storage/file_system.h"

namespace wk::storage {

/// Uncompressed bytes of a snappy block as snappy-java writes it.
inline constexpr std::size_t kSnappyBlockBytes = std::size_t{32} << 10;
/// Largest snappy block that is read, either way of counting; a stream that claims more is damaged.
inline constexpr std::size_t kSnappyBlockBytesMax = std::size_t{16} << 20;

class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;
  /// Reads until `into` is full or the stream ends. \return bytes read; less than into.size() only at the
  /// end. Errc::kInvalidInput or Errc::kTruncated, with the file's name and offset, when the compressed form
  /// is damaged.
  virtual Result<std::size_t> read(std::span<std::byte> into) = 0;
};

class ByteSink {
 public:
  ByteSink() = default;
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;
  virtual ~ByteSink() = default;
  virtual Result<void> write(std::span<const std::byte> bytes) = 0;
  /// Hands everything to the file, with the format's end. Nothing may be written afterwards.
  virtual Result<void> finish() = 0;
  /// Bytes that the file has received.
  [[nodiscard]] virtual std::uint64_t bytes_written() const = 0;
};

/// \param file  must outlive the stream  \param name  for messages
std::unique_ptr<ByteSource> open_byte_source(File& file, std::string name, Compression compression);
std::unique_ptr<ByteSink> open_byte_sink(File& file, Compression compression);

}  // namespace wk::storage
