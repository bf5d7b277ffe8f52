// A value that may be absent and is shared by whoever copies it: as std::optional<T> to readers, for answers
// that own memory and go through many copies of what is around them.
//
// Thread: any. Invariant: what is held never changes; a change is another Shared.
#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace wk::exporter {

template <typename T>
class Shared {
 public:
  Shared() = default;
  Shared(std::nullopt_t) {}  // NOLINT(google-explicit-constructor)
  Shared(T value)
      : held_(std::make_shared<const T>(std::move(value))) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const { return held_ != nullptr; }
  explicit operator bool() const { return has_value(); }
  /// Only where has_value().
  const T& operator*() const { return *held_; }
  const T* operator->() const { return held_.get(); }
  /// What is held, or a T without content.
  [[nodiscard]] T copy() const { return held_ ? *held_ : T{}; }

 private:
  std::shared_ptr<const T> held_;
};

}  // namespace wk::exporter
