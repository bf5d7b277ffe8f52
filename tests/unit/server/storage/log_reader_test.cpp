#include "server/storage/log_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/server/storage/log_fixture.h"

namespace wk::storage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t kPayload = 60;
constexpr std::size_t kRecord = kRecordOverheadBytes + kPayload;
constexpr std::size_t kPadded = 4096;

/// Offset of record number `index` (from 0) of a file with records of one size.
constexpr std::size_t record_at(std::size_t index) { return kLogHeaderBytes + index * kRecord; }

Image one_log(const std::function<void(Bytes&)>& damage = [](Bytes&) {}) {
  Bytes file = log_file(payloads(1, 10, kPayload), kPadded);
  damage(file);
  return {{kFolder + "/log.1", file}};
}

using Kind = MemoryFileSystem::Change::Kind;

std::vector<Kind> changes_of(const MemoryFileSystem& files) {
  std::vector<Kind> kinds;
  for (const auto& change : files.changes()) kinds.push_back(change.kind);
  return kinds;
}

/// Reads, mends, and reads again: the second time there is nothing left to say.
ReadLog read_mend_read(const Image& image) {
  MemoryFileSystem files(image);
  const ReadLog first = read_log(files);
  if (first.error) return first;
  const auto mended = mend_log(files, kFolder, first.end);
  EXPECT_TRUE(mended) << (mended ? "" : mended.error().message);
  const ReadLog second = read_log(files);
  EXPECT_EQ(second.zxids, first.zxids);
  EXPECT_EQ(second.end.mend, LogEnd::Mend::kNothing);
  return first;
}

// The damage matrix of Apache ZooKeeper 3.9.5: standalone, snapshot.0 and one log with ten records.
struct MatrixRow {
  const char* name;
  std::function<void(Bytes&)> damage;
  std::optional<std::uint64_t> last;  ///< nullopt: refused
  const char* says;                   ///< part of the error or of the only finding; "" for none
};

class DamageMatrix : public testing::TestWithParam<MatrixRow> {};

TEST_P(DamageMatrix, DecidesAsApacheOrRefusesWhereItDropsSilently) {
  const MatrixRow& row = GetParam();
  const ReadLog read = read_mend_read(one_log(row.damage));
  if (!row.last) {
    ASSERT_TRUE(read.error) << "read " << read.zxids.size();
    EXPECT_THAT(read.error->message, HasSubstr(row.says));
    EXPECT_THAT(read.error->message, HasSubstr("/data/version-2/log.1 at byte "));
    return;
  }
  ASSERT_FALSE(read.error) << read.error->message;
  EXPECT_EQ(read.zxids, range(1, *row.last));
  if (std::string_view(row.says).empty())
    EXPECT_TRUE(read.end.findings.empty()) << read.end.findings.front();
  else
    EXPECT_THAT(read.end.findings, ElementsAre(HasSubstr(row.says)));
}

void put_length(Bytes& file, std::size_t index, std::uint32_t length) {
  store_big_endian(file.data() + record_at(index) + 8, length);
}

