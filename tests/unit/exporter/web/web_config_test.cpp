#include "exporter/web/web_config.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "exporter/web/tls_context.h"
#include "exporter/web/web_config_file.h"
#include "tests/unit/exporter/web/test_files.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

class WebConfigTest : public testing::Test {
 protected:
  /// The message of the error that loading `yaml` gives, without the directory; "" when it loads.
  std::string fault(std::string_view yaml) {
    const auto path = directory_.write("web.yml", yaml);
    const auto loaded = load_web_config(path);
    if (loaded) return "";
    EXPECT_EQ(loaded.error().message.find('\n'), std::string::npos);
    const std::string prefix = path.string();
    return loaded.error().message.starts_with(prefix) ? loaded.error().message.substr(prefix.size())
                                                      : loaded.error().message;
  }

  TemporaryDirectory directory_;
};

TEST_F(WebConfigTest, EmptyFileIsPlainAndOpen) {
  for (const char* yaml :
       {"", "# nothing\n", "{}", "tls_server_config:\nbasic_auth_users:\n", "tls_server_config: {}"}) {
    const auto loaded = load_web_config(directory_.write("web.yml", yaml));
    ASSERT_TRUE(loaded.has_value()) << yaml;
    EXPECT_FALSE(loaded->tls.has_value());
    EXPECT_TRUE(loaded->users.empty());
  }
}

TEST_F(WebConfigTest, ReadsEverything) {
  const KeyPair pair = make_key_pair("server", "DNS:localhost");
  directory_.write("c.pem", pair.certificate_pem);
  directory_.write("k.pem", pair.key_pem);
  const auto loaded = load_web_config(directory_.write("web.yml", fmt::format(R"(
tls_server_config:
  cert_file: c.pem
  key_file: k.pem
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: c.pem
  client_allowed_sans: [a, b]
  min_version: TLS13
  max_version: TLS13
  cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305]
  curve_preferences: [X25519, CurveP256]
  prefer_server_cipher_suites: false
http_server_config:
  http2: true
  headers:
    X-Frame-Options: sameorigin
basic_auth_users:
  ann: {}
)",
                                                                              bcrypt("secret"))));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  ASSERT_TRUE(loaded->tls.has_value());
  EXPECT_EQ(loaded->tls->certificate_pem, pair.certificate_pem);
  EXPECT_EQ(loaded->tls->key_pem, pair.key_pem);
  EXPECT_EQ(loaded->tls->client_ca_pem, pair.certificate_pem);
  EXPECT_EQ(loaded->tls->client_auth, ClientAuth::kRequireAndVerifyClientCert);
  EXPECT_EQ(loaded->tls->client_allowed_sans, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(loaded->tls->min_version, 0x0304);
  EXPECT_EQ(loaded->tls->curve_preferences, (std::vector<std::string>{"X25519", "P-256"}));
  EXPECT_FALSE(loaded->tls->prefer_server_cipher_suites);
  EXPECT_EQ(loaded->headers.at("X-Frame-Options"), "sameorigin");
  EXPECT_EQ(loaded->users.at("ann"), bcrypt("secret"));
  ASSERT_EQ(loaded->warnings.size(), 1U);
  EXPECT_NE(loaded->warnings[0].find("web.yml:14: http2 has no effect"), std::string::npos);
  EXPECT_EQ(loaded->files.size(), 4U);
  EXPECT_TRUE(TlsContext::make(*loaded->tls, "web.yml").has_value());
}

TEST_F(WebConfigTest, WhatGuardsNothingIsAWarning) {
  const auto loaded =
      load_web_config(directory_.write("web.yml", "tls_server_config: {}\nbasic_auth_users:\n"));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  ASSERT_EQ(loaded->warnings.size(), 2U);
  EXPECT_NE(loaded->warnings[0].find("web.yml:1: tls_server_config is empty: this server speaks plain HTTP"),
            std::string::npos);
  EXPECT_NE(loaded->warnings[1].find("web.yml:2: basic_auth_users is empty: nobody is asked for a password"),
            std::string::npos);
}

TEST_F(WebConfigTest, ASecondDocumentIsAFault) {
  const auto loaded =
      load_web_config(directory_.write("web.yml", "tls_server_config: {}\n---\nbasic_auth_users: {}\n"));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_NE(loaded.error().message.find("web.yml:2: a second document begins here"), std::string::npos);
}

