#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/storage/log_fixture.h"
#include "tests/unit/server/storage/snapshot_fixture.h"

namespace wk::storage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto kCompressions = {Compression::kNone, Compression::kGzip, Compression::kSnappy};

SnapshotName name_of(Zxid zxid, Compression compression) {
  return *parse_snapshot_name(snapshot_name(zxid, compression));
}

TEST(SnapshotEncoder, EmptyTreeIsApachesGoldenFile) {
  const Bytes file = encode(empty_tree(), kDefaultTail);
  ASSERT_EQ(file.size(), 478u);
  const auto u64_at = [&file](std::size_t offset) { return load_u64(std::span(file).subspan(offset)); };
  const std::size_t seal_1 = 478 - 13 - 33 - 21;
  EXPECT_EQ(load_u32(file), 0x5a4b534eu);
  EXPECT_EQ(load_u32(std::span(file).subspan(4)), 2u);
  EXPECT_EQ(u64_at(8), ~std::uint64_t{0});
  EXPECT_EQ(u64_at(seal_1), 0xb8a23b49u);
  EXPECT_EQ(u64_at(seal_1 + 13), 0u) << "digest's zxid";
  EXPECT_EQ(load_u32(std::span(file).subspan(seal_1 + 21)), 2u);
  EXPECT_EQ(u64_at(seal_1 + 25), 0u);
  EXPECT_EQ(u64_at(seal_1 + 33), 0x95b93d59u);
  EXPECT_EQ(u64_at(seal_1 + 46), 0u) << "last processed zxid";
  EXPECT_EQ(u64_at(seal_1 + 54), 0xbde83f6du);
  EXPECT_EQ(Bytes(file.end() - 5, file.end()), from_hex("00000001 2f"));
}

TEST(SnapshotSealer, PiecesMakeTheSameFileAsOneBuffer) {
  const OwnedSnapshot tree = rich_tree(50);
  const Bytes whole = encode(tree, kDefaultTail);
  Bytes pieces, out;
  SnapshotEncoder encoder;
  SnapshotSealer sealer;
  const auto drain = [&] {
    sealer.count(out);
    pieces.insert(pieces.end(), out.begin(), out.end());
    out.clear();
  };
  encoder.begin(out, tree.sessions, tree.acls);
  drain();
  for (const OwnedNode& node : tree.nodes) {
    encoder.node(out, node.view());
    if (encoder.nodes() % 3 == 0) drain();
  }
  drain();
  EXPECT_EQ(encoder.nodes(), tree.nodes.size());
  sealer.finish(pieces, kDefaultTail);
  EXPECT_EQ(pieces, whole);
}

class SnapshotFileTest : public testing::Test {
 protected:
  SnapshotFileTest() { EXPECT_TRUE(files_.create_directories(kFolder)); }
  MemoryFileSystem files_;
};

TEST_F(SnapshotFileTest, EveryCompressionAndEveryTailIsReadBackExactly) {
  const OwnedSnapshot tree = rich_tree(500);
  const SnapshotDigest digest{Zxid{0x200000007}, 2, 0x1165'5be3'6000'0001};
  for (const SnapshotTail& tail : {SnapshotTail{}, SnapshotTail{digest, std::nullopt},
                                   SnapshotTail{digest, Zxid{9}}, SnapshotTail{std::nullopt, Zxid{9}}})
    for (const Compression compression : kCompressions) {
      const Bytes bytes = encode(tree, tail);
      ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{8}, compression, bytes));
      Collector collector;
      const auto content = read_snapshot(files_, kFolder, name_of(Zxid{8}, compression), &collector);
      ASSERT_TRUE(content) << content.error().message;
      EXPECT_EQ(collector.read, tree);
      EXPECT_EQ(content->tail, tail);
      EXPECT_EQ(content->nodes, tree.nodes.size());
      EXPECT_EQ(content->sessions, 2u);
      EXPECT_EQ(content->bytes, bytes.size());
      EXPECT_EQ(content->name.zxid, Zxid{8});
      EXPECT_TRUE(*passes_quick_check(files_, kFolder, content->name));
      ASSERT_TRUE(read_snapshot(files_, kFolder, content->name, nullptr)) << "without a visitor";
    }
}