INSTANTIATE_TEST_SUITE_P(
    Log, DamageMatrix,
    testing::Values(
        MatrixRow{"intact", [](Bytes&) {}, 10, ""},
        MatrixRow{"unpadded", [](Bytes& file) { file.resize(record_at(10)); }, 10, ""},
        MatrixRow{
            "cut_in_the_last_record", [](Bytes& file) { file.resize(record_at(9) + 40); }, 9,
            "ends before it is complete, left by a crash; 40 bytes that were never acknowledged are cut off"},
        MatrixRow{"last_record_half_written",
                  [](Bytes& file) { std::fill(file.begin() + record_at(9) + 40, file.end(), std::byte{0}); },
                  9, "log.1 at byte 673: the record ends before it is complete"},
        MatrixRow{"last_end_byte_zero", [](Bytes& file) { file[record_at(10) - 1] = std::byte{0}; }, 10,
                  "but transaction 0xa is whole by its checksum; kept"},
        MatrixRow{
            "middle_end_byte_zero", [](Bytes& file) { file[record_at(5) - 1] = std::byte{0}; }, std::nullopt,
            "at byte 308: the byte that ends the record is wrong; transaction 0x6 follows whole at byte 381. "
            "Last good transaction: 0x4."},
        MatrixRow{"hole_of_a_whole_record",
                  [](Bytes& file) { std::fill_n(file.begin() + record_at(4), kRecord, std::byte{0}); },
                  std::nullopt,
                  "at byte 308: there is a hole in the file; transaction 0x6 follows whole at byte 381"},
        MatrixRow{"length_zero_in_the_middle", [](Bytes& file) { put_length(file, 4, 0); }, std::nullopt,
                  "the length of the record is damaged, its bytes are there"},
        MatrixRow{
            "last_payload_byte", [](Bytes& file) { file[record_at(9) + 30] ^= std::byte{1}; }, std::nullopt,
            "at byte 673: the checksum of the record does not match its bytes (one byte is wrong). Last good "
            "transaction: 0x9."},
        MatrixRow{"middle_payload_byte", [](Bytes& file) { file[record_at(4) + 30] ^= std::byte{0x80}; },
                  std::nullopt, "one byte is wrong); transaction 0x6 follows whole at byte 381"},
        MatrixRow{"many_payload_bytes",
                  [](Bytes& file) { std::fill_n(file.begin() + record_at(9) + 30, 9, std::byte{0x11}); },
                  std::nullopt, "the checksum of the record does not match its bytes. Last"},
        MatrixRow{"length_2_31", [](Bytes& file) { put_length(file, 4, 0x7fffffff); }, std::nullopt,
                  "the length of the record"},
        MatrixRow{"length_beyond_the_limit_and_all_else_gone",
                  [](Bytes& file) {
                    std::fill(file.begin() + record_at(9), file.end(), std::byte{0});
                    put_length(file, 9, 3'000'000);
                  },
                  std::nullopt,
                  "3000000 bytes, is above the limit of 2097150; if the server that wrote it had a"},
        MatrixRow{"length_minus_2",
                  [](Bytes& file) {
                    std::fill(file.begin() + record_at(9), file.end(), std::byte{0});
                    put_length(file, 9, 0xfffffffe);
                  },
                  std::nullopt, "the length of the record is -2"},
        MatrixRow{"length_minus_1", [](Bytes& file) { put_length(file, 9, 0xffffffff); }, std::nullopt,
                  "the length of the record is damaged"},
        MatrixRow{"length_past_the_file", [](Bytes& file) { put_length(file, 9, 1'000'000); }, std::nullopt,
                  "the length of the record is damaged, its bytes are there"},
        MatrixRow{"garbage_past_the_file_behind_the_last",
                  [](Bytes& file) { put_length(file, 10, 1'000'000); }, 10,
                  "the record ends before it is complete, left by a crash"},
        MatrixRow{"garbage_in_the_padding", [](Bytes& file) { file[800] = std::byte{7}; }, 10,
                  "at byte 746: bytes follow that are no transactions (55 bytes); passed over"},
        MatrixRow{"garbage_far_in_the_padding", [](Bytes& file) { file[3000] = std::byte{7}; }, 10,
                  "a sector of the record was never written, left by a crash; 2255 bytes"},
        MatrixRow{"record_without_a_transaction_header",
                  [](Bytes& file) {
                    file.resize(record_at(10));
                    append_log_record(file, Bytes(20, std::byte{1}));
                  },
                  std::nullopt, "the record is too short for a transaction"},
        MatrixRow{"wrong_magic", [](Bytes& file) { file[0] = std::byte{'X'}; }, std::nullopt,
                  "at byte 0: it begins with 0x584b4c47, which is not a transaction log"},
        MatrixRow{"version_3", [](Bytes& file) { file[7] = std::byte{3}; }, 10,
                  "format version 3 instead of 2; read all the same"},
        MatrixRow{"dbid", [](Bytes& file) { file[15] = std::byte{9}; }, 10, ""},
        MatrixRow{"header_only", [](Bytes& file) { file.resize(kLogHeaderBytes); }, 0, ""},
        MatrixRow{"gap",
                  [](Bytes& file) {
                    auto all = payloads(1, 10, kPayload);
                    all.erase(all.begin() + 4);
                    file = log_file(all);
                  },
                  std::nullopt, "at byte 308: transaction 0x6 follows 0x4; those in between are missing"},
        MatrixRow{"swapped",
                  [](Bytes& file) {
                    auto all = payloads(1, 10, kPayload);
                    std::swap(all[4], all[5]);
                    file = log_file(all);
                  },
                  std::nullopt, "transaction 0x6 follows 0x4; those in between are missing"},
        MatrixRow{"repeated",
                  [](Bytes& file) {
                    auto all = payloads(1, 10, kPayload);
                    all.insert(all.begin() + 5, all[4]);
                    file = log_file(all);
                  },
                  10, "at byte 381: transaction 0x5 stands again behind 0x5; passed over"}),
    [](const testing::TestParamInfo<MatrixRow>& row) { return row.param.name; });