TEST_F(WebConfigTest, TakesWhatTheToolkitTakes) {
  const auto limited =
      load_web_config(directory_.write("web.yml", "rate_limit:\n  interval: 1s\n  burst: 5\n"));
  ASSERT_TRUE(limited.has_value()) << limited.error().message;
  ASSERT_EQ(limited->warnings.size(), 1U);
  EXPECT_NE(limited->warnings[0].find("web.yml:2: rate_limit has no effect"), std::string::npos);
  const auto old_name = load_web_config(directory_.write(
      "web.yml", "tls_server_config: {cert: a, key: b, client_auth_type: RequireClientCert}"));
  ASSERT_TRUE(old_name.has_value()) << old_name.error().message;
  EXPECT_EQ(old_name->tls->client_auth, ClientAuth::kRequireAnyClientCert);
}

TEST_F(WebConfigTest, FaultsNameLineKeyAndRemedy) {
  EXPECT_EQ(fault("tls_server_confg: {}"),
            ":1: tls_server_confg: unknown key; did you mean tls_server_config?");
  EXPECT_EQ(fault("\nzzz: 1"),
            ":2: zzz: unknown key; known here: tls_server_config, http_server_config, basic_auth_users, "
            "rate_limit");
  EXPECT_EQ(fault("tls_server_config:\n  cert_fil: x"), ":2: cert_fil: unknown key; did you mean cert_file?");
  EXPECT_EQ(fault("tls_server_config: [1]"),
            ":1: tls_server_config: must be a map of keys, as in 'key: value'");
  EXPECT_EQ(fault("tls_server_config:\n  key: x"),
            ":2: tls_server_config: needs cert_file (or cert) to serve TLS");
  EXPECT_EQ(fault("tls_server_config:\n  cert: a\n  cert: b"), ":3: cert: stands here twice; remove one");
  EXPECT_EQ(fault("tls_server_config:\n  cert: a\n  cert_file: b"),
            ":2: cert: stands beside cert_file; keep one of them");
  EXPECT_EQ(fault("tls_server_config:\n  cert: [a]"), ":2: cert: must be one text value");
  EXPECT_EQ(fault("tls_server_config: {cert: a, key: b, client_auth_type: AskNicely}"),
            ":1: client_auth_type: unknown value 'AskNicely'; known here: NoClientCert, RequestClientCert, "
            "RequireAnyClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert");
  EXPECT_EQ(fault("tls_server_config: {cert: a, key: b, min_version: TLS1.2}"),
            ":1: min_version: unknown value 'TLS1.2'; write TLS12 or TLS13 (TLS10 and TLS11 where OpenSSL "
            "still permits them)");
  EXPECT_EQ(fault("tls_server_config: {cert: a, key: b, min_version: TLS13, max_version: TLS12}"),
            ":1: min_version: is above max_version; no client could connect");
  EXPECT_EQ(fault("tls_server_config: {cert: a, key: b, client_ca: c}"),
            ":1: tls_server_config: names client certificate authorities but asks for no certificate; add "
            "client_auth_type: RequireAndVerifyClientCert, or remove client_ca_file");
  for (const char* type : {"NoClientCert", "RequestClientCert", "VerifyClientCertIfGiven"}) {
    EXPECT_EQ(
        fault(fmt::format("tls_server_config:\n  cert: a\n  key: b\n  client_auth_type: {}\n"
                          "  client_allowed_sans: [a]",
                          type)),
        ":5: client_allowed_sans: would not keep out clients without a certificate; add client_auth_type: "
        "RequireAndVerifyClientCert");
  }
  EXPECT_EQ(fault("rate_limit: {rate: 1}"), ":1: rate: unknown key; known here: interval, burst");
  EXPECT_EQ(
      fault("tls_server_config: {cert: a, key: b, curve_preferences: [P256]}"),
      ":1: curve_preferences: unknown curve 'P256'; known here: CurveP256, CurveP384, CurveP521, X25519");
  EXPECT_EQ(fault("tls_server_config: {cert: a, key: b, cipher_suites: x}"),
            ":1: cipher_suites: must be a list, as in [a, b]");
  EXPECT_EQ(fault("http_server_config: {http2: maybe}"), ":1: http2: must be true or false");
  EXPECT_EQ(fault("http_server_config:\n  headers:\n    X-Frame-Options: allow"),
            ":3: X-Frame-Options: must be deny or sameorigin");
  EXPECT_EQ(fault("http_server_config:\n  headers: {Content-Security-Policy: \"a\\r\\nSet-Cookie: b\"}"),
            ":2: Content-Security-Policy: must be one line without control characters");
  EXPECT_EQ(fault("http_server_config:\n  headers: {Server: x}").substr(0, 24), ":2: Server: unknown key;");
  EXPECT_EQ(fault("basic_auth_users:\n  ann: secret"),
            ":2: basic_auth_users.ann: is not a bcrypt hash ($2a$, $2b$ or $2y$); make one with: htpasswd "
            "-nBC 10 \"\" | tr -d ':'");
  EXPECT_EQ(fault("basic_auth_users:\n  \"a:b\": x"),
            ":2: basic_auth_users.a:b: a user name must not be empty nor contain ':' (HTTP cannot carry it)");
  EXPECT_EQ(fault("basic_auth_users:\n  ann: $2b$17" + bcrypt("x").substr(6)),
            ":2: basic_auth_users.ann: has bcrypt cost 17, more than 16: each request would take many "
            "seconds; use 10 to 12");
  EXPECT_EQ(fault("a: [").substr(0, 13), ":1: is not YA");
  EXPECT_EQ(fault("just text"), ":1: must be a map of keys, as in 'key: value'");
}