TEST_F(SnapshotFileTest, NodesLargerThanTheReadersWindow) {
  OwnedSnapshot tree = empty_tree();
  tree.nodes.push_back({"/" + std::string(70'000, 'p'), std::string(1'900'000, 'd'), {}});
  tree.nodes.push_back({"/z", std::string(1'048'576, 'e'), {}});
  for (const Compression compression : kCompressions) {
    ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{1}, compression, encode(tree, kDefaultTail)));
    Collector collector;
    ASSERT_TRUE(read_snapshot(files_, kFolder, name_of(Zxid{1}, compression), &collector));
    EXPECT_EQ(collector.read, tree);
  }
  ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{1}, Compression::kNone, encode(tree, kDefaultTail)));
  EXPECT_TRUE(read_snapshot(files_, kFolder, name_of(Zxid{1}, Compression::kNone), nullptr, 1'900'000));
  const auto refused =
      read_snapshot(files_, kFolder, name_of(Zxid{1}, Compression::kNone), nullptr, 1'899'999);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kTooLarge);
  EXPECT_THAT(refused.error().message,
              HasSubstr("the length of a node's data, 1900000 bytes, is above the limit"));
}

TEST_F(SnapshotFileTest, CompressedFilesHaveTheDocumentedHeads) {
  const Bytes bytes = encode(rich_tree(), kDefaultTail);
  ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{1}, Compression::kGzip, bytes));
  ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{2}, Compression::kSnappy, bytes));
  const Image image = files_.image();
  const Bytes& gzip = image.at(kFolder + "/snapshot.1.gz");
  EXPECT_EQ(Bytes(gzip.begin(), gzip.begin() + 3), from_hex("1f8b08"));
  const Bytes& snappy = image.at(kFolder + "/snapshot.2.snappy");
  EXPECT_EQ(Bytes(snappy.begin(), snappy.begin() + 16), from_hex("82534e4150505900 00000001 00000001"));
  EXPECT_EQ(load_u32(std::span(snappy).subspan(16)), snappy.size() - 20) << "one block";
}

TEST_F(SnapshotFileTest, FileHasItsNameOnlyWhenWholeAndDurable) {
  {
    auto writer = SnapshotWriter::create(files_, kFolder, Zxid{5}, Compression::kNone);
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->append(Bytes(100)));
    EXPECT_EQ(writer->file_bytes(), 100u);
    EXPECT_EQ(writer->name(), "snapshot.5");
    EXPECT_TRUE(files_.image().contains(kFolder + "/tmp.snapshot.5"));
    EXPECT_FALSE(files_.image().contains(kFolder + "/snapshot.5"));
  }
  EXPECT_TRUE(files_.image().empty()) << "given up: nothing stays";
  ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{5}, Compression::kNone, Bytes(100)));
  EXPECT_EQ(files_.image().size(), 1u);
  using Kind = MemoryFileSystem::Change::Kind;
  std::vector<Kind> last;
  for (std::size_t i = files_.changes().size() - 3; i < files_.changes().size(); ++i)
    last.push_back(files_.changes()[i].kind);
  EXPECT_THAT(last, ElementsAre(Kind::kSync, Kind::kRename, Kind::kSyncFolder));
}

TEST_F(SnapshotFileTest, LongFilesGoToTheDiskWhileTheyGrow) {
  constexpr std::uint64_t kPiece = SnapshotWriter::kWriteBackBytes;
  const Bytes bytes(kPiece * 3 / 8);
  auto writer = SnapshotWriter::create(files_, kFolder, Zxid{5}, Compression::kNone);
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->append(bytes));
  ASSERT_TRUE(writer->append(bytes));
  EXPECT_TRUE(files_.written_back.empty());
  ASSERT_TRUE(writer->append(Bytes(kPiece * 13 / 8)));
  ASSERT_TRUE(writer->append(bytes));
  EXPECT_THAT(files_.written_back,
              ElementsAre(std::pair(std::uint64_t{0}, kPiece), std::pair(kPiece, kPiece)));
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(files_.image().at(kFolder + "/snapshot.5").size(), kPiece * 22 / 8);
}

TEST_F(SnapshotFileTest, FailedWriteBackEndsTheSnapshot) {
  files_.before = [](std::string_view call, const std::string&) -> Result<void> {
    if (call == "write back") return Error{Errc::kIo, "cannot write back: the disk is gone"};
    return {};
  };
  {
    auto writer = SnapshotWriter::create(files_, kFolder, Zxid{5}, Compression::kNone);
    ASSERT_TRUE(writer);
    const auto failed = writer->append(Bytes(9 << 20));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message, "cannot write back: the disk is gone");
  }
  EXPECT_TRUE(files_.image().empty());
}

