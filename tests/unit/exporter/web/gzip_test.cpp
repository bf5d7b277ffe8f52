#include "exporter/web/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace wk::exporter {
namespace {

std::string unpacked(const std::string& packed, std::size_t length) {
  std::string input = packed, text(length + 1, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

/// Bytes that deflate cannot shrink.
std::string noise(std::size_t length) {
  std::string text;
  for (std::uint32_t state = 1; text.size() < length;) {
    state = state * 1664525U + 1013904223U;
    text += static_cast<char>(state >> 24);
  }
  return text;
}

TEST(Gzip, TextsOfAnyKindComeBack) {
  std::string lines;
  for (int i = 0; lines.size() < 300'000; ++i)
    lines += "watchkeeper_member_packets_total{member=\"zk1:2181\"} " + std::to_string(i) + '\n';
  for (const std::string& text : {std::string(), std::string("x"), lines, noise(100'000), noise(1025)}) {
    const std::string packed = gzip(text);
    EXPECT_EQ(unpacked(packed, text.size()), text);
    EXPECT_LE(packed.size(), text.size() + 64);
  }
  EXPECT_LT(gzip(lines).size(), lines.size() / 8);
}

TEST(Gzip, CallersAtTheSameTimeDoNotMeet) {
  std::vector<std::thread> threads;
  std::vector<std::string> found(4);
  for (std::size_t i = 0; i < found.size(); ++i)
    threads.emplace_back([&found, i] {
      const std::string text(50'000, static_cast<char>('a' + i));
      for (int round = 0; round < 50; ++round) found[i] = unpacked(gzip(text), text.size());
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_EQ(found[i], std::string(50'000, static_cast<char>('a' + i)));
}

}  // namespace
}  // namespace wk::exporter
