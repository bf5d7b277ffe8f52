// The civetweb library as a process uses it: initialised once, with an OpenSSL that it can work with.
//
// Debian 12's civetweb 1.15 loads "libssl.so" and "libcrypto.so" when it first needs TLS, and lacks a
// function of them under OpenSSL 3. Two small libraries of ours bear these names and are loaded before it
// looks (docs/adr/0002-civetweb-tls.md). Thread: any; the first call decides for the life of the process.
#pragma once

#include <filesystem>

#include "base/error.h"

namespace wk::exporter {

/// Prepares civetweb for servers without TLS.
void prepare_civetweb();

/// Prepares civetweb for servers with TLS.
/// \return  Errc::kTls that names the file that is missing or unfit
Result<void> prepare_civetweb_tls();

/// Loads libcrypto.so and libssl.so from `directory` for good, so that later loads of these bare names find
/// them. \return  Errc::kTls that names the file
Result<void> load_civetweb_openssl(const std::filesystem::path& directory);

}  // namespace wk::exporter
