#include "tests/unit/server/storage/memory_file_system.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace wk::storage {
namespace {

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

void apply_write(Bytes& content, std::uint64_t offset, std::span<const std::byte> bytes) {
  const auto end = static_cast<std::size_t>(offset) + bytes.size();
  if (content.size() < end) content.resize(end);
  std::ranges::copy(bytes, content.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

class MemoryFile final : public File {
 public:
  MemoryFile(MemoryFileSystem& files, std::shared_ptr<MemoryFileSystem::Content> content, std::string path)
      : files_(files), content_(std::move(content)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override {
    if (const auto asked = files_.ask("read", path_); !asked) return asked.error();
    const Bytes& bytes = content_->bytes;
    if (offset >= bytes.size()) return std::size_t{0};
    const std::size_t count = std::min(into.size(), bytes.size() - static_cast<std::size_t>(offset));
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
    return count;
  }

  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (const auto asked = files_.ask("write", path_); !asked) return asked.error();
    // Sector by sector, so that a full disk leaves the part that fitted.
    std::size_t done = 0;
    while (done < bytes.size()) {
      const std::uint64_t sector = (offset + done) / kSectorBytes;
      if (!content_->sectors.contains(sector)) {
        if (files_.sectors_max && files_.sectors_in_use() >= *files_.sectors_max) break;
        content_->sectors.insert(sector);
      }
      done += std::min<std::size_t>((sector + 1) * kSectorBytes - (offset + done), bytes.size() - done);
    }
    const auto fitting = bytes.first(done);
    if (!fitting.empty()) {
      apply_write(content_->bytes, offset, fitting);
      files_.changes_.push_back({.kind = MemoryFileSystem::Change::Kind::kWrite,
                                 .file = content_->number,
                                 .offset = offset,
                                 .bytes = Bytes(fitting.begin(), fitting.end())});
    }
    if (done < bytes.size()) return Error{Errc::kNoSpace, fmt::format("cannot write {}: no space", path_)};
    return {};
  }

  Result<void> set_size(std::uint64_t size) override {
    if (const auto asked = files_.ask("resize", path_); !asked) return asked.error();
    content_->bytes.resize(static_cast<std::size_t>(size));
    content_->sectors.erase(content_->sectors.lower_bound((size + kSectorBytes - 1) / kSectorBytes),
                            content_->sectors.end());
    files_.changes_.push_back(
        {.kind = MemoryFileSystem::Change::Kind::kResize, .file = content_->number, .offset = size});
    return {};
  }

  Result<std::uint64_t> size() override { return std::uint64_t{content_->bytes.size()}; }

  Result<std::uint64_t> find_data(std::uint64_t offset) override {
    const auto sector = content_->sectors.lower_bound(offset / kSectorBytes);
    if (sector == content_->sectors.end()) return std::uint64_t{content_->bytes.size()};
    return std::max(offset, *sector * kSectorBytes);
  }

  /// Not a change: what a crash keeps of unsynced bytes is anything, written back or not.
  Result<void> write_back(std::uint64_t offset, std::uint64_t bytes) override {
    if (const auto asked = files_.ask("write back", path_); !asked) return asked.error();
    files_.written_back.emplace_back(offset, bytes);
    return {};
  }

  Result<void> sync() override {
    if (const auto asked = files_.ask("sync", path_); !asked) return asked.error();
    files_.changes_.push_back({.kind = MemoryFileSystem::Change::Kind::kSync, .file = content_->number});
    return {};
  }

 private:
  MemoryFileSystem& files_;
  std::shared_ptr<MemoryFileSystem::Content> content_;
  std::string path_;
};

namespace {

class MemoryLock final : public FileLock {
 public:
  MemoryLock(std::set<std::string>& locked, std::string path) : locked_(locked), path_(std::move(path)) {
    locked_.insert(path_);
  }
  ~MemoryLock() override { locked_.erase(path_); }

 private:
  std::set<std::string>& locked_;
  std::string path_;
};

}  // namespace

MemoryFileSystem::MemoryFileSystem(const Image& image) : initial_(image) {
  for (const auto& [path, bytes] : image) {
    files_[path] = make_content(bytes);
    for (std::string folder = folder_of(path); !folder.empty(); folder = folder_of(folder))
      folders_.insert(folder);
  }
}

std::shared_ptr<MemoryFileSystem::Content> MemoryFileSystem::make_content(Bytes bytes) {
  auto content = std::make_shared<Content>();
  content->number = contents_made_++;
  for (std::uint64_t sector = 0; sector * kSectorBytes < bytes.size(); ++sector)
    content->sectors.insert(sector);
  content->bytes = std::move(bytes);
  return content;
}

Result<void> MemoryFileSystem::ask(std::string_view call, const std::string& path) const {
  if (!before) return {};
  return before(call, path);
}

std::size_t MemoryFileSystem::sectors_in_use() const {
  std::size_t sum = 0;
  for (const auto& [path, content] : files_) sum += content->sectors.size();
  return sum;
}

Result<std::unique_ptr<File>> MemoryFileSystem::open_to_read(const std::string& path) {
  if (const auto asked = ask("open", path); !asked) return asked.error();
  const auto found = files_.find(path);
  if (found == files_.end()) return Error{Errc::kNotFound, fmt::format("cannot open {}: not there", path)};
  return std::unique_ptr<File>(std::make_unique<MemoryFile>(*this, found->second, path));
}

Result<std::unique_ptr<File>> MemoryFileSystem::open_to_write(const std::string& path) {
  return open_to_read(path);
}

Result<std::unique_ptr<File>> MemoryFileSystem::create(const std::string& path) {
  if (const auto asked = ask("create", path); !asked) return asked.error();
  if (!folders_.contains(folder_of(path)))
    return Error{Errc::kNotFound, fmt::format("cannot create {}: no such folder", path)};
  if (const auto found = files_.find(path); found != files_.end()) {
    auto file = std::make_unique<MemoryFile>(*this, found->second, path);
    if (const auto emptied = file->set_size(0); !emptied) return emptied.error();
    return std::unique_ptr<File>(std::move(file));
  }
  auto content = make_content({});
  files_[path] = content;
  changes_.push_back({.kind = Change::Kind::kCreate, .file = content->number, .path = path});
  return std::unique_ptr<File>(std::make_unique<MemoryFile>(*this, content, path));
}

Result<void> MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  if (const auto asked = ask("rename", from); !asked) return asked.error();
  const auto found = files_.find(from);
  if (found == files_.end()) return Error{Errc::kNotFound, fmt::format("cannot rename {}: not there", from)};
  const auto content = found->second;
  files_.erase(found);
  files_[to] = content;
  changes_.push_back({.kind = Change::Kind::kRename, .file = content->number, .path = from, .to = to});
  return {};
}

Result<void> MemoryFileSystem::remove(const std::string& path) {
  if (const auto asked = ask("remove", path); !asked) return asked.error();
  if (files_.erase(path) == 0)
    return Error{Errc::kNotFound, fmt::format("cannot remove {}: not there", path)};
  changes_.push_back({.kind = Change::Kind::kRemove, .path = path});
  return {};
}

Result<bool> MemoryFileSystem::exists(const std::string& path) {
  return files_.contains(path) || folders_.contains(path);
}

Result<std::vector<DirectoryEntry>> MemoryFileSystem::list(const std::string& directory) {
  if (const auto asked = ask("list", directory); !asked) return asked.error();
  if (!folders_.contains(directory))
    return Error{Errc::kNotFound, fmt::format("cannot list {}: not there", directory)};
  std::vector<DirectoryEntry> entries;
  for (const auto& [path, content] : files_)
    if (folder_of(path) == directory)
      entries.push_back({path.substr(directory.size() + 1), content->bytes.size(), true});
  return entries;
}

Result<void> MemoryFileSystem::create_directories(const std::string& directory) {
  if (const auto asked = ask("mkdir", directory); !asked) return asked.error();
  for (std::string folder = directory; !folder.empty(); folder = folder_of(folder)) folders_.insert(folder);
  return {};
}

Result<bool> MemoryFileSystem::is_writable(const std::string& directory) {
  return !read_only_folders.contains(directory);
}

Result<void> MemoryFileSystem::sync_directory(const std::string& directory) {
  if (const auto asked = ask("sync folder", directory); !asked) return asked.error();
  changes_.push_back({.kind = Change::Kind::kSyncFolder, .path = directory});
  return {};
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::lock(const std::string& path) {
  if (locked_.contains(path))
    return Error{Errc::kNotAllowed, fmt::format("{} is held by another process", path)};
  return std::unique_ptr<FileLock>(std::make_unique<MemoryLock>(locked_, path));
}

Image MemoryFileSystem::image() const {
  Image image;
  for (const auto& [path, content] : files_) image[path] = content->bytes;
  return image;
}

Bytes& MemoryFileSystem::content(const std::string& path) {
  const auto found = files_.find(path);
  WK_CHECK(found != files_.end(), path);
  Content& content = *found->second;
  for (std::uint64_t sector = 0; sector * kSectorBytes < content.bytes.size() + kSectorBytes; ++sector)
    content.sectors.insert(sector);
  return content.bytes;
}

void MemoryFileSystem::mark(std::uint64_t value) {
  changes_.push_back({.kind = Change::Kind::kMark, .mark = value});
}

namespace {

using Change = MemoryFileSystem::Change;

/// What is durable after some changes, and what is not.
struct Disk {
  struct Content {
    Bytes durable{};
    std::vector<const Change*> unsynced{};
  };
  std::map<std::string, std::size_t> names{};  ///< durable
  std::vector<const Change*> renames{};        ///< changes of folders that are not synced
  std::map<std::size_t, Content> contents{};

  Disk(const Image& initial, const std::vector<Change>& changes, std::size_t count) {
    std::size_t number = 0;
    for (const auto& [path, bytes] : initial) {
      names[path] = number;
      contents[number++].durable = bytes;
    }
    for (std::size_t i = 0; i < count; ++i) apply(changes[i]);
  }

  /// Content after each unsynced change, the durable one first.
  static std::vector<Bytes> versions(const Content& content) {
    std::vector<Bytes> versions{content.durable};
    for (const Change* change : content.unsynced) {
      versions.push_back(versions.back());
      if (change->kind == Change::Kind::kWrite)
        apply_write(versions.back(), change->offset, change->bytes);
      else
        versions.back().resize(static_cast<std::size_t>(change->offset));
    }
    return versions;
  }

  static void apply_name(std::map<std::string, std::size_t>& to, const Change& change) {
    if (change.kind == Change::Kind::kCreate) to[change.path] = change.file;
    if (change.kind == Change::Kind::kRemove) to.erase(change.path);
    if (change.kind != Change::Kind::kRename) return;
    to.erase(change.path);
    to[change.to] = change.file;
  }

 private:
  void apply(const Change& change) {
    switch (change.kind) {
      case Change::Kind::kWrite:
      case Change::Kind::kResize:
        contents[change.file].unsynced.push_back(&change);
        break;
      case Change::Kind::kSync: {
        Content& content = contents[change.file];
        content.durable = versions(content).back();
        content.unsynced.clear();
        break;
      }
      case Change::Kind::kCreate:
      case Change::Kind::kRename:
      case Change::Kind::kRemove:
        renames.push_back(&change);
        break;
      case Change::Kind::kSyncFolder: {
        const auto kept = std::stable_partition(renames.begin(), renames.end(), [&](const Change* one) {
          return folder_of(one->path) != change.path;
        });
        std::for_each(kept, renames.end(), [this](const Change* one) { apply_name(names, *one); });
        renames.erase(kept, renames.end());
        break;
      }
      case Change::Kind::kMark:
        break;
    }
  }
};

/// Sectors in which two versions differ, as (file, sector).
std::vector<std::pair<std::size_t, std::size_t>> changed_sectors(const Disk& disk) {
  std::vector<std::pair<std::size_t, std::size_t>> changed;
  for (const auto& [number, content] : disk.contents) {
    if (content.unsynced.empty()) continue;
    std::set<std::size_t> sectors;
    for (const Change* change : content.unsynced)
      if (change->kind == Change::Kind::kWrite)
        for (std::size_t at = change->offset / kSectorBytes;
             at * kSectorBytes < change->offset + change->bytes.size(); ++at)
          sectors.insert(at);
    for (const std::size_t sector : sectors) changed.emplace_back(number, sector);
  }
  return changed;
}

void copy_sector(const Bytes& from, Bytes& to, std::size_t sector) {
  for (std::size_t i = sector * kSectorBytes; i < std::min((sector + 1) * kSectorBytes, to.size()); ++i)
    to[i] = i < from.size() ? from[i] : std::byte{0};
}

Bytes crashed_content(const Disk::Content& content, std::size_t number, const CrashChoice& choice,
                      const std::vector<std::pair<std::size_t, std::size_t>>& sectors, std::mt19937& random) {
  const auto versions = Disk::versions(content);
  const Bytes& newest = versions.back();
  switch (choice.kind) {
    case CrashChoice::Kind::kNothing:
      return versions.front();
    case CrashChoice::Kind::kEverything:
      return newest;
    case CrashChoice::Kind::kPrefix:
      return versions[std::min(choice.index, versions.size() - 1)];
    case CrashChoice::Kind::kLostSector: {
      Bytes bytes = newest;
      if (sectors[choice.index].first == number)
        copy_sector(versions.front(), bytes, sectors[choice.index].second);
      return bytes;
    }
    case CrashChoice::Kind::kKeptSector: {
      Bytes bytes = versions.front();
      bytes.resize(newest.size());
      if (sectors[choice.index].first == number) copy_sector(newest, bytes, sectors[choice.index].second);
      return bytes;
    }
    case CrashChoice::Kind::kTornWrite: {
      if (content.unsynced.empty() || content.unsynced.back()->kind != Change::Kind::kWrite) return newest;
      Bytes bytes = versions[versions.size() - 2];
      const Change& last = *content.unsynced.back();
      apply_write(bytes, last.offset, std::span(last.bytes).first(std::min(choice.index, last.bytes.size())));
      return bytes;
    }
    case CrashChoice::Kind::kRandom: {
      const auto any = [&](std::size_t limit) {
        return std::uniform_int_distribution<std::size_t>(0, limit)(random);
      };
      Bytes bytes = newest;
      bytes.resize(versions[any(versions.size() - 1)].size());
      for (std::size_t sector = 0; sector * kSectorBytes < bytes.size(); ++sector)
        copy_sector(versions[any(versions.size() - 1)], bytes, sector);
      return bytes;
    }
  }
  return newest;
}

}  // namespace

Image crash_image(const Image& initial, const std::vector<Change>& changes, std::size_t count,
                  const CrashChoice& choice) {
  const Disk disk(initial, changes, count);
  std::mt19937 random(static_cast<std::mt19937::result_type>(choice.index));
  auto names = disk.names;
  for (std::size_t i = 0; i < disk.renames.size(); ++i) {
    bool keep = choice.folders;
    if (choice.kind == CrashChoice::Kind::kNothing) keep = false;
    if (choice.kind == CrashChoice::Kind::kPrefix) keep = i < choice.index;
    if (choice.kind == CrashChoice::Kind::kRandom) keep = random() % 2 == 0;
    if (keep) Disk::apply_name(names, *disk.renames[i]);
  }
  const auto sectors = changed_sectors(disk);
  Image image;
  std::map<std::size_t, Bytes> done;
  for (const auto& [path, number] : names) {
    const auto content = disk.contents.find(number);
    if (content == disk.contents.end()) {
      image[path] = {};
      continue;
    }
    image[path] = crashed_content(content->second, number, choice, sectors, random);
  }
  return image;
}

std::vector<CrashChoice> crash_choices(const Image& initial, const std::vector<Change>& changes,
                                       std::size_t count) {
  const Disk disk(initial, changes, count);
  std::size_t versions = disk.renames.size();
  std::set<std::size_t> torn;
  for (const auto& [number, content] : disk.contents) {
    versions = std::max(versions, content.unsynced.size());
    if (content.unsynced.empty() || content.unsynced.back()->kind != Change::Kind::kWrite) continue;
    const std::size_t bytes = content.unsynced.back()->bytes.size();
    const std::size_t step = std::max<std::size_t>(1, bytes / 64);
    for (std::size_t at = 1; at < bytes; at += step) torn.insert(at);
    torn.insert(bytes - 1);
  }
  std::vector<CrashChoice> choices{{CrashChoice::Kind::kNothing}, {CrashChoice::Kind::kEverything}};
  for (std::size_t i = 1; i < versions; ++i) choices.push_back({CrashChoice::Kind::kPrefix, i});
  const std::size_t sectors = changed_sectors(disk).size();
  for (const bool folders : {true, false}) {
    if (!folders && disk.renames.empty()) break;
    for (std::size_t i = 0; i < sectors; ++i) {
      choices.push_back({CrashChoice::Kind::kLostSector, i, folders});
      choices.push_back({CrashChoice::Kind::kKeptSector, i, folders});
    }
    for (const std::size_t bytes : torn) choices.push_back({CrashChoice::Kind::kTornWrite, bytes, folders});
  }
  return choices;
}

}  // namespace wk::storage