TEST_F(SnapshotFileTest, FullDiskLeavesNothingBehind) {
  for (const Compression compression : kCompressions) {
    files_.sectors_max = 3;
    const auto refused =
        write_snapshot(files_, kFolder, Zxid{5}, compression, encode(rich_tree(2000), kDefaultTail));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::kNoSpace);
    EXPECT_TRUE(files_.image().empty());
  }
}

TEST_F(SnapshotFileTest, EveryFailingCallIsReportedAndTheOldSnapshotStays) {
  const Bytes before = encode(empty_tree(), kDefaultTail);
  ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{5}, Compression::kNone, before));
  const Bytes after = encode(rich_tree(), kDefaultTail);
  for (int failing = 0;; ++failing) {
    int calls = 0;
    bool fired = false;
    files_.before = [&](std::string_view, const std::string&) -> Result<void> {
      if (calls++ != failing) return {};
      fired = true;
      return Error{Errc::kIo, "input/output error"};
    };
    const auto written = write_snapshot(files_, kFolder, Zxid{5}, Compression::kNone, after);
    files_.before = nullptr;
    EXPECT_EQ(written.has_error(), fired);
    const Bytes there = files_.image().at(kFolder + "/snapshot.5");
    EXPECT_TRUE(there == before || there == after);
    if (!fired) break;
    if (there == before) continue;
    ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{5}, Compression::kNone, before));
  }
}

TEST_F(SnapshotFileTest, WhatIsNotASnapshotIsRefused) {
  const Bytes good = encode(rich_tree(), kDefaultTail);
  const auto error_of = [&](Bytes bytes) {
    files_.create(kFolder + "/snapshot.1").value()->write_at(0, bytes).value();
    const auto content = read_snapshot(files_, kFolder, name_of(Zxid{1}, Compression::kNone), nullptr);
    EXPECT_FALSE(content);
    return content ? std::string() : content.error().message;
  };
  EXPECT_THAT(error_of({}), HasSubstr("/data/version-2/snapshot.1 at byte 0: the snapshot ends too early"));
  EXPECT_THAT(error_of(bytes_of("ZKLG0000000000000000")),
              HasSubstr("it begins with 0x5a4b4c47, which is not"));
  Bytes longer = good;
  longer.push_back(std::byte{0});
  EXPECT_THAT(error_of(longer), HasSubstr("more than 54 bytes follow the first seal"));
  Bytes shorter = good;
  shorter.resize(good.size() - 3);
  EXPECT_THAT(error_of(shorter),
              HasSubstr("51 bytes follow the first seal, which no version of ZooKeeper writes"));
  Bytes negative = good;
  store_big_endian(negative.data() + 16, std::uint32_t{0xfffffffe});
  EXPECT_THAT(error_of(negative), HasSubstr("the number of sessions is -2"));
  Bytes many = good;
  store_big_endian(many.data() + 16, std::uint32_t{0x7fffffff});
  EXPECT_THAT(error_of(many), HasSubstr("the snapshot ends too early"));
}

// Cut after a seal, a snapshot is a valid one of an older version; anywhere else it is not.
TEST_F(SnapshotFileTest, CutFilesAreRefusedExceptAtASeal) {
  const Bytes good = encode(rich_tree(), kDefaultTail);
  std::vector<std::size_t> accepted;
  for (std::size_t size = 0; size <= good.size(); ++size) {
    const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    MemoryFileSystem files(Image{{kFolder + "/snapshot.1", cut}});
    if (read_snapshot(files, kFolder, name_of(Zxid{1}, Compression::kNone), nullptr))
      accepted.push_back(size);
  }
  EXPECT_THAT(accepted, ElementsAre(good.size() - 54, good.size() - 21, good.size()));
}

// R4 for snapshots: whichever byte is changed, the file is refused, or its content is the same.
TEST_F(SnapshotFileTest, EverySingleByteFlipIsDetectedOrHarmless) {
  const OwnedSnapshot tree = rich_tree(5);
  for (const Compression compression : kCompressions) {
    ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{1}, compression, encode(tree, kDefaultTail)));
    const SnapshotName name = name_of(Zxid{1}, compression);
    Bytes& file = files_.content(join(kFolder, name.name));
    std::size_t accepted = 0;
    for (std::size_t at = 0; at < file.size(); ++at)
      for (const unsigned flip : {0x01u, 0x80u, 0xffu}) {
        file[at] ^= static_cast<std::byte>(flip);
        Collector collector;
        const auto content = read_snapshot(files_, kFolder, name, &collector);
        if (content) {
          ++accepted;
          EXPECT_EQ(collector.read, tree) << "byte " << at;
          EXPECT_EQ(content->tail, kDefaultTail) << "byte " << at;
        }
        file[at] ^= static_cast<std::byte>(flip);
      }
    // gzip: time and system in the head; snappy: versions in the head, equal bytes copied from elsewhere.
    if (compression == Compression::kNone) {
      EXPECT_EQ(accepted, 0u);
    }
  }
}

