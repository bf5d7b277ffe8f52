#include "server/storage/lost_files.h"

#include <fmt/format.h>

#include <cstddef>

#include "server/storage/file_names.h"

namespace wk::storage {

std::string missing_text(Zxid first, Zxid last) {
  if (first == last) return fmt::format("transaction {} is missing", first.to_string());
  return fmt::format("transactions {} to {} are missing", first.to_string(), last.to_string());
}

Result<std::string> free_lost_name(FileSystem& files, const std::string& directory, std::string_view name) {
  for (std::size_t number = 1;; ++number) {
    std::string lost = fmt::format("{}{}", kLostPrefix, name);
    if (number > 1) lost += fmt::format(".{}", number);
    const auto taken = files.exists(join(directory, lost));
    if (!taken) return taken.error();
    if (!*taken) return lost;
  }
}

Result<std::string> set_aside(FileSystem& files, const std::string& directory, const std::string& name) {
  auto lost = free_lost_name(files, directory, name);
  if (!lost) return lost.error();
  if (const auto moved = files.rename(join(directory, name), join(directory, *lost)); !moved)
    return moved.error();
  if (const auto synced = files.sync_directory(directory); !synced) return synced.error();
  return lost;
}

}  // namespace wk::storage
