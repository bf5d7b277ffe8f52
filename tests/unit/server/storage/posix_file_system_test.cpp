#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>

#include "server/storage/data_directories.h"
#include "server/storage/file_system.h"
#include "server/storage/transaction_log.h"
#include "tests/unit/server/storage/log_fixture.h"
#include "tests/unit/server/storage/snapshot_fixture.h"

namespace {

/// What the two calls below answer, and how often they were made.
int sync_error = 0;
int file_syncs = 0;
int folder_syncs = 0;

}  // namespace

// They stand in for the C library's in this program: a sync that is left out changes nothing else that a test
// could see.
extern "C" int fdatasync(int descriptor) {
  ++file_syncs;
  errno = sync_error;
  return sync_error != 0 ? -1 : static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}

extern "C" int fsync(int descriptor) {
  ++folder_syncs;
  errno = sync_error;
  return sync_error != 0 ? -1 : static_cast<int>(::syscall(SYS_fsync, descriptor));
}

namespace wk::storage {
namespace {

using testing::HasSubstr;

class PosixFileSystemTest : public testing::Test {
 protected:
  PosixFileSystemTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wk-storage-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~PosixFileSystemTest() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

  FileSystem& files_ = posix_file_system();
  std::string folder_;
};

TEST_F(PosixFileSystemTest, WritesReadsCutsAndExtends) {
  auto file = files_.create(path("a"));
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_TRUE((*file)->write_at(3, bytes_of("hello")));
  ASSERT_TRUE((*file)->sync());
  EXPECT_EQ(*(*file)->size(), 8u);
  Bytes read(16);
  EXPECT_EQ(*(*file)->read_at(0, read), 8u);
  EXPECT_EQ(Bytes(read.begin(), read.begin() + 8), from_hex("000000 68656c6c6f"));
  EXPECT_EQ(*(*file)->read_at(8, read), 0u);
  ASSERT_TRUE((*file)->set_size(5));
  ASSERT_TRUE((*file)->set_size(7));
  EXPECT_EQ(*(*file)->read_at(3, read), 4u);
  EXPECT_EQ(Bytes(read.begin(), read.begin() + 4), from_hex("68650000"));
  EXPECT_EQ(*(*files_.create(path("a")))->size(), 0u) << "created anew: empty";
}

TEST_F(PosixFileSystemTest, SyncsAreTheKernels) {
  auto file = files_.create(path("a"));
  ASSERT_TRUE(file);
  file_syncs = folder_syncs = 0;
  ASSERT_TRUE((*file)->sync());
  EXPECT_EQ(file_syncs, 1);
  ASSERT_TRUE(files_.sync_directory(folder_));
  EXPECT_EQ(folder_syncs, 1);
  sync_error = EIO;
  const auto file_failed = (*file)->sync();
  const auto folder_failed = files_.sync_directory(folder_);
  sync_error = 0;
  ASSERT_FALSE(file_failed);
  EXPECT_EQ(file_failed.error().message, "cannot sync " + path("a") + ": Input/output error");
  ASSERT_FALSE(folder_failed);
  EXPECT_EQ(folder_failed.error().message, "cannot sync the folder " + folder_ + ": Input/output error");
}

// The kernel may take a part of a write; the rest, or why it cannot be had, must not be forgotten.
TEST_F(PosixFileSystemTest, WriteOfWhichThereIsRoomForAPartFails) {
  auto file = files_.create(path("a"));
  ASSERT_TRUE(file);
  ::rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const ::rlimit small{1000, limit.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto written = (*file)->write_at(0, Bytes(2000));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "cannot write " + path("a") + ": File too large");
  EXPECT_EQ(*(*file)->size(), 1000u);
}

TEST_F(PosixFileSystemTest, WriteBackIsDoneOrLeftToSync) {
  auto file = files_.create(path("a"));
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->write_at(0, Bytes(100'000)));
  EXPECT_TRUE((*file)->write_back(0, 65'536));
  EXPECT_TRUE((*file)->write_back(65'536, 65'536)) << "beyond the end";
  EXPECT_TRUE((*file)->sync());
  auto nothing = files_.open_to_write("/dev/null");
  ASSERT_TRUE(nothing);
  EXPECT_TRUE((*nothing)->write_back(0, 65'536)) << "has nothing to write back";
}

TEST_F(PosixFileSystemTest, FindDataSkipsHolesOrAnswersWhereItWasAsked) {
  auto file = files_.create(path("sparse"));
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->set_size(std::uint64_t{64} << 20));
  ASSERT_TRUE((*file)->write_at(std::uint64_t{32} << 20, bytes_of("x")));
  const auto first = (*file)->find_data(0);
  ASSERT_TRUE(first);
  EXPECT_LE(*first, std::uint64_t{32} << 20);
  const auto beyond = (*file)->find_data((std::uint64_t{33} << 20));
  ASSERT_TRUE(beyond);
  EXPECT_GE(*beyond, std::uint64_t{33} << 20);
  EXPECT_EQ(*(*file)->find_data(std::uint64_t{64} << 20), std::uint64_t{64} << 20);
}

TEST_F(PosixFileSystemTest, FoldersAreCreatedListedAndSynced) {
  ASSERT_TRUE(files_.create_directories(path("one/two")));
  ASSERT_TRUE(files_.create_directories(path("one/two"))) << "again";
  ASSERT_TRUE(files_.create(path("one/file")));
  ASSERT_TRUE(files_.rename(path("one/file"), path("one/b")));
  ASSERT_TRUE(files_.sync_directory(path("one")));
  const auto entries = files_.list(path("one"));
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[0].name, "b");
  EXPECT_TRUE((*entries)[0].plain_file);
  EXPECT_EQ((*entries)[1].name, "two");
  EXPECT_FALSE((*entries)[1].plain_file);
  ASSERT_TRUE(files_.remove(path("one/b")));
  EXPECT_FALSE(*files_.exists(path("one/b")));
  EXPECT_TRUE(*files_.exists(path("one")));
  EXPECT_TRUE(*files_.is_writable(path("one")));
  ASSERT_TRUE(files_.create(path("plain")));
  EXPECT_FALSE(files_.create_directories(path("plain/below")));
}

TEST_F(PosixFileSystemTest, FaultsNamePathAndReason) {
  const auto missing = files_.open_to_read(path("none"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::kNotFound);
  EXPECT_EQ(missing.error().message, "cannot open " + path("none") + ": No such file or directory");
  EXPECT_EQ(files_.open_to_write(path("none")).error().code, Errc::kNotFound);
  EXPECT_EQ(files_.list(path("none")).error().code, Errc::kNotFound);
  EXPECT_EQ(files_.remove(path("none")).error().code, Errc::kNotFound);
  EXPECT_EQ(files_.create(path("no/such/folder")).error().code, Errc::kNotFound);
}

// /dev/full answers every write with ENOSPC.
TEST_F(PosixFileSystemTest, FullDeviceIsToldApart) {
  auto full = files_.open_to_write("/dev/full");
  ASSERT_TRUE(full);
  const auto refused = (*full)->write_at(0, bytes_of("x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kNoSpace);
  EXPECT_EQ(refused.error().message,
            "cannot write /dev/full: No space left on device; free space on that disk");
}

TEST_F(PosixFileSystemTest, WantOfDescriptorsIsToldApart) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer probes memory through a pipe, and takes an object for a wrong one without";
#endif
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int lowest_free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(lowest_free);
  const rlimit none{static_cast<rlim_t>(lowest_free), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto created = files_.create(path("log.1"));
  const auto synced = files_.sync_directory(path("."));
  const auto listed = files_.list(path("."));
  ::setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, Errc::kNoSpace);
  EXPECT_EQ(created.error().message,
            "cannot create " + path("log.1") +
                ": Too many open files; raise the limit of open files (LimitNOFILE, ulimit -n)");
  ASSERT_FALSE(synced);
  EXPECT_EQ(synced.error().code, Errc::kNoSpace);
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, Errc::kNoSpace);
}

TEST_F(PosixFileSystemTest, LockKeepsOthersOutAndNamesTheHolder) {
  {
    const auto lock = files_.lock(path("lock"));
    ASSERT_TRUE(lock);
    const auto second = files_.lock(path("lock"));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::kNotAllowed);
    EXPECT_THAT(second.error().message,
                HasSubstr("is held by another process (pid " + std::to_string(::getpid()) + ")"));
  }
  EXPECT_TRUE(files_.lock(path("lock")));
}

TEST_F(PosixFileSystemTest, LogAndSnapshotsOnARealDisk) {
  const auto directories = DataDirectories::open(files_, {.data_dir = path("data")});
  ASSERT_TRUE(directories) << directories.error().message;
  TransactionLog log(files_, directories->logs(), Zxid{0}, {});
  for (std::uint64_t zxid = 1; zxid <= 100; ++zxid) ASSERT_TRUE(log.append(Zxid{zxid}, payload(zxid)));
  ASSERT_TRUE(log.roll());
  ASSERT_TRUE(log.append(Zxid{101}, payload(101)));
  ASSERT_TRUE(log.sync());
  EXPECT_EQ(std::filesystem::file_size(directories->logs() + "/log.1"), 67'108'880u);
  const ReadLog read = read_log(files_, 1, {}, directories->logs());
  ASSERT_FALSE(read.error) << read.error->message;
  EXPECT_EQ(read.zxids, range(1, 101));
  EXPECT_EQ(read.payloads[100], payload(101));
  const OwnedSnapshot tree = rich_tree(3000);
  for (const Compression compression : {Compression::kNone, Compression::kGzip, Compression::kSnappy}) {
    ASSERT_TRUE(
        write_snapshot(files_, directories->snapshots(), Zxid{7}, compression, encode(tree, kDefaultTail)));
    Collector collector;
    const auto newest = read_newest_snapshot(files_, directories->snapshots(), collector);
    ASSERT_TRUE(newest);
    EXPECT_EQ(collector.read, tree);
    ASSERT_TRUE(files_.remove(directories->snapshots() + "/" + newest->content->name.name));
  }
}

}  // namespace
}  // namespace wk::storage
