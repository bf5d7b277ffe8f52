// R4 for logs: whichever single byte of a log changes, the reader refuses it, tells of it, or reads the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/storage/log_fixture.h"

namespace wk::storage {
namespace {

/// Reads with every byte of `file` changed in every way of `flips`; transactions must not go missing unsaid.
/// \return how often the log was accepted with less than all transactions
std::size_t flip_every_byte(const Bytes& file, std::uint64_t last, std::span<const unsigned> flips) {
  MemoryFileSystem files(Image{{kFolder + "/log.1", file}});
  const ReadLog intact = read_log(files);
  EXPECT_EQ(intact.zxids, range(1, last));
  Bytes& content = files.content(kFolder + "/log.1");
  std::size_t lossy = 0;
  for (std::size_t at = 0; at < file.size(); ++at)
    for (const unsigned flip : flips) {
      content[at] ^= static_cast<std::byte>(flip);
      const ReadLog read = read_log(files);
      if (!read.error) {
        if (read.zxids.size() < intact.zxids.size()) {
          ++lossy;
          EXPECT_FALSE(read.end.findings.empty()) << "lost in silence: byte " << at << " flip " << flip;
        } else {
          EXPECT_EQ(read.payloads, intact.payloads) << "byte " << at << " flip " << flip;
        }
      }
      content[at] ^= static_cast<std::byte>(flip);
    }
  return lossy;
}

constexpr unsigned kSomeFlips[] = {0x01, 0x42, 0x80, 0xff};

TEST(LogFlips, RecordsOfOneSizeLoseNothing) {
  EXPECT_EQ(flip_every_byte(log_file(payloads(1, 12), 2048), 12, kSomeFlips), 0u);
}

TEST(LogFlips, EveryValueOfEveryByte) {
  std::vector<unsigned> all;
  for (unsigned flip = 1; flip < 256; ++flip) all.push_back(flip);
  EXPECT_EQ(flip_every_byte(log_file(payloads(1, 3, 45), 200), 3, all), 0u);
}

TEST(LogFlips, RecordsThatCrossSectors) {
  EXPECT_EQ(
      flip_every_byte(log_file({payload(1, 500), payload(2, 36), payload(3, 1200), payload(4, 511)}, 4096), 4,
                      kSomeFlips),
      0u);
}

// Data of zeros looks like lost sectors; the changed byte still gives itself away.
TEST(LogFlips, DataOfZerosIsNotTakenForLostSectors) {
  EXPECT_EQ(flip_every_byte(log_file({payload(1), payload(2, 1200, std::byte{0}), payload(3)}, 2048), 3,
                            kSomeFlips),
            0u);
  EXPECT_EQ(flip_every_byte(log_file({payload(1), payload(2, 1200, std::byte{0})}, 2048), 2, kSomeFlips), 0u);
}

// A byte of data that is 'B' where a wrong length makes the record end.
TEST(LogFlips, DataOfEndMarks) {
  EXPECT_EQ(
      flip_every_byte(log_file({payload(1), payload(2, 700, kRecordEnd), payload(3)}, 2048), 3, kSomeFlips),
      0u);
  EXPECT_EQ(flip_every_byte(log_file({payload(1), payload(2, 700, kRecordEnd)}, 2048), 2, kSomeFlips), 0u);
}

// The only byte of a sector that is not zero, changed to zero, is the same disk as one on which a crash lost
// that sector: told, and where a crash is possible it ends the log.
TEST(LogFlips, SectorWithOneByteThatBecomesZeroIsTold) {
  Bytes wide = payload(2, 1500, std::byte{0});
  wide[700] = std::byte{0x42};
  const Bytes file = log_file({payload(1), wide, payload(3)}, 2048);
  EXPECT_EQ(flip_every_byte(file, 3, kSomeFlips), 1u);
}

}  // namespace
}  // namespace wk::storage
