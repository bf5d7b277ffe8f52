// Lends the memory of large texts again and again: a scrape that allocates and frees some hundred kilobytes
// pays more for fresh pages than for what it writes into them.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>

#include "exporter/web/text_buffer.h"

namespace wk::exporter {

class TextPool : public std::enable_shared_from_this<TextPool> {
 public:
  /// More memory than this is not kept for the next text: three members take 0.3 MB, fifteen 1.3 MB.
  static constexpr std::size_t kKeptBytes = std::size_t{2} << 20;

  /// An empty text with room for one as long as the last. It may outlive the pool.
  [[nodiscard]] TextBuffer borrow();
  /// `text` for as many readers as like; its memory comes back to the pool after the last of them.
  [[nodiscard]] std::shared_ptr<const TextBuffer> share(TextBuffer text);

  /// Bytes kept now.
  [[nodiscard]] std::size_t kept_bytes() const;

 private:
  void give_back(TextBuffer text);

  mutable std::mutex mutex_;
  TextBuffer spare_;             ///< under mutex_
  std::size_t last_length_ = 0;  ///< under mutex_
};

}  // namespace wk::exporter