TEST(LogReader, LastFileWithoutAWholeHeaderIsRemoved) {
  for (const Bytes& empty : {Bytes{}, Bytes(10), log_file({}), Bytes(4096)}) {
    const bool header = empty.size() == kLogHeaderBytes;
    for (const bool alone : {true, false}) {
      Image image{{kFolder + "/log.b", header ? Bytes(empty.begin(), empty.begin() + 10) : empty}};
      if (!alone) image[kFolder + "/log.1"] = log_file(payloads(1, 10), 4096);
      MemoryFileSystem files(image);
      const ReadLog read = read_log(files);
      ASSERT_FALSE(read.error) << read.error->message;
      EXPECT_EQ(read.zxids, alone ? range(1, 0) : range(1, 10));
      EXPECT_THAT(read.end.findings,
                  ElementsAre(HasSubstr("bytes without a header, left by a crash; removed")));
      ASSERT_TRUE(mend_log(files, kFolder, read.end));
      EXPECT_FALSE(files.image().contains(kFolder + "/log.b"));
    }
  }
}

TEST(LogReader, EmptyFileInTheMiddleIsRefused) {
  MemoryFileSystem files(Image{{kFolder + "/log.1", log_file(payloads(1, 3))},
                               {kFolder + "/log.4", Bytes{}},
                               {kFolder + "/log.5", log_file(payloads(5, 6))}});
  const ReadLog read = read_log(files);
  ASSERT_TRUE(read.error);
  EXPECT_THAT(read.error->message,
              HasSubstr("log.4 at byte 0: the file is empty, yet others follow. Last good "
                        "transaction: 0x3. 0 bytes and 1 later log file would be given up"));
}

TEST(LogReader, HeaderOfZerosBeforeRecordsIsRefused) {
  Bytes file = log_file(payloads(1, 3));
  std::fill_n(file.begin(), kLogHeaderBytes, std::byte{0});
  MemoryFileSystem files(Image{{kFolder + "/log.1", file}});
  const ReadLog read = read_log(files);
  ASSERT_TRUE(read.error);
  EXPECT_THAT(read.error->message, HasSubstr("log.1 at byte 0: the header is missing"));
}

TEST(LogReader, LookAlikesAreNotReplayed) {
  Image image = one_log();
  image[kFolder + "/log.1.bak"] = image[kFolder + "/log.1"];
  MemoryFileSystem files(image);
  EXPECT_EQ(read_log(files).zxids, range(1, 10));
}

TEST(LogReader, ReadsFromTheNewestFileBelowTheWantedTransaction) {
  MemoryFileSystem files(Image{{kFolder + "/log.1", Bytes{}},  // not even looked at
                               {kFolder + "/log.4", log_file(payloads(4, 6))},
                               {kFolder + "/log.7", log_file(payloads(7, 9))}});
  const ReadLog read = read_log(files, 6);
  ASSERT_FALSE(read.error) << read.error->message;
  EXPECT_EQ(read.zxids, range(6, 9));
  EXPECT_EQ(read.end.skipped, 2u);
  EXPECT_EQ(read.end.first, Zxid{6});
  EXPECT_EQ(read.end.last, Zxid{9});
  EXPECT_EQ(read.payloads[0], payload(6));
  EXPECT_EQ(read_log(files, 7).end.skipped, 3u) << "log.4 may end with the transactions before";
  EXPECT_TRUE(read_log(files, 10).zxids.empty());
}

TEST(LogReader, MissingFileBeforeTheLogIsToldWhereNothingIsKnownOfBefore) {
  MemoryFileSystem files(Image{{kFolder + "/log.7", log_file(payloads(7, 9))}});
  const ReadLog read = read_log(files, 5);
  EXPECT_EQ(read.zxids, range(7, 9));
  EXPECT_THAT(read.end.findings,
              ElementsAre(HasSubstr("the first transaction is 0x7, and nothing tells of those before it")));
}

