// Visits over TLS, against certificates made in the test.
#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>

#include "exporter/poll/tls_client.h"
#include "exporter/poll/visit.h"
#include "tests/unit/exporter/poll/visit_fixture.h"

namespace wk::exporter {
namespace {

namespace asio = boost::asio;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

/// A self-signed certificate with its key.
struct Identity {
  std::unique_ptr<EVP_PKEY, FreeKey> key;
  std::unique_ptr<X509, FreeCertificate> certificate;

  /// \param names  subject alternative names: "DNS:zk1.example,IP:127.0.0.1"
  static Identity make(const std::string& names, long seconds_left = 86'400) {
    Identity identity;
    identity.key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    identity.certificate.reset(X509_new());
    X509* x = identity.certificate.get();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -172'800);
    X509_gmtime_adj(X509_getm_notAfter(x), seconds_left);
    X509_set_pubkey(x, identity.key.get());
    X509_NAME* name = X509_get_subject_name(x);
    const std::array<unsigned char, 2> common_name{'z', 'k'};
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name.data(), 2, -1, 0);
    X509_set_issuer_name(x, name);
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x, x, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, names.c_str());
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(x, identity.key.get(), EVP_sha256());
    return identity;
  }

  void write(const std::filesystem::path& certificate_file, const std::filesystem::path& key_file) const {
    std::FILE* file = std::fopen(certificate_file.c_str(), "w");
    PEM_write_X509(file, certificate.get());
    std::fclose(file);
    file = std::fopen(key_file.c_str(), "w");
    PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }

  [[nodiscard]] std::shared_ptr<asio::ssl::context> server_context() const {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    SSL_CTX_use_certificate(context->native_handle(), certificate.get());
    SSL_CTX_use_PrivateKey(context->native_handle(), key.get());
    const std::array<unsigned char, 4> id{'t', 'e', 's', 't'};
    SSL_CTX_set_session_id_context(context->native_handle(), id.data(), id.size());
    return context;
  }
};

class VisitTlsTest : public VisitTest {
 protected:
  VisitTlsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wk-poll-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    identity.write(folder / "cert.pem", folder / "key.pem");
  }
  ~VisitTlsTest() override { std::filesystem::remove_all(folder); }

  TargetSpec target(const ScriptedServer& server) const {
    TargetSpec spec = loopback(server.port());
    spec.tls = TlsSpec{};
    spec.tls->ca_file = folder / "cert.pem";
    return spec;
  }
  /// The end of validity that Identity::make(…, seconds_left) wrote, to the minute.
  static void expect_ends_in(const PollReport& report, long seconds_left) {
    ASSERT_TRUE(report.certificate_not_after.has_value());
    const auto left = *report.certificate_not_after - std::chrono::system_clock::now();
    EXPECT_LT(left, std::chrono::seconds{seconds_left + 1});
    EXPECT_GT(left, std::chrono::seconds{seconds_left - 60});
  }

  /// One exchange in memory, whose session is kept afterwards. Whether it resumed one.
  static bool resumes(
      TlsClient& client, asio::ssl::context& server, TlsClient::Time now,
      const std::function<void()>& before_the_end = [] {}) {
    const auto context = client.context(now);
    const std::unique_ptr<SSL, decltype(&SSL_free)> near(SSL_new((*context)->native_handle()), &SSL_free);
    const std::unique_ptr<SSL, decltype(&SSL_free)> far(SSL_new(server.native_handle()), &SSL_free);
    BIO* near_end = nullptr;
    BIO* far_end = nullptr;
    BIO_new_bio_pair(&near_end, 0, &far_end, 0);
    SSL_set_bio(near.get(), near_end, near_end);
    SSL_set_bio(far.get(), far_end, far_end);
    SSL_set_connect_state(near.get());
    SSL_set_accept_state(far.get());
    EXPECT_TRUE(client.prepare(near.get(), "127.0.0.1", "peer", now));
    for (int i = 0; i < 10; ++i) {
      SSL_do_handshake(near.get());
      SSL_do_handshake(far.get());
    }
    EXPECT_TRUE(SSL_is_init_finished(near.get()));
    char byte = 'x';
    SSL_write(far.get(), &byte, 1);
    EXPECT_EQ(SSL_read(near.get(), &byte, 1), 1);  // brings the tickets, too
    before_the_end();
    SSL_set_shutdown(near.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    client.keep_session(near.get(), "peer", now);
    return SSL_session_reused(near.get()) == 1;
  }

  const Identity identity = Identity::make("DNS:zk1.example,IP:127.0.0.1");
  std::filesystem::path folder;
  const ScriptedServer::Script member = words({{"mntr", kMntrText}, {"srvr", kSrvrText}, {"ruok", "imok"}});
};

