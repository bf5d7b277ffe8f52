"""The TLS client port, with each kind of key store."""

import datetime
import re
import ssl
import subprocess
import unittest

import lab_path  # pylint: disable=unused-import
from lab import apache, process, tls


class TlsPort(unittest.TestCase):
    """ServerTls with Debian's ZooKeeper."""

    @classmethod
    def setUpClass(cls):
        cls.authority = tls.CertificateAuthority()
        cls.server = cls.authority.issue("localhost")
        cls.client = cls.authority.issue("a client", usage="client")

    def s_client(self, port, *options):
        return subprocess.run([process.find_program("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{port}",
                               "-CAfile", self.authority.certificate, "-verify_return_error", "-verify_ip", "127.0.0.1",
                               "-quiet", "-ign_eof", *options],
                              input="srvr", capture_output=True, text=True, timeout=30, check=False)

    def test_pem_beside_the_plain_port(self):
        with apache.ApacheEnsemble(1, tls=tls.ServerTls(self.authority, self.server)) as ensemble:
            member = ensemble.member(1)
            done = self.s_client(member.secure_port)
            self.assertIn("Mode: standalone", done.stdout)
            self.assertIn("Mode: standalone", member.ask("srvr"))

    def test_client_certificate_is_needed_and_there_is_no_plain_port(self):
        settings = tls.ServerTls(self.authority, self.server, self.client, client_auth="need", key_store="pkcs12",
                                 plain_port=False)
        with apache.ApacheEnsemble(1, tls=settings) as ensemble:
            member = ensemble.member(1)
            self.assertIsNone(member.client_port)
            self.assertEqual(member.mode(), "standalone")
            self.assertNotIn("Mode:", self.s_client(member.secure_port).stdout)
            done = self.s_client(member.secure_port, "-cert", self.client.certificate, "-key", self.client.key)
            self.assertIn("Mode: standalone", done.stdout)

    def test_jks(self):
        settings = tls.ServerTls(self.authority, self.server, key_store="jks")
        with apache.ApacheEnsemble(1, tls=settings) as ensemble:
            self.assertIn("Mode: standalone", self.s_client(ensemble.member(1).secure_port).stdout)

    def test_expiry_is_as_chosen(self):
        for valid_s in (90.0, -60.0):
            bundle = self.authority.issue("short", valid_s=valid_s)
            text = subprocess.run(["openssl", "x509", "-in", bundle.certificate, "-noout", "-enddate"],
                                  capture_output=True, text=True, check=True).stdout
            end = ssl.cert_time_to_seconds(re.fullmatch(r"notAfter=(.*)\n", text).group(1))
            self.assertEqual(end, bundle.not_after.timestamp())
            left = end - datetime.datetime.now().timestamp()
            self.assertTrue(valid_s - 30 < left <= valid_s, left)

    def test_expired_server_certificate_is_served(self):
        expired = self.authority.issue("localhost", valid_s=-60.0)
        with apache.ApacheEnsemble(1, tls=tls.ServerTls(self.authority, expired)) as ensemble:
            done = self.s_client(ensemble.member(1).secure_port)
            self.assertIn("certificate has expired", done.stderr)


if __name__ == "__main__":
    unittest.main()