TEST(LogReader, MissingFileBetweenSnapshotAndLogIsRefused) {
  for (const std::uint64_t from : {1u, 5u}) {
    const Bytes file = log_file(payloads(7, 9));
    MemoryFileSystem files(
        Image{{kFolder + "/log.7", file}, {kFolder + "/log.a", log_file(payloads(10, 11))}});
    const ReadLog refused = read_log(files, from, {.continues_state = true});
    ASSERT_TRUE(refused.error);
    EXPECT_TRUE(refused.zxids.empty());
    EXPECT_THAT(refused.error->message, HasSubstr("log.7 at byte 16: it goes on with transaction 0x7"));
    EXPECT_THAT(
        refused.error->message,
        HasSubstr(from == 1 ? "ends with 0x0: transactions 0x1 to 0x6 are missing, and the log file"
                            : "ends with 0x4: transactions 0x5 to 0x6 are missing, and the log file"));
    EXPECT_THAT(refused.error->message, HasSubstr("start once with --accept-loss"));
    const ReadLog accepted = read_log(files, from, {.accept_loss = true, .continues_state = true});
    ASSERT_FALSE(accepted.error) << accepted.error->message;
    EXPECT_TRUE(accepted.zxids.empty());
    EXPECT_THAT(accepted.end.loss, HasSubstr(from == 1 ? "Last transaction: none" : "Last transaction: 0x4"));
    ASSERT_TRUE(mend_log(files, kFolder, accepted.end));
    EXPECT_EQ(files.image(), (Image{{kFolder + "/lost.log.7", file},
                                    {kFolder + "/lost.log.a", log_file(payloads(10, 11))}}));
  }
}

constexpr std::uint64_t kEpoch2 = std::uint64_t{2} << 32;

TEST(LogReader, ALogThatGoesOnFromTheSnapshotIsTakenWithoutAWord) {
  const Bytes old = log_file(payloads(1, 4));
  const std::vector<std::pair<Image, std::vector<std::uint64_t>>> folders{
      {{}, {}},
      {{{kFolder + "/log.1", old}}, {}},  // of before the snapshot, which a leader sent
      {{{kFolder + "/log.1", old}, {kFolder + "/log.9", log_file(payloads(9, 10))}}, {9, 10}},
      {{{kFolder + "/log.4", log_file(payloads(4, 10))}}, {9, 10}},
      {{{kFolder + "/log.8", log_file(payloads(8, 8))},
        {kFolder + "/log.200000001", log_file(payloads(kEpoch2 + 1, kEpoch2 + 2))}},
       {kEpoch2 + 1, kEpoch2 + 2}},
      {{{kFolder + "/log.200000000", log_file(payloads(kEpoch2, kEpoch2 + 1))}}, {kEpoch2, kEpoch2 + 1}},
  };
  for (const auto& [image, zxids] : folders) {
    MemoryFileSystem files(image);
    ASSERT_TRUE(files.create_directories(kFolder));
    const ReadLog read =
        read_log(files, 9, {.continues_state = true, .unreadable_snapshots = {Zxid{0xa}, Zxid{kEpoch2 + 1}}});
    ASSERT_FALSE(read.error) << read.error->message;
    EXPECT_EQ(read.zxids, zxids);
    EXPECT_TRUE(read.end.findings.empty()) << read.end.findings.front();
  }
}

// A later epoch may have come as a snapshot. Only one that is there and cannot be read proves it.
TEST(LogReader, EpochThatDoesNotBeginWithItsFirstIsRefusedWhereASnapshotOfItIsDamaged) {
  const Image behind_a_record{{kFolder + "/log.8", log_file(payloads(8, 9))},
                              {kFolder + "/log.200000005", log_file(payloads(kEpoch2 + 5, kEpoch2 + 6))}};
  const Image behind_the_snapshot{{kFolder + "/log.200000005", log_file(payloads(kEpoch2 + 5, kEpoch2 + 6))}};
  for (const Image& image : {behind_a_record, behind_the_snapshot}) {
    MemoryFileSystem files(image);
    for (const std::uint64_t snapshot : {kEpoch2, kEpoch2 + 5, std::uint64_t{8}}) {
      const ReadLog read =
          read_log(files, 9, {.continues_state = true, .unreadable_snapshots = {Zxid{snapshot}}});
      ASSERT_FALSE(read.error) << read.error->message;
      EXPECT_EQ(read.end.last, Zxid{kEpoch2 + 6});
      EXPECT_THAT(read.end.findings,
                  ElementsAre(HasSubstr("though its epoch begins with 0x200000001; those in "
                                        "between may be missing")));
    }
    const ReadLog refused =
        read_log(files, 9, {.continues_state = true, .unreadable_snapshots = {Zxid{kEpoch2 + 4}}});
    ASSERT_TRUE(refused.error);
    EXPECT_THAT(refused.error->message,
                HasSubstr("log.200000005 at byte 16: transaction 0x200000005 follows 0x"));
    EXPECT_THAT(refused.error->message, HasSubstr("those in between are missing"));
  }
}