TEST_F(VisitTlsTest, AddressInTheCertificateIsAccepted) {
  ScriptedServer server(io, {member}, identity.server_context());
  const PollReport report = visit(target(server));
  EXPECT_EQ(probe(report, Probe::kMntr).state, SourceState::kOk);
  EXPECT_EQ(probe(report, Probe::kSrvr).state, SourceState::kOk);
  expect_ends_in(report, 86'400);
}

TEST_F(VisitTlsTest, LaterWordsResumeTheSession) {
  ScriptedServer server(io, {member}, identity.server_context());
  visit(target(server));
  EXPECT_GE(server.connections(), 3);
  EXPECT_EQ(server.resumed(), server.connections() - 1);
}

TEST_F(VisitTlsTest, SessionOfAnExpiredCertificateIsNotResumed) {
  // Without verification, so that the first handshake succeeds: what is kept is judged in the same way.
  const Identity expired = Identity::make("IP:127.0.0.1", -3600);
  ScriptedServer server(io, {member}, expired.server_context());
  TargetSpec spec = target(server);
  spec.tls->verify = false;
  visit(spec);
  EXPECT_GE(server.connections(), 3);
  EXPECT_EQ(server.resumed(), 0);
}

TEST_F(VisitTlsTest, SessionIsResumedForTenMinutesAfterTheCertificateWasVerified) {
  const auto server = identity.server_context();
  TlsClient client(
      TlsSpec{.ca_file = folder / "cert.pem", .cert_file = {}, .key_file = {}, .server_name = {}});
  const std::chrono::steady_clock::time_point start{std::chrono::hours{1}};
  EXPECT_FALSE(resumes(client, *server, start));
  EXPECT_TRUE(resumes(client, *server, start + std::chrono::minutes{5}));
  EXPECT_TRUE(resumes(client, *server, start + std::chrono::minutes{9}));
  EXPECT_FALSE(resumes(client, *server, start + std::chrono::minutes{10}));
  EXPECT_TRUE(resumes(client, *server, start + std::chrono::minutes{19}));
}

TEST_F(VisitTlsTest, SessionOfAnEarlierContextIsNotKept) {
  const auto server = identity.server_context();
  TlsClient client(
      TlsSpec{.ca_file = folder / "cert.pem", .cert_file = {}, .key_file = {}, .server_name = {}});
  const std::chrono::steady_clock::time_point start{std::chrono::hours{1}};
  EXPECT_FALSE(resumes(client, *server, start, [&] {
    const auto written = std::filesystem::last_write_time(folder / "cert.pem");
    std::filesystem::last_write_time(folder / "cert.pem", written + std::chrono::seconds{5});
    EXPECT_TRUE(client.context(start + kTlsFileCheck));
  }));
  EXPECT_FALSE(resumes(client, *server, start + kTlsFileCheck));
}

TEST_F(VisitTlsTest, NameOverridesTheHost) {
  ScriptedServer server(io, {member}, identity.server_context());
  TargetSpec spec = target(server);
  spec.tls->server_name = "zk1.example";
  EXPECT_EQ(probe(visit(spec), Probe::kMntr).state, SourceState::kOk);
}

TEST_F(VisitTlsTest, OtherNameIsATlsFailureAndExpiryIsStillTold) {
  ScriptedServer server(io, {member}, identity.server_context());
  TargetSpec spec = target(server);
  spec.tls->server_name = "zk2.example";
  const PollReport report = visit(spec);
  EXPECT_THAT(outline(report), ElementsAre("mntr:tls_failure"));
  EXPECT_THAT(report.probes[0].detail, HasSubstr("certificate for zk2.example: hostname mismatch"));
  expect_ends_in(report, 86'400);
}

TEST_F(VisitTlsTest, OtherAddressIsATlsFailure) {
  const Identity other = Identity::make("IP:127.0.0.2");
  other.write(folder / "cert.pem", folder / "key.pem");
  ScriptedServer server(io, {member}, other.server_context());
  const PollReport report = visit(target(server));
  EXPECT_THAT(outline(report), ElementsAre("mntr:tls_failure"));
  EXPECT_THAT(report.probes[0].detail, HasSubstr("IP address mismatch"));
}

TEST_F(VisitTlsTest, AddressWithAZoneIsCheckedToo) {
  ScriptedServer server(io, {member}, identity.server_context());
  TargetSpec spec = target(server);
  spec.tls->server_name = "fe80::1%lo";
  const PollReport report = visit(spec);
  EXPECT_THAT(outline(report), ElementsAre("mntr:tls_failure"));
  EXPECT_THAT(report.probes[0].detail, HasSubstr("IP address mismatch"));
}

TEST_F(VisitTlsTest, NameThatCannotBeCheckedIsATlsFailure) {
  ScriptedServer server(io, {member}, identity.server_context());
  TargetSpec spec = target(server);
  spec.tls->server_name = std::string("zk1.example\0.org", 16);
  const PollReport report = visit(spec);
  EXPECT_THAT(outline(report), ElementsAre("mntr:tls_failure"));
  EXPECT_THAT(report.probes[0].detail, HasSubstr("cannot be checked"));
}

TEST_F(VisitTlsTest, ExpiredCertificateIsATlsFailureWithItsDate) {
  const Identity expired = Identity::make("IP:127.0.0.1", -3600);
  expired.write(folder / "cert.pem", folder / "key.pem");
  ScriptedServer server(io, {member}, expired.server_context());
  const PollReport report = visit(target(server));
  EXPECT_THAT(outline(report), ElementsAre("mntr:tls_failure"));
  EXPECT_THAT(report.probes[0].detail, HasSubstr("certificate has expired"));
  expect_ends_in(report, -3600);
}

TEST_F(VisitTlsTest, UnknownAuthorityIsATlsFailure) {
  const Identity other = Identity::make("IP:127.0.0.1");
  ScriptedServer server(io, {member}, other.server_context());
  EXPECT_THAT(outline(visit(target(server))), ElementsAre("mntr:tls_failure"));
}

TEST_F(VisitTlsTest, WithoutVerificationAnyCertificateWillDo) {
  const Identity other = Identity::make("DNS:elsewhere.example", -3600);
  ScriptedServer server(io, {member}, other.server_context());
  TargetSpec spec = target(server);
  spec.tls->verify = false;
  const PollReport report = visit(spec);
  EXPECT_EQ(probe(report, Probe::kMntr).state, SourceState::kOk);
  expect_ends_in(report, -3600);
}

TEST_F(VisitTlsTest, MissingClientCertificateIsATlsFailure) {
  const auto context = identity.server_context();
  context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  ScriptedServer server(io, {member}, context);
  EXPECT_EQ(visit(target(server)).probes.at(0).state, SourceState::kTlsFailure);
}

TEST_F(VisitTlsTest, ClientCertificateIsPresented) {
  const auto context = identity.server_context();
  context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  context->load_verify_file(folder / "cert.pem");
  ScriptedServer server(io, {member}, context);
  TargetSpec spec = target(server);
  spec.tls->cert_file = folder / "cert.pem";
  spec.tls->key_file = folder / "key.pem";
  EXPECT_EQ(probe(visit(spec), Probe::kMntr).state, SourceState::kOk);
}

TEST_F(VisitTlsTest, PlainServerIsATlsFailure) {
  ScriptedServer server(io, {says("This is no TLS\n")});
  EXPECT_THAT(outline(visit(target(server))), ElementsAre("mntr:tls_failure"));
}

TEST_F(VisitTlsTest, PeerThatNeverShakesHandsTimesOut) {
  ScriptedServer server(io, {hangs()});
  EXPECT_EQ(visit(target(server), kBrief).probes.at(0).state, SourceState::kTimedOut);
}

TEST_F(VisitTlsTest, BrokenFileIsATlsFailureThatNamesIt) {
  ScriptedServer server(io, {member}, identity.server_context());
  TargetSpec spec = target(server);
  spec.tls->ca_file = folder / "missing.pem";
  const PollReport report = visit(spec);
  EXPECT_THAT(outline(report), ElementsAre("mntr:tls_failure"));
  EXPECT_THAT(report.probes[0].detail, HasSubstr("missing.pem"));
}

TEST_F(VisitTlsTest, ChangedFilesMakeANewContextAfterTheCheckInterval) {
  const std::chrono::steady_clock::time_point start{std::chrono::hours{1}};
  TlsClient client(
      TlsSpec{.ca_file = folder / "cert.pem", .cert_file = {}, .key_file = {}, .server_name = {}});
  const auto first = client.context(start);
  ASSERT_TRUE(first);
  const auto written = std::filesystem::last_write_time(folder / "cert.pem");
  std::filesystem::last_write_time(folder / "cert.pem", written + std::chrono::seconds{5});
  EXPECT_EQ(*client.context(start + std::chrono::seconds{9}), *first);
  const auto second = client.context(start + std::chrono::seconds{10});
  EXPECT_NE(*second, *first);
  EXPECT_EQ(*client.context(start + std::chrono::seconds{30}), *second);
}

TEST_F(VisitTlsTest, BrokenFileIsReadAgainWhenWhole) {
  const std::chrono::steady_clock::time_point start{std::chrono::hours{1}};
  TlsClient client(
      TlsSpec{.ca_file = folder / "later.pem", .cert_file = {}, .key_file = {}, .server_name = {}});
  ASSERT_TRUE(client.context(start).has_error());
  EXPECT_EQ(client.context(start).error().code, Errc::kTls);
  std::filesystem::copy_file(folder / "cert.pem", folder / "later.pem");
  EXPECT_TRUE(client.context(start + std::chrono::seconds{9}).has_error());
  EXPECT_TRUE(client.context(start + std::chrono::seconds{10}).has_value());
}

TEST_F(VisitTlsTest, AFileThatBreaksLaterLeavesTheFormerContextInUse) {
  const std::chrono::steady_clock::time_point start{std::chrono::hours{1}};
  TlsClient client(TlsSpec{.ca_file = folder / "cert.pem",
                           .cert_file = folder / "cert.pem",
                           .key_file = folder / "key.pem",
                           .server_name = {}});
  const auto first = client.context(start);
  ASSERT_TRUE(first);
  const Identity renewed = Identity::make("IP:127.0.0.1");
  renewed.write(folder / "cert.pem", folder / "later.pem");
  const auto half = client.context(start + kTlsFileCheck);
  ASSERT_TRUE(half);
  EXPECT_EQ(*half, *first);
  std::filesystem::rename(folder / "later.pem", folder / "key.pem");
  const auto whole = client.context(start + kTlsFileCheck + kTlsFileAgain);
  ASSERT_TRUE(whole);
  EXPECT_NE(*whole, *first);
}

TEST_F(VisitTlsTest, HttpsAdminServerIsAskedWithTheTlsOfTheMember) {
  ScriptedServer client(io, {words({{"srvr", kSrvrText}})}, identity.server_context());
  ScriptedServer admin(io, {[](Peer& peer) -> asio::awaitable<void> {
                         for (;;) {
                           const std::string head = co_await peer.read_head();
                           if (head.empty()) co_return;
                           const std::string answer = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
                           co_await peer.write(answer);
                         }
                       }},
                       identity.server_context());
  TargetSpec spec = target(client);
  spec.admin_url = "https://127.0.0.1:" + std::to_string(admin.port()) + "/commands";
  const PollReport report = visit(spec);
  EXPECT_EQ(probe(report, Probe::kAdminMonitor).state, SourceState::kHttpError);
  EXPECT_EQ(probe(report, Probe::kAdminConfiguration).state, SourceState::kHttpError);
  EXPECT_EQ(admin.connections(), 1);
}

TEST_F(VisitTlsTest, HttpsAdminServerIsVerifiedToo) {
  ScriptedServer client(io, {words({{"srvr", kSrvrText}})});
  ScriptedServer admin(
      io, {[](Peer& peer) -> asio::awaitable<void> {
        co_await peer.read_head();
        co_await peer.write("HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      }},
      identity.server_context());
  TargetSpec spec = loopback(client.port());
  spec.admin_url = "https://127.0.0.1:" + std::to_string(admin.port()) + "/commands";
  const PollReport report = visit(spec);
  EXPECT_EQ(probe(report, Probe::kAdminMonitor).state, SourceState::kTlsFailure);  // the system trusts it not
  expect_ends_in(report, 86'400);
}

}  // namespace
}  // namespace wk::exporter
