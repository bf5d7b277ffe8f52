#include "server/net/frame_cutter.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace wk::net {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::int32_t kMax = 64;

void add_length(Bytes& stream, std::int32_t length) {
  const auto value = static_cast<std::uint32_t>(length);
  for (int shift = 24; shift >= 0; shift -= 8) stream.push_back(static_cast<std::byte>(value >> shift));
}

void add_frame(Bytes& stream, const std::string& payload) {
  add_length(stream, static_cast<std::int32_t>(payload.size()));
  for (const char c : payload) stream.push_back(static_cast<std::byte>(c));
}

std::string text_of(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte b : bytes) text.push_back(static_cast<char>(b));
  return text;
}

/// Feeds pieces and keeps what comes out.
class Cut {
 public:
  explicit Cut(std::int32_t payload_max = kMax) : cutter(payload_max) {}

  std::optional<std::int32_t> feed(std::span<const std::byte> bytes) {
    return cutter.feed(bytes, [this](std::span<const std::byte> payload) {
      frames.push_back(text_of(payload));
      return frames.size() != stop_after;
    });
  }

  FrameCutter cutter;
  std::vector<std::string> frames;
  std::size_t stop_after = 0;
};

const std::vector<std::string> kFrames{"", "a", "hello", std::string(64, 'x'), "", "end"};

Bytes stream_of(const std::vector<std::string>& frames) {
  Bytes stream;
  for (const std::string& frame : frames) add_frame(stream, frame);
  return stream;
}

TEST(FrameCutter, EverySplitIntoThreeReadsGivesTheSameFrames) {
  const Bytes stream = stream_of(kFrames);
  const std::span<const std::byte> all(stream);
  for (std::size_t first = 0; first <= stream.size(); ++first) {
    for (std::size_t second = first; second <= stream.size(); ++second) {
      Cut cut;
      ASSERT_EQ(cut.feed(all.first(first)), std::nullopt);
      ASSERT_EQ(cut.feed(all.subspan(first, second - first)), std::nullopt);
      ASSERT_EQ(cut.feed(all.subspan(second)), std::nullopt);
      ASSERT_EQ(cut.frames, kFrames) << first << ", " << second;
      ASSERT_EQ(cut.cutter.partial_bytes(), 0U);
    }
  }
}

TEST(FrameCutter, ByteByByte) {
  const Bytes stream = stream_of(kFrames);
  Cut cut;
  for (const std::byte& one : stream) ASSERT_EQ(cut.feed({&one, 1}), std::nullopt);
  EXPECT_EQ(cut.frames, kFrames);
}

TEST(FrameCutter, WholeFramesAreHandedOutWhereTheyLie) {
  const Bytes stream = stream_of({"one", "two"});
  FrameCutter cutter(kMax);
  std::vector<const std::byte*> places;
  ASSERT_EQ(cutter.feed(stream,
                        [&](std::span<const std::byte> payload) {
                          places.push_back(payload.data());
                          return true;
                        }),
            std::nullopt);
  EXPECT_EQ(places, (std::vector<const std::byte*>{stream.data() + 4, stream.data() + 11}));
}

TEST(FrameCutter, LimitIsInclusive) {
  Cut cut;
  EXPECT_EQ(cut.feed(stream_of({std::string(kMax, 'y')})), std::nullopt);
  EXPECT_EQ(cut.frames.size(), 1U);
  EXPECT_EQ(cut.feed(stream_of({std::string(kMax + 1, 'y')})), kMax + 1);
  EXPECT_EQ(cut.frames.size(), 1U);
}

TEST(FrameCutter, BadLengthIsToldAtItsFourthByteWhereverItIsCut) {
  for (const std::int32_t bad :
       {-1, kMax + 1, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()}) {
    Bytes stream;
    add_frame(stream, "good");
    add_length(stream, bad);
    for (std::size_t at = 0; at <= stream.size(); ++at) {
      Cut cut;
      const auto first = cut.feed(std::span(stream).first(at));
      if (at < stream.size()) {
        ASSERT_EQ(first, std::nullopt);
        ASSERT_EQ(cut.feed(std::span(stream).subspan(at)), bad);
      } else {
        ASSERT_EQ(first, bad);
      }
      ASSERT_EQ(cut.frames, std::vector<std::string>{"good"});
    }
  }
}

TEST(FrameCutter, RestIsDroppedWhenTheReceiverHasEnough) {
  const Bytes stream = stream_of({"one", "two", "three"});
  for (std::size_t at = 0; at <= stream.size(); ++at) {
    Cut cut;
    cut.stop_after = 2;
    ASSERT_EQ(cut.feed(std::span(stream).first(at)), std::nullopt);
    if (cut.frames.size() < 2) {
      ASSERT_EQ(cut.feed(std::span(stream).subspan(at)), std::nullopt);
    }
    ASSERT_EQ(cut.frames, (std::vector<std::string>{"one", "two"})) << at;
  }
}

TEST(FrameCutter, GivesBackWhatIsBehindTheFrameThatStoppedIt) {
  const Bytes stream = stream_of({"one", "two", "three"});
  for (std::size_t at = 0; at <= 6; ++at) {
    FrameCutter cutter(kMax);
    std::vector<std::string> frames;
    const auto one_only = [&](std::span<const std::byte> payload) {
      frames.push_back(text_of(payload));
      return false;
    };
    std::span<const std::byte> rest;
    ASSERT_EQ(cutter.feed(std::span(stream).first(at), one_only, &rest), std::nullopt);
    EXPECT_TRUE(rest.empty());
    ASSERT_EQ(cutter.feed(std::span(stream).subspan(at), one_only, &rest), std::nullopt);
    EXPECT_EQ(rest.data(), stream.data() + 7) << at;
    EXPECT_EQ(rest.size(), stream.size() - 7) << at;
    EXPECT_EQ(cutter.partial_bytes(), 0U);
    ASSERT_EQ(cutter.feed(rest, one_only, &rest), std::nullopt);
    ASSERT_EQ(cutter.feed(rest, one_only, &rest), std::nullopt);
    EXPECT_TRUE(rest.empty());
    EXPECT_EQ(frames, (std::vector<std::string>{"one", "two", "three"}));
  }
}

TEST(FrameCutter, KeepsWhatArrivedAndNotWhatWasPromised) {
  Cut cut(1 << 30);
  Bytes stream(14);
  stream[0] = std::byte{0x40};  // 2^30 bytes are to follow.
  EXPECT_EQ(cut.feed(stream), std::nullopt);
  EXPECT_EQ(cut.cutter.partial_bytes(), 14U);
  EXPECT_EQ(cut.feed(std::span(stream).first(1)), std::nullopt);
  EXPECT_EQ(cut.cutter.partial_bytes(), 15U);
}

}  // namespace
}  // namespace wk::net
