// A number that may not be known, in the room of a number: as std::optional<double>, which takes twice of it.
//
// Thread: any; a plain value. Invariant: NaN is no number of ZooKeeper's and stands for "not known".
#pragma once

#include <cmath>
#include <limits>
#include <optional>

namespace wk::exporter {

class OptionalNumber {
 public:
  constexpr OptionalNumber() = default;
  constexpr OptionalNumber(std::nullopt_t) {}                 // NOLINT(google-explicit-constructor)
  constexpr OptionalNumber(double number) : held_(number) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const { return !std::isnan(held_); }
  explicit operator bool() const { return has_value(); }
  /// Only where has_value().
  double operator*() const { return held_; }
  [[nodiscard]] double value_or(double other) const { return has_value() ? held_ : other; }
  operator std::optional<double>() const {  // NOLINT(google-explicit-constructor)
    return has_value() ? std::optional(held_) : std::nullopt;
  }

  friend bool operator==(OptionalNumber left, OptionalNumber right) {
    return left.has_value() == right.has_value() && (!left.has_value() || left.held_ == right.held_);
  }

 private:
  double held_ = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace wk::exporter
