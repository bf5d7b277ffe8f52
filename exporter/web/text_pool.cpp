#include "exporter/web/text_pool.h"

#include <utility>

namespace wk::exporter {
namespace {

/// A little more than last time, since counters get longer.
constexpr std::size_t kGrowth = 4096;

}  // namespace

TextBuffer TextPool::borrow() {
  TextBuffer text;
  std::size_t expected = 0;
  {
    const std::lock_guard lock(mutex_);
    std::swap(text, spare_);
    expected = last_length_ + kGrowth;
  }
  text.reserve(expected);
  return text;
}

std::shared_ptr<const TextBuffer> TextPool::share(TextBuffer text) {
  const auto give_back = [pool = weak_from_this()](TextBuffer* done) {
    const std::unique_ptr<TextBuffer> owned(done);
    if (const auto alive = pool.lock()) alive->give_back(std::move(*owned));
  };
  auto owned = std::make_unique<TextBuffer>(std::move(text));
  return {owned.release(), give_back};
}

std::size_t TextPool::kept_bytes() const {
  const std::lock_guard lock(mutex_);
  return spare_.capacity();
}

void TextPool::give_back(TextBuffer text) {
  const std::size_t length = text.size();
  text.truncate(0);
  const std::lock_guard lock(mutex_);
  last_length_ = length;
  if (text.capacity() <= kKeptBytes && text.capacity() > spare_.capacity()) std::swap(spare_, text);
}

}  // namespace wk::exporter
