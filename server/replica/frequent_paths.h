// Which of very many paths occur most often, lately, in memory of fixed size.
//
// A space-saving sketch: kCapacity paths are followed; one that is not yet takes the place, and the weight,
// of the lightest. Whatever has more than 1/kCapacity of all the weight is in it, and the weight of an entry
// is too high by at most its error. decay() lets the past fade. Looking a path up allocates nothing. Pure.
// Thread: core. Source: Metwally, Agrawal, El Abbadi: Efficient computation of frequent and top-k elements in
// data streams (2005).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wk::replica {

class FrequentPaths {
 public:
  static constexpr std::size_t kCapacity = 128;
  /// Longer paths count under their beginning.
  static constexpr std::size_t kMaxPathBytes = 512;

  struct Entry {
    std::string path;
    double weight = 0;
    double error = 0;  ///< the weight that it took over from another path
  };

  void record(std::string_view path, double weight);
  /// Multiplies every weight by `factor`, 0 … 1, and forgets what has faded away.
  void decay(double factor);

  /// Weight of everything recorded, followed or not.
  [[nodiscard]] double total() const { return total_; }
  /// The heaviest entries without their errors, heaviest first; valid until the next change.
  [[nodiscard]] std::vector<const Entry*> heaviest(std::size_t limit) const;

 private:
  std::array<std::uint64_t, kCapacity> hashes_{};  // of the first size_ entries
  std::array<Entry, kCapacity> entries_;
  std::size_t size_ = 0;
  double total_ = 0;
};

}  // namespace wk::replica
