#include "exporter/web/gzip.h"

#define ZLIB_CONST  // zlib then takes its input as const
#include <zlib.h>

#include <limits>
#include <vector>

#include "base/check.h"

namespace wk::exporter {

std::string gzip(std::string_view text, int level) {
  constexpr int kGzipWindow = 15 + 16;  // the largest window; 16 asks for gzip instead of zlib framing
  constexpr int kMemoryLevel = 8;
  WK_CHECK(text.size() < std::numeric_limits<uInt>::max() / 2, "body too large for one call of zlib");
  z_stream stream{};
  WK_CHECK(deflateInit2(&stream, level, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) == Z_OK,
           "zlib refuses its parameters or memory is out");
  std::vector<Bytef> out(deflateBound(&stream, text.size()));
  const std::vector<Bytef> in(text.begin(), text.end());
  stream.next_in = in.data();
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  const std::size_t size = stream.total_out;
  deflateEnd(&stream);
  WK_CHECK(status == Z_STREAM_END, "deflateBound was no bound");
  return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)};
}

}  // namespace wk::exporter
