#include "exporter/web/gzip.h"

#include <libdeflate.h>

#include <memory>

#include "base/check.h"

namespace wk::exporter {

std::string gzip(std::string_view text, int level) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(level), &libdeflate_free_compressor);
  WK_CHECK(compressor != nullptr, "no memory for a compressor, or a level that does not exist");
  // Not filled with zeros: a text shrinks to a tenth, and pages that are never written cost nothing.
  const std::size_t bound = libdeflate_gzip_compress_bound(compressor.get(), text.size());
  const auto buffer = std::make_unique_for_overwrite<char[]>(bound);
  const std::size_t size =
      libdeflate_gzip_compress(compressor.get(), text.data(), text.size(), buffer.get(), bound);
  WK_CHECK(size > 0, "the bound of the compressed size was none");
  return {buffer.get(), size};
}

}  // namespace wk::exporter