TEST_F(WebConfigTest, MissingFilesAreNamed) {
  const auto none = load_web_config(directory_ / "none.yml");
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, Errc::kNotFound);
  const auto directory = load_web_config(directory_ / "");
  EXPECT_FALSE(directory.has_value());
  const auto loaded =
      load_web_config(directory_.write("web.yml", "tls_server_config:\n  cert_file: no.pem\n  key: x"));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_NE(loaded.error().message.find("web.yml:2: cert_file: "), std::string::npos)
      << loaded.error().message;
  EXPECT_NE(loaded.error().message.find("no.pem: No such file or directory"), std::string::npos);
}

TEST(TlsContext, SaysWhatOpenSslRefuses) {
  const KeyPair pair = make_key_pair("server", "DNS:localhost");
  const auto reason = [&](auto change) {
    TlsServerConfig config;
    config.certificate_pem = pair.certificate_pem;
    config.key_pem = pair.key_pem;
    change(config);
    const auto made = TlsContext::make(config, "web.yml");
    return made ? std::string() : made.error().message;
  };
  const auto has = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_EQ(reason([](auto&) {}), "");
  EXPECT_TRUE(has(reason([](auto& c) { c.certificate_pem = "x"; }),
                  "web.yml: tls_server_config: the certificate cannot be used"));
  EXPECT_TRUE(has(reason([](auto& c) { c.key_pem = "x"; }), "the key cannot be used"));
  EXPECT_TRUE(has(reason([](auto& c) { c.key_pem = make_key_pair("other", "DNS:o").key_pem; }), "the key "));
  EXPECT_TRUE(has(reason([](auto& c) { c.cipher_suites = {"RC4"}; }), "OpenSSL does not know 'RC4'"));
  EXPECT_TRUE(has(reason([](auto& c) {
                    c.cipher_suites = {"TLS_AES_128_GCM_SHA256"};
                    c.max_version = 0x0303;
                  }),
                  "only for TLS 1.3"));
  EXPECT_EQ(reason([](auto& c) { c.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}; }), "");
  EXPECT_TRUE(has(reason([](auto& c) {
                    c.client_auth = ClientAuth::kRequireAndVerifyClientCert;
                    c.client_ca_pem = "x";
                  }),
                  "client_ca_file cannot be used"));
}

class WebConfigFileTest : public WebConfigTest {
 protected:
  const WebConfigFile::TimePoint start_{100s};
};

TEST_F(WebConfigFileTest, TakesUpAChangeAfterASecondAndNotBefore) {
  const auto path = directory_.write("web.yml", "basic_auth_users: {ann: " + bcrypt("a") + "}");
  const auto file = *WebConfigFile::open(path, start_);
  directory_.write("web.yml", "basic_auth_users: {bob: " + bcrypt("b") + "}");
  EXPECT_TRUE(file->current(start_ + 999ms)->config.users.contains("ann"));
  EXPECT_TRUE(file->current(start_ + 1s)->config.users.contains("bob"));
  EXPECT_EQ(file->reloads().succeeded, 1U);
  EXPECT_TRUE(file->current(start_ + 2s)->config.users.contains("bob"));
  EXPECT_EQ(file->reloads().succeeded, 1U);
}

TEST_F(WebConfigFileTest, KeepsTheLastGoodOneAndReportsOnce) {
  const auto path = directory_.write("web.yml", "basic_auth_users: {ann: " + bcrypt("a") + "}");
  const auto file = *WebConfigFile::open(path, start_);
  directory_.write("web.yml", "basic_auth_users: {ann: plain}");
  EXPECT_TRUE(file->current(start_ + 1s)->config.users.contains("ann"));
  EXPECT_TRUE(file->current(start_ + 2s)->config.users.contains("ann"));
  EXPECT_EQ(file->reloads().failed, 1U);
  std::filesystem::remove(path);
  EXPECT_TRUE(file->current(start_ + 3s)->config.users.contains("ann"));
  EXPECT_EQ(file->reloads().failed, 2U);
  directory_.write("web.yml", "basic_auth_users: {bob: " + bcrypt("b") + "}");
  EXPECT_TRUE(file->current(start_ + 4s)->config.users.contains("bob"));
  EXPECT_EQ(file->reloads().succeeded, 1U);
}

