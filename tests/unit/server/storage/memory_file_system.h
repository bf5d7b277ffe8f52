// A file system in memory that remembers every change, can fill up and fail, and can be looked at as any
// crash would have left it.
//
// The crash model is the one that server/storage/file_system.h promises to live with. A file's content since
// its last sync is a sequence of versions; after a crash each sector has the content of any of them, and the
// size is that of any of them. Changes of folders since the last sync of the folder are each kept or lost.
// Whatever was synced is there.
// Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "server/storage/file_system.h"

namespace wk::storage {

using Bytes = std::vector<std::byte>;
/// Path → content of every file.
using Image = std::map<std::string, Bytes>;

class MemoryFileSystem final : public FileSystem {
 public:
  /// One change, in the order in which it was made.
  struct Change {
    enum class Kind { kWrite, kResize, kSync, kCreate, kRename, kRemove, kSyncFolder, kMark };
    Kind kind = Kind::kWrite;
    std::size_t file = 0;      ///< kWrite, kResize, kSync, kCreate, kRename: number of the file
    std::string path{};        ///< entry or folder; kRename: the old path
    std::string to{};          ///< kRename
    std::uint64_t offset = 0;  ///< kWrite; kResize: the size
    Bytes bytes{};             ///< kWrite
    std::uint64_t mark = 0;    ///< kMark: what the test noted
  };

  MemoryFileSystem() = default;
  /// Everything in `image` is durable; the folders of its paths exist.
  explicit MemoryFileSystem(const Image& image);

  Result<std::unique_ptr<File>> open_to_read(const std::string& path) override;
  Result<std::unique_ptr<File>> open_to_write(const std::string& path) override;
  Result<std::unique_ptr<File>> create(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  Result<void> create_directories(const std::string& directory) override;
  Result<bool> is_writable(const std::string& directory) override;
  Result<void> sync_directory(const std::string& directory) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

  /// Content of all files as a process would read them.
  [[nodiscard]] Image image() const;
  Bytes& content(const std::string& path);
  /// Notes something in the sequence of changes, such as "acknowledged up to".
  void mark(std::uint64_t value);
  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }
  [[nodiscard]] const Image& initial() const { return initial_; }

  /// Sectors that files may occupy; holes take none. Absent: endless.
  std::optional<std::size_t> sectors_max{};
  std::set<std::string> read_only_folders{};
  /// Ranges that File::write_back() was called with, in order: offset, bytes.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> written_back{};
  /// Called before every change and every read with the name of the call; an error is what the call answers.
  std::function<Result<void>(std::string_view call, const std::string& path)> before{};

 private:
  friend class MemoryFile;
  struct Content {
    std::size_t number = 0;
    Bytes bytes{};
    std::set<std::uint64_t> sectors{};  ///< occupied
  };

  Result<void> ask(std::string_view call, const std::string& path) const;
  [[nodiscard]] std::size_t sectors_in_use() const;
  std::shared_ptr<Content> make_content(Bytes bytes);

  Image initial_{};
  std::map<std::string, std::shared_ptr<Content>> files_{};
  std::set<std::string> folders_{};
  std::set<std::string> locked_{};
  std::vector<Change> changes_{};
  std::size_t contents_made_ = 0;
};

/// What a crash keeps.
struct CrashChoice {
  enum class Kind {
    kNothing,     ///< nothing that is unsynced
    kEverything,  ///< all of it
    kPrefix,      ///< all up to one version of each file, and the folder changes up to then
    kLostSector,  ///< everything but one sector
    kKeptSector,  ///< the new size, and of the unsynced sectors only one
    kTornWrite,   ///< everything, but of the last write only its first bytes
    kRandom,      ///< each sector, size and folder change by lot
  };
  Kind kind = Kind::kNothing;
  std::size_t index = 0;  ///< kPrefix: versions kept; sectors: which; kTornWrite: bytes; kRandom: the seed
  bool folders = true;    ///< sectors, kTornWrite: whether the folder changes are kept
};

/// The files as a crash after the first `count` changes of a run on `initial` leaves them.
Image crash_image(const Image& initial, const std::vector<MemoryFileSystem::Change>& changes,
                  std::size_t count, const CrashChoice& choice);

/// All choices but the random ones that make a difference after `count` changes; torn writes at every byte of
/// a short write, at some of a long one.
std::vector<CrashChoice> crash_choices(const Image& initial,
                                       const std::vector<MemoryFileSystem::Change>& changes,
                                       std::size_t count);

}  // namespace wk::storage