TEST(LogReader, MissingFileInTheMiddleIsRefused) {
  MemoryFileSystem files(
      Image{{kFolder + "/log.1", log_file(payloads(1, 3))}, {kFolder + "/log.7", log_file(payloads(7, 9))}});
  const ReadLog read = read_log(files);
  ASSERT_TRUE(read.error);
  EXPECT_THAT(read.error->message, HasSubstr("log.7 at byte 16: transaction 0x7 follows 0x3"));
}

TEST(LogReader, TornTailThatAnEarlierStartLeftBehindIsPassedOver) {
  Bytes torn = log_file(payloads(1, 10), kPadded);
  std::fill(torn.begin() + record_at(9) + 40, torn.end(), std::byte{0});
  MemoryFileSystem files(Image{{kFolder + "/log.1", torn}, {kFolder + "/log.a", log_file(payloads(10, 12))}});
  const ReadLog read = read_log(files);
  ASSERT_FALSE(read.error) << read.error->message;
  EXPECT_EQ(read.zxids, range(1, 12));
  EXPECT_THAT(read.end.findings, ElementsAre(HasSubstr("are passed over")));
  EXPECT_EQ(read.end.mend, LogEnd::Mend::kNothing);
}

TEST(LogReader, HoleThatAnEarlierStartOfApacheWentOnFromIsPassedOver) {
  Bytes file = log_file(payloads(1, 10, kPayload), kPadded);
  std::fill_n(file.begin() + record_at(7), kRecord, std::byte{0});
  MemoryFileSystem files(Image{{kFolder + "/log.1", file}, {kFolder + "/log.8", log_file(payloads(8, 9))}});
  const ReadLog read = read_log(files);
  ASSERT_FALSE(read.error) << read.error->message;
  EXPECT_EQ(read.zxids, range(1, 9));
  EXPECT_THAT(read.end.findings,
              ElementsAre(HasSubstr("passed over since log.8 takes the log up from there")));
}

// The next file does not begin where the hole is: what lies between is lost, even if all that was read was
// below the wanted transaction, so that no gap shows.
TEST(LogReader, HoleThatNoLaterFileTakesUpIsRefused) {
  Bytes file = log_file(payloads(1, 6, kPayload), kPadded);
  std::fill_n(file.begin() + record_at(2), kRecord, std::byte{0});
  MemoryFileSystem files(Image{{kFolder + "/log.1", file}, {kFolder + "/log.7", log_file(payloads(7, 8))}});
  for (const std::uint64_t from : {1u, 5u}) {
    const ReadLog read = read_log(files, from);
    ASSERT_TRUE(read.error) << from;
    EXPECT_THAT(read.error->message, HasSubstr("log.1 at byte 162: there is a hole in the file"));
  }
}

TEST(LogReader, RecordWithoutEndMarkInAnEarlierFileCountsUnlessItWasReplaced) {
  Bytes file = log_file(payloads(1, 4));
  file.back() = std::byte{0};
  file.resize(kPadded);
  MemoryFileSystem replaced(
      Image{{kFolder + "/log.1", file}, {kFolder + "/log.4", log_file(payloads(4, 6, 80))}});
  const ReadLog with_replacement = read_log(replaced);
  ASSERT_FALSE(with_replacement.error) << with_replacement.error->message;
  EXPECT_EQ(with_replacement.zxids, range(1, 6));
  EXPECT_EQ(with_replacement.payloads[3], payload(4, 80));
  MemoryFileSystem followed(
      Image{{kFolder + "/log.1", file}, {kFolder + "/log.5", log_file(payloads(5, 6))}});
  EXPECT_EQ(read_log(followed).zxids, range(1, 6));
}