TEST_F(SnapshotFileTest, BytesBehindTheCompressedStreamAreRefused) {
  const Bytes bytes = encode(rich_tree(), kDefaultTail);
  for (const Compression compression : {Compression::kGzip, Compression::kSnappy}) {
    ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{1}, compression, bytes));
    const SnapshotName name = name_of(Zxid{1}, compression);
    files_.content(join(kFolder, name.name)).resize(files_.image().at(join(kFolder, name.name)).size() + 4);
    EXPECT_FALSE(read_snapshot(files_, kFolder, name, nullptr)) << name.name;
  }
}

TEST_F(SnapshotFileTest, WhatTheVisitorCannotCompleteIsInvalid) {
  ASSERT_TRUE(
      write_snapshot(files_, kFolder, Zxid{1}, Compression::kNone, encode(rich_tree(), kDefaultTail)));
  Collector collector;
  ASSERT_TRUE(read_snapshot(files_, kFolder, name_of(Zxid{1}, Compression::kNone), &collector));
  EXPECT_EQ(collector.completions, 1);
  collector.refused_path = "all";
  const auto content = read_snapshot(files_, kFolder, name_of(Zxid{1}, Compression::kNone), &collector);
  ASSERT_FALSE(content);
  EXPECT_THAT(content.error().message, HasSubstr("it does not fit together"));
  Bytes& file = files_.content(kFolder + "/snapshot.1");
  file[file.size() - 6] ^= std::byte{1};  // in the last seal
  EXPECT_FALSE(read_snapshot(files_, kFolder, name_of(Zxid{1}, Compression::kNone), &collector));
  EXPECT_EQ(collector.completions, 2) << "a damaged one is never complete";
}

TEST_F(SnapshotFileTest, VisitorsRefusalMakesTheFileInvalid) {
  ASSERT_TRUE(
      write_snapshot(files_, kFolder, Zxid{1}, Compression::kNone, encode(rich_tree(), kDefaultTail)));
  Collector collector;
  collector.refused_path = "/null";
  const auto content = read_snapshot(files_, kFolder, name_of(Zxid{1}, Compression::kNone), &collector);
  ASSERT_FALSE(content);
  EXPECT_THAT(content.error().message, HasSubstr("unable to find its parent"));
}

TEST_F(SnapshotFileTest, NewestUsableOneIsChosenAndEachAttemptStartsAfresh) {
  const OwnedSnapshot tree = rich_tree();
  const Bytes good = encode(tree, kDefaultTail);
  Bytes flipped = good;
  flipped[200] ^= std::byte{1};
  ASSERT_TRUE(
      write_snapshot(files_, kFolder, Zxid{3}, Compression::kNone, encode(empty_tree(), kDefaultTail)));
  ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{5}, Compression::kSnappy, good));
  ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{7}, Compression::kNone, flipped));
  ASSERT_TRUE(
      write_snapshot(files_, kFolder, Zxid{9}, Compression::kNone, Bytes(good.begin(), good.begin() + 99)));
  Collector collector;
  const auto newest = read_newest_snapshot(files_, kFolder, collector);
  ASSERT_TRUE(newest) << newest.error().message;
  ASSERT_TRUE(newest->content);
  EXPECT_EQ(newest->content->name.name, "snapshot.5.snappy");
  EXPECT_EQ(collector.read, tree);
  EXPECT_EQ(collector.restarts, 2);
  ASSERT_EQ(newest->passed_over.size(), 2U);
  EXPECT_THAT(newest->passed_over[0].reason, HasSubstr("snapshot.9: 99 bytes, not a complete snapshot"));
  EXPECT_EQ(newest->passed_over[0].name.zxid, Zxid{9});
  EXPECT_THAT(newest->passed_over[1].reason, HasSubstr("snapshot.7 at byte "));
  EXPECT_EQ(newest->passed_over[1].name.zxid, Zxid{7});
  const auto below = read_newest_snapshot(files_, kFolder, collector, {.max = Zxid{4}});
  ASSERT_TRUE(below);
  EXPECT_EQ(below->content->name.zxid, Zxid{3});
  EXPECT_EQ(collector.read, empty_tree());
}

