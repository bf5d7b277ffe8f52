// Files and keys that the tests of this folder make for themselves.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace wk::exporter {

/// A directory of its own that disappears with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  /// Replaces the file as a careful program does: the new content gets a new inode.
  std::filesystem::path write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

struct KeyPair {
  std::string certificate_pem;
  std::string key_pem;
};

/// A self-signed certificate for `common_name`, with `san` ("DNS:a", "IP:127.0.0.1") as its subject
/// alternative name.
KeyPair make_key_pair(const std::string& common_name, const std::string& san);

/// bcrypt of `password` at cost 4.
std::string bcrypt(const std::string& password);

}  // namespace wk::exporter