TEST(LogReader, EndMarkIsRestoredOnDisk) {
  Bytes file = log_file(payloads(1, 4), kPadded);
  const Bytes intact = file;
  file[record_at(4) - 1] = std::byte{0x55};
  MemoryFileSystem files(Image{{kFolder + "/log.1", file}});
  const ReadLog read = read_log(files);
  EXPECT_EQ(read.zxids, range(1, 4));
  ASSERT_TRUE(mend_log(files, kFolder, read.end));
  EXPECT_EQ(files.image().at(kFolder + "/log.1"), intact);
  EXPECT_THAT(changes_of(files),
              ElementsAre(Kind::kWrite, Kind::kSync, Kind::kWrite, Kind::kSync, Kind::kSyncFolder))
      << "durable";
}

// As one is that root has copied into the folder.
TEST(LogReader, ALogThatMayOnlyBeReadIsSyncedAtLeast) {
  MemoryFileSystem files(one_log());
  const ReadLog read = read_log(files);
  int opened = 0;
  files.before = [&](std::string_view call, const std::string& path) -> Result<void> {
    if (call == "open" && ++opened == 1) return Error{Errc::kNotAllowed, "cannot open for writing " + path};
    return {};
  };
  ASSERT_TRUE(mend_log(files, kFolder, read.end));
  EXPECT_EQ(opened, 2);
  EXPECT_THAT(changes_of(files), ElementsAre(Kind::kSync, Kind::kSyncFolder));
}

TEST(LogReader, TornTailIsCutOffTheDisk) {
  Bytes torn = log_file(payloads(1, 4), kPadded);
  std::fill(torn.begin() + record_at(3) + 40, torn.end(), std::byte{0});
  MemoryFileSystem files(Image{{kFolder + "/log.1", torn}});
  const ReadLog read = read_log(files);
  EXPECT_EQ(read.zxids, range(1, 3));
  EXPECT_EQ(read.end.mend, LogEnd::Mend::kCut);
  ASSERT_TRUE(mend_log(files, kFolder, read.end));
  EXPECT_EQ(files.image().at(kFolder + "/log.1"), log_file(payloads(1, 3)));
  EXPECT_THAT(changes_of(files),
              ElementsAre(Kind::kResize, Kind::kSync, Kind::kWrite, Kind::kSync, Kind::kSyncFolder));
}

TEST(LogReader, LostSectorOfTheLastBatchEndsTheLogThoughALaterRecordSurvived) {
  const Bytes file = log_file(payloads(1, 40, 200), 16384);
  for (const std::size_t sector : {1u, 4u, 9u}) {
    Bytes torn = file;
    const auto begin = torn.begin() + static_cast<std::ptrdiff_t>(sector * kSectorBytes);
    std::fill_n(begin, kSectorBytes, std::byte{0});
    const ReadLog read = read_mend_read(Image{{kFolder + "/log.1", torn}});
    ASSERT_FALSE(read.error) << read.error->message;
    EXPECT_EQ(read.zxids, range(1, (sector * kSectorBytes - kLogHeaderBytes) / 213));
    EXPECT_THAT(read.end.findings,
                ElementsAre(HasSubstr("a sector of the record was never written, left by a crash; "
                                      "transaction 0x")));
  }
}

// Only a record above the last good one proves that transactions were lost.
TEST(LogReader, OldRecordBehindTheEndIsNoTransactionThatFollows) {
  for (const std::uint64_t zxid : {2u, 4u, 5u}) {
    Bytes file = log_file(payloads(1, 4, kPayload));
    file.resize(file.size() + kRecord);
    append_log_record(file, payload(zxid, kPayload));
    file.resize(kPadded);
    MemoryFileSystem files(Image{{kFolder + "/log.1", file}});
    const ReadLog read = read_log(files);
    if (zxid > 4) {
      ASSERT_TRUE(read.error);
      EXPECT_THAT(read.error->message,
                  HasSubstr("there is a hole in the file; transaction 0x5 follows whole"));
      continue;
    }
    ASSERT_FALSE(read.error) << read.error->message;
    EXPECT_EQ(read.zxids, range(1, 4));
    EXPECT_THAT(read.end.findings, ElementsAre(HasSubstr("bytes follow that are no transactions")));
  }
}

