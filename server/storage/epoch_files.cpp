#include "server/storage/epoch_files.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string_view>

#include "base/log.h"
#include "server/storage/file_names.h"

namespace wk::storage {
namespace {

/// A decimal 64-bit number, a line feed, and room to see that more follows.
constexpr std::size_t kEpochBytesMax = 64;

std::string temporary_name(EpochFile which) { return fmt::format("{}.tmp", file_name(which)); }

Result<std::optional<Epoch>> read_number(FileSystem& files, const std::string& path) {
  auto file = files.open_to_read(path);
  if (!file && file.error().code == Errc::kNotFound) return std::optional<Epoch>{};
  if (!file) return file.error();
  std::array<char, kEpochBytesMax> text{};
  const auto read = (*file)->read_at(0, std::as_writable_bytes(std::span(text)));
  if (!read) return read.error();
  std::string_view line(text.data(), *read);
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc{} || end != line.data() + line.size())
    return Error{
        Errc::kInvalidInput,
        fmt::format("found \"{}\" in {}, which is not an epoch; restore the file, or empty this member's "
                    "data so that it copies another member's",
                    printable(line), path)};
  return std::optional(Epoch{value});
}

}  // namespace

const char* file_name(EpochFile which) {
  return which == EpochFile::kAccepted ? "acceptedEpoch" : "currentEpoch";
}

Result<std::optional<Epoch>> read_epoch(FileSystem& files, const std::string& directory, EpochFile which) {
  return read_number(files, join(directory, file_name(which)));
}

Result<void> write_epoch(FileSystem& files, const std::string& directory, EpochFile which, Epoch epoch) {
  const std::string temporary = join(directory, temporary_name(which));
  {
    auto file = files.create(temporary);
    if (!file) return file.error();
    const std::string text = std::to_string(epoch.value);
    if (const auto written = (*file)->write_at(0, std::as_bytes(std::span(text))); !written)
      return written.error();
    if (const auto synced = (*file)->sync(); !synced) return synced.error();
  }
  const auto renamed = files.rename(temporary, join(directory, file_name(which)));
  if (!renamed) return renamed.error();
  return files.sync_directory(directory);
}

Result<Epochs> recover_epochs(FileSystem& files, const std::string& directory, Zxid last) {
  const Epoch logged = last.epoch();
  auto current = read_epoch(files, directory, EpochFile::kCurrent);
  if (!current) return current.error();
  if (!*current) {
    *current = logged;
    if (const auto written = write_epoch(files, directory, EpochFile::kCurrent, logged); !written)
      return written.error();
  }
  if (logged > **current) {
    // A crash between taking over a leader's history and naming its epoch leaves the finished temporary file.
    const auto pending = read_number(files, join(directory, temporary_name(EpochFile::kCurrent)));
    if (!pending) return pending.error();
    if (!*pending)
      return Error{
          Errc::kInvalidInput,
          fmt::format("the current epoch, {}, in {} is older than the last zxid, {}; the file was changed or "
                      "restored from elsewhere: restore it, or empty this member's data so that it copies "
                      "another member's",
                      (*current)->value, join(directory, file_name(EpochFile::kCurrent)), last.to_string())};
    *current = **pending;
    if (const auto written = write_epoch(files, directory, EpochFile::kCurrent, **current); !written)
      return written.error();
  }
  auto accepted = read_epoch(files, directory, EpochFile::kAccepted);
  if (!accepted) return accepted.error();
  if (!*accepted) {
    *accepted = logged;
    if (const auto written = write_epoch(files, directory, EpochFile::kAccepted, logged); !written)
      return written.error();
  }
  if (**accepted < **current)
    return Error{
        Errc::kInvalidInput,
        fmt::format("the accepted epoch, {}, in {} is older than the current epoch, {}; restore the file, or "
                    "empty this member's data so that it copies another member's",
                    (*accepted)->value, join(directory, file_name(EpochFile::kAccepted)), (*current)->value)};
  return Epochs{**accepted, **current};
}

}  // namespace wk::storage