TEST_F(SnapshotFileTest, NoMoreThanAHundredCandidatesAreTried) {
  Bytes flipped = encode(rich_tree(), kDefaultTail);
  flipped[200] ^= std::byte{1};
  for (std::uint64_t zxid = 2; zxid < 2 + kSnapshotCandidatesMax; ++zxid)
    ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{zxid}, Compression::kNone, flipped));
  ASSERT_TRUE(
      write_snapshot(files_, kFolder, Zxid{1}, Compression::kNone, encode(rich_tree(), kDefaultTail)));
  Collector collector;
  EXPECT_FALSE(read_newest_snapshot(files_, kFolder, collector));
  ASSERT_TRUE(files_.remove(kFolder + "/snapshot.2"));
  const auto newest = read_newest_snapshot(files_, kFolder, collector);
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->content->name.zxid, Zxid{1});
}

// A disk that does not answer says nothing about the file: an older state must not be taken instead.
TEST_F(SnapshotFileTest, FaultOfTheDiskIsNotPassedOver) {
  for (const std::uint64_t zxid : {5u, 7u})
    ASSERT_TRUE(
        write_snapshot(files_, kFolder, Zxid{zxid}, Compression::kNone, encode(rich_tree(), kDefaultTail)));
  for (const int failing : {1, 2}) {  // the quick check's read, the first of the content
    int reads = 0;
    files_.before = [&](std::string_view call, const std::string&) -> Result<void> {
      if (call == "read" && ++reads == failing) return Error{Errc::kIo, "input/output error"};
      return {};
    };
    Collector collector;
    const auto newest = read_newest_snapshot(files_, kFolder, collector);
    ASSERT_FALSE(newest) << failing;
    EXPECT_EQ(newest.error().message, "input/output error");
  }
}

// Readers would take the uncompressed one, which may be older.
TEST_F(SnapshotFileTest, OneSnapshotOfAZxidIsLeft) {
  for (const Compression compression : {Compression::kNone, Compression::kGzip, Compression::kSnappy}) {
    ASSERT_TRUE(
        write_snapshot(files_, kFolder, Zxid{4}, Compression::kNone, encode(empty_tree(), kDefaultTail)));
    ASSERT_TRUE(
        write_snapshot(files_, kFolder, Zxid{5}, Compression::kNone, encode(empty_tree(), kDefaultTail)));
    ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{5}, compression, encode(rich_tree(), kDefaultTail)));
    EXPECT_EQ(snapshots_of(*files_.list(kFolder)).size(), 2U) << "that of 4 stays";
    Collector collector;
    const auto newest = read_newest_snapshot(files_, kFolder, collector);
    ASSERT_TRUE(newest);
    EXPECT_EQ(newest->content->name.compression, compression);
    EXPECT_EQ(collector.read.nodes.size(), rich_tree().nodes.size());
  }
}

TEST_F(SnapshotFileTest, NoSnapshotAtAllIsNoError) {
  Collector collector;
  const auto newest = read_newest_snapshot(files_, kFolder, collector);
  ASSERT_TRUE(newest);
  EXPECT_FALSE(newest->content);
}

TEST_F(SnapshotFileTest, SnapshotsOfWhichNoneIsUsableAreAnError) {
  Bytes flipped = encode(rich_tree(), kDefaultTail);
  flipped[200] ^= std::byte{1};
  ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{7}, Compression::kNone, flipped));
  Collector collector;
  const auto refused = read_newest_snapshot(files_, kFolder, collector);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              HasSubstr("not able to find valid snapshots in /data/version-2: /data/version-2/"
                        "snapshot.7 at byte"));
  EXPECT_THAT(refused.error().message, HasSubstr("start once with --accept-loss"));
  EXPECT_EQ(collector.read, OwnedSnapshot{});
  const auto none = read_newest_snapshot(files_, kFolder, collector, {.accept_loss = true});
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_FALSE(none->content);
  ASSERT_EQ(none->passed_over.size(), 1U);
  EXPECT_EQ(none->passed_over[0].name.name, "snapshot.7");
  EXPECT_EQ(collector.read, OwnedSnapshot{});
}

// Apache writes snapshot.0 of its first start unsynced; it holds no transaction.
TEST_F(SnapshotFileTest, UnfinishedFirstSnapshotCountsAsNone) {
  ASSERT_TRUE(write_snapshot(files_, kFolder, Zxid{0}, Compression::kNone, Bytes{}));
  Collector collector;
  const auto newest = read_newest_snapshot(files_, kFolder, collector);
  ASSERT_TRUE(newest);
  EXPECT_FALSE(newest->content);
  EXPECT_EQ(newest->passed_over.size(), 1u);
}

}  // namespace
}  // namespace wk::storage
