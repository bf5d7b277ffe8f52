#include "exporter/web/gzip.h"

#include <libdeflate.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "base/check.h"

namespace wk::exporter {
namespace {

constexpr int kFastest = 1;
/// Texts of ours shrink to less than this part. Memory that is never written costs no page, but asking for it
/// does.
constexpr std::size_t kUsualRatio = 4;
constexpr std::size_t kLeast = 256;

struct Free {
  void operator()(libdeflate_compressor* compressor) const { libdeflate_free_compressor(compressor); }
};
using Compressor = std::unique_ptr<libdeflate_compressor, Free>;

/// Keeps one compressor for the next caller; callers at the same time make their own.
class Spare {
 public:
  ~Spare() { Compressor(spare_.exchange(nullptr)); }
  Compressor take() {
    Compressor compressor(spare_.exchange(nullptr));
    if (!compressor) compressor.reset(libdeflate_alloc_compressor(kFastest));
    WK_CHECK(compressor != nullptr, "no memory for a compressor");
    return compressor;
  }
  void give_back(Compressor compressor) { Compressor(spare_.exchange(compressor.release())); }

 private:
  std::atomic<libdeflate_compressor*> spare_{nullptr};
};

}  // namespace

std::string gzip(std::string_view text) {
  static Spare spare;
  Compressor compressor = spare.take();
  const std::size_t bound = libdeflate_gzip_compress_bound(compressor.get(), text.size());
  std::string packed;
  for (std::size_t room = std::min(bound, kLeast + text.size() / kUsualRatio); packed.empty(); room = bound) {
    const auto buffer = std::make_unique_for_overwrite<char[]>(room);
    const std::size_t size =
        libdeflate_gzip_compress(compressor.get(), text.data(), text.size(), buffer.get(), room);
    WK_CHECK(size > 0 || room < bound, "the bound of the compressed size was none");
    packed.assign(buffer.get(), size);
  }
  spare.give_back(std::move(compressor));
  return packed;
}

}  // namespace wk::exporter
