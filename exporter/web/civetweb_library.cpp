#include "exporter/web/civetweb_library.h"

#include <civetweb.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <system_error>

namespace wk::exporter {
namespace {

constexpr const char* kDirectory = "../lib/watchkeeper";

Result<void> load_and_initialise() {
  prepare_civetweb();
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    return Error{Errc::kTls, fmt::format("HTTPS is not possible: cannot find the directory of this program: "
                                         "/proc/self/exe: {}",
                                         error.message())};
  }
  const auto directory = (program.parent_path() / kDirectory).lexically_normal();
  if (const auto loaded = load_civetweb_openssl(directory); !loaded) return loaded.error();
  // civetweb's answer is what it could load; it would start without the rest, and crash at the first
  // connection.
  if ((mg_init_library(MG_FEATURES_TLS) & MG_FEATURES_TLS) == 0) {
    return Error{Errc::kTls,
                 fmt::format("HTTPS is not possible: civetweb {} does not get along with OpenSSL as loaded "
                             "through {}; serve plain HTTP behind a reverse proxy",
                             mg_version(), directory.string())};
  }
  return {};
}

}  // namespace

void prepare_civetweb() {
  struct Library {
    // The return value is the set of optional features, of which none is asked for.
    Library() { mg_init_library(MG_FEATURES_DEFAULT); }
    ~Library() { mg_exit_library(); }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
  };
  static const Library library;
}

Result<void> prepare_civetweb_tls() {
  static const Result<void> prepared = load_and_initialise();
  return prepared;
}

Result<void> load_civetweb_openssl(const std::filesystem::path& directory) {
  for (const char* name : {"libcrypto.so", "libssl.so"}) {
    const std::filesystem::path file = directory / name;
    // The handle is kept: the dynamic linker must know the library by its name (DT_SONAME) when civetweb asks
    // for it.
    if (dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
      const char* why = dlerror();
      return Error{Errc::kTls,
                   fmt::format("HTTPS is not possible: {} cannot be loaded ({}); this file belongs to the "
                               "installation of watchkeeper: reinstall it, or copy it beside the program",
                               file.string(), why != nullptr ? why : "no reason given")};
    }
  }
  return {};
}

}  // namespace wk::exporter
