#include "jute/reader.h"

#include <fmt/format.h>

namespace wk::jute {

void Reader::fail(Errc code, const char* what) {
  if (!fault_) fault_ = Fault{code, what, position_};
}

Result<void> Reader::status() const {
  if (!fault_) return {};
  return Error{fault_->code, fmt::format("{} at byte {} of {}", fault_->what, fault_->offset, input_.size())};
}

std::uint64_t Reader::read_big_endian(std::size_t size) {
  if (fault_) return 0;
  if (remaining() < size) {
    fail(Errc::kTruncated, "record ends inside a number");
    return 0;
  }
  std::uint64_t value = 0;
  for (const std::byte byte : input_.subspan(position_, size))
    value = value << 8 | std::to_integer<std::uint64_t>(byte);
  position_ += size;
  return value;
}

std::int32_t Reader::read_int() {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(read_big_endian(4)));
}

std::int64_t Reader::read_long() { return static_cast<std::int64_t>(read_big_endian(8)); }

bool Reader::read_bool() { return read_big_endian(1) != 0; }

std::optional<std::string_view> Reader::read_string_view() {
  const std::int32_t length = read_int();
  if (fault_ || length == -1) return std::nullopt;
  if (length < 0) {
    fail(Errc::kInvalidInput, "negative string length");
    return std::nullopt;
  }
  const auto size = static_cast<std::size_t>(length);
  if (size > max_string_bytes_) {
    fail(Errc::kTooLarge, "string longer than the limit");
    return std::nullopt;
  }
  if (size > remaining()) {
    fail(Errc::kTruncated, "record ends inside a string");
    return std::nullopt;
  }
  const auto bytes = input_.subspan(position_, size);
  position_ += size;
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::optional<std::string> Reader::read_string() {
  if (const auto view = read_string_view()) return std::string(*view);
  return std::nullopt;
}

std::optional<std::size_t> Reader::read_count(std::size_t min_element_bytes) {
  const std::int32_t count = read_int();
  if (fault_ || count == -1) return std::nullopt;
  if (count < 0) return 0;
  const auto size = static_cast<std::size_t>(count);
  if (size > remaining() / min_element_bytes) {
    fail(Errc::kTruncated, "vector announces more elements than the record can hold");
    return std::nullopt;
  }
  return size;
}

}  // namespace wk::jute