TEST_F(WebConfigFileTest, TakesUpANewFileThatAppearsAfterItsName) {
  const KeyPair first = make_key_pair("first", "DNS:localhost");
  const KeyPair second = make_key_pair("second", "DNS:localhost");
  directory_.write("a.pem", first.certificate_pem);
  directory_.write("a.key", first.key_pem);
  directory_.write("b.key", second.key_pem);
  const auto file = *WebConfigFile::open(
      directory_.write("web.yml", "tls_server_config: {cert_file: a.pem, key_file: a.key}"), start_);
  directory_.write("web.yml", "tls_server_config: {cert_file: b.pem, key_file: b.key}");
  EXPECT_EQ(file->current(start_ + 1s)->config.tls->certificate_pem, first.certificate_pem);
  EXPECT_EQ(file->reloads().failed, 1U);
  // The same reason again is neither told nor counted.
  EXPECT_EQ(file->current(start_ + 11s)->config.tls->certificate_pem, first.certificate_pem);
  EXPECT_EQ(file->reloads().failed, 1U);
  directory_.write("b.pem", second.certificate_pem);
  EXPECT_EQ(file->current(start_ + 20s)->config.tls->certificate_pem, first.certificate_pem);
  EXPECT_EQ(file->current(start_ + 21s)->config.tls->certificate_pem, second.certificate_pem);
  EXPECT_EQ(file->reloads().succeeded, 1U);
  EXPECT_EQ(file->reloads().failed, 1U);
}

TEST_F(WebConfigFileTest, AnEmptiedFileDoesNotOpenTheDoor) {
  const KeyPair pair = make_key_pair("server", "DNS:localhost");
  directory_.write("c.pem", pair.certificate_pem);
  directory_.write("k.pem", pair.key_pem);
  const std::string tls = "tls_server_config: {cert_file: c.pem, key_file: k.pem}\n";
  const auto path = directory_.write("web.yml", tls + "basic_auth_users: {ann: " + bcrypt("a") + "}");
  const auto file = *WebConfigFile::open(path, start_);
  directory_.write("web.yml", "");
  EXPECT_NE(file->current(start_ + 1s)->tls, nullptr);
  directory_.write("web.yml", tls);
  EXPECT_TRUE(file->current(start_ + 2s)->config.users.contains("ann"));
  EXPECT_EQ(file->reloads().failed, 2U);
}

TEST_F(WebConfigFileTest, RequiredClientCertificatesStayRequired) {
  const KeyPair pair = make_key_pair("server", "DNS:localhost");
  directory_.write("c.pem", pair.certificate_pem);
  directory_.write("k.pem", pair.key_pem);
  const std::string tls = "tls_server_config:\n  cert_file: c.pem\n  key_file: k.pem\n";
  const auto path = directory_.write("web.yml", tls + "  client_auth_type: RequireAnyClientCert\n");
  const auto file = *WebConfigFile::open(path, start_);
  directory_.write("web.yml", tls);
  EXPECT_EQ(file->current(start_ + 1s)->config.tls->client_auth, ClientAuth::kRequireAnyClientCert);
  directory_.write("web.yml", tls + "  client_auth_type: VerifyClientCertIfGiven\n");
  EXPECT_EQ(file->current(start_ + 2s)->config.tls->client_auth, ClientAuth::kRequireAnyClientCert);
  EXPECT_EQ(file->reloads().succeeded, 0U);
  directory_.write("web.yml",
                   tls + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: c.pem\n");
  EXPECT_EQ(file->current(start_ + 3s)->config.tls->client_auth, ClientAuth::kRequireAndVerifyClientCert);
}

TEST_F(WebConfigFileTest, NoticesAChangedCertificate) {
  const KeyPair first = make_key_pair("first", "DNS:localhost");
  const KeyPair second = make_key_pair("second", "DNS:localhost");
  directory_.write("c.pem", first.certificate_pem);
  directory_.write("k.pem", first.key_pem);
  const auto file = *WebConfigFile::open(
      directory_.write("web.yml", "tls_server_config: {cert_file: c.pem, key_file: k.pem}"), start_);
  const auto before = file->current(start_);
  // Between the two files of a rotation the pair does not fit: the old one stays.
  directory_.write("c.pem", second.certificate_pem);
  EXPECT_EQ(file->current(start_ + 1s)->tls, before->tls);
  EXPECT_EQ(file->reloads().failed, 1U);
  directory_.write("k.pem", second.key_pem);
  const auto after = file->current(start_ + 2s);
  EXPECT_NE(after->tls, before->tls);
  EXPECT_EQ(after->config.tls->certificate_pem, second.certificate_pem);
}

}  // namespace
}  // namespace wk::exporter