TEST(LogReader, LostSectorFarBeforeTheEndIsNoCrash) {
  Bytes file = log_file(payloads(1, 100, 100'000));
  std::fill_n(file.begin() + 512, kSectorBytes, std::byte{0});
  MemoryFileSystem files(Image{{kFolder + "/log.1", file}});
  const ReadLog read = read_log(files);
  ASSERT_TRUE(read.error);
  EXPECT_THAT(read.error->message,
              HasSubstr("the checksum of the record does not match its bytes; transaction 0x2"));
}

TEST(LogReader, PayloadLimitIsTheCallers) {
  MemoryFileSystem files(Image{{kFolder + "/log.1", log_file(payloads(1, 3, 5'000))}});
  EXPECT_EQ(read_log(files, 1, {.payload_bytes_max = 5'000}).zxids, range(1, 3));
  const ReadLog refused = read_log(files, 1, {.payload_bytes_max = 4'999});
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->code, Errc::kTooLarge);
  EXPECT_THAT(refused.error->message, HasSubstr("higher jute.maxbuffer, set the same"));
}

TEST(LogReader, OrderToAcceptLossEndsTheLogAndKeepsWhatIsCutBeside) {
  const Bytes damaged = one_log([](Bytes& file) { file[record_at(4) + 30] ^= std::byte{1}; }).begin()->second;
  MemoryFileSystem files(Image{{kFolder + "/log.1", damaged},
                               {kFolder + "/log.b", log_file(payloads(11, 12))},
                               {kFolder + "/log.d", log_file(payloads(13, 14))}});
  const ReadLog read = read_log(files, 1, {.accept_loss = true});
  ASSERT_FALSE(read.error) << read.error->message;
  EXPECT_EQ(read.zxids, range(1, 4));
  EXPECT_THAT(read.end.loss, HasSubstr("Given up by order: 3788 bytes of this file and 2 later files"));
  ASSERT_TRUE(mend_log(files, kFolder, read.end));
  const Image after = files.image();
  EXPECT_EQ(after.at(kFolder + "/log.1"), log_file(payloads(1, 4)));
  EXPECT_EQ(after.at(kFolder + "/lost.log.1"), damaged);
  EXPECT_EQ(after.at(kFolder + "/lost.log.b"), log_file(payloads(11, 12)));
  EXPECT_FALSE(after.contains(kFolder + "/log.b"));
  EXPECT_FALSE(after.contains(kFolder + "/log.d"));
  EXPECT_EQ(read_log(files).zxids, range(1, 4));
  // The newest file goes first, so that a crash leaves no gap, and nothing is cut before its copy is durable.
  EXPECT_THAT(changes_of(files),
              ElementsAre(Kind::kRename, Kind::kSyncFolder, Kind::kRename, Kind::kSyncFolder, Kind::kCreate,
                          Kind::kWrite, Kind::kResize, Kind::kSync, Kind::kSyncFolder, Kind::kResize,
                          Kind::kSync, Kind::kWrite, Kind::kSync, Kind::kSyncFolder));
  EXPECT_EQ(files.changes()[0].path, kFolder + "/log.d");
}

TEST(LogReader, OrderToAcceptLossLeavesOutAFileWhoseTransactionsTheSnapshotHolds) {
  const Bytes damaged = one_log([](Bytes& file) { file[record_at(4) + 30] ^= std::byte{1}; }).begin()->second;
  for (const std::uint64_t last : {10u, 12u}) {
    const Bytes next = log_file(payloads(11, last));
    MemoryFileSystem files(Image{{kFolder + "/log.1", damaged}, {kFolder + "/log.b", next}});
    const ReadLog read = read_log(files, 11, {.accept_loss = true, .continues_state = true});
    ASSERT_FALSE(read.error) << read.error->message;
    EXPECT_EQ(read.zxids, range(11, last));
    EXPECT_THAT(read.end.loss, HasSubstr("the snapshot holds what it held"));
    const auto mended = mend_log(files, kFolder, read.end);
    ASSERT_TRUE(mended) << mended.error().message;
    EXPECT_EQ(files.image(), (Image{{kFolder + "/lost.log.1", damaged}, {kFolder + "/log.b", next}}));
    EXPECT_EQ(read_log(files, 11, {.continues_state = true}).zxids, range(11, last));
  }
}

TEST(LogReader, WhatWasSetAsideBeforeIsNeverWrittenOver) {
  const Bytes damaged = one_log([](Bytes& file) { file[record_at(4) + 30] ^= std::byte{1}; }).begin()->second;
  MemoryFileSystem files(Image{{kFolder + "/log.1", damaged},
                               {kFolder + "/log.b", log_file(payloads(11, 12))},
                               {kFolder + "/lost.log.1", Bytes(1)},
                               {kFolder + "/lost.log.b", Bytes(2)},
                               {kFolder + "/lost.log.b.2", Bytes(3)}});
  ASSERT_TRUE(mend_log(files, kFolder, read_log(files, 1, {.accept_loss = true}).end));
  EXPECT_EQ(files.image(), (Image{{kFolder + "/log.1", log_file(payloads(1, 4))},
                                  {kFolder + "/lost.log.1", Bytes(1)},
                                  {kFolder + "/lost.log.1.2", damaged},
                                  {kFolder + "/lost.log.b", Bytes(2)},
                                  {kFolder + "/lost.log.b.2", Bytes(3)},
                                  {kFolder + "/lost.log.b.3", log_file(payloads(11, 12))}}));
}

// Cut to its header it would stand behind the files that are written from here on.
TEST(LogReader, OrderToAcceptLossLeavesNoFileWithoutARecord) {
  const Bytes later = log_file(payloads(7, 9));
  MemoryFileSystem files(Image{{kFolder + "/log.1", log_file(payloads(1, 3))}, {kFolder + "/log.7", later}});
  const ReadLog read = read_log(files, 1, {.accept_loss = true});
  EXPECT_EQ(read.zxids, range(1, 3));
  ASSERT_TRUE(mend_log(files, kFolder, read.end));
  EXPECT_EQ(files.image(),
            (Image{{kFolder + "/log.1", log_file(payloads(1, 3))}, {kFolder + "/lost.log.7", later}}));
}

TEST(LogReader, FolderThatIsMissingIsAnError) {
  MemoryFileSystem files;
  EXPECT_EQ(read_log(files).error->code, Errc::kNotFound);
}

TEST(TruncateLog, CutsRightBehindTheTransactionAndRemovesLaterFiles) {
  MemoryFileSystem files(Image{{kFolder + "/log.1", log_file(payloads(1, 4), kPadded)},
                               {kFolder + "/log.5", log_file(payloads(5, 9), kPadded)},
                               {kFolder + "/log.a", log_file(payloads(10, 12), kPadded)},
                               {kFolder + "/snapshot.9", Bytes(5)}});
  ASSERT_TRUE(truncate_log(files, kFolder, Zxid{6}, {}));
  const Image after = files.image();
  EXPECT_EQ(after.at(kFolder + "/log.1"), log_file(payloads(1, 4), kPadded));
  EXPECT_EQ(after.at(kFolder + "/log.5"), log_file(payloads(5, 6)));
  EXPECT_FALSE(after.contains(kFolder + "/log.a"));
  EXPECT_TRUE(after.contains(kFolder + "/snapshot.9")) << "snapshots are the caller's";
  ASSERT_TRUE(truncate_log(files, kFolder, Zxid{6}, {})) << "again";
  ASSERT_TRUE(truncate_log(files, kFolder, Zxid{4}, {})) << "the last of an earlier file";
  EXPECT_EQ(files.image().at(kFolder + "/log.1"), log_file(payloads(1, 4)));
  EXPECT_FALSE(files.image().contains(kFolder + "/log.5"));
}

TEST(TruncateLog, TransactionThatTheLogDoesNotHaveChangesNothing) {
  const Image before{{kFolder + "/log.3", log_file(payloads(3, 6), kPadded)},
                     {kFolder + "/log.200000001", log_file(payloads(0x200000001, 0x200000002), kPadded)}};
  for (const std::uint64_t missing : {std::uint64_t{2}, std::uint64_t{7}, std::uint64_t{0x200000003}}) {
    MemoryFileSystem files(before);
    const auto refused = truncate_log(files, kFolder, Zxid{missing}, {});
    ASSERT_FALSE(refused) << missing;
    EXPECT_EQ(refused.error().code, Errc::kNotFound);
    EXPECT_EQ(files.image(), before);
  }
}

}  // namespace
}  // namespace wk::storage
