"""Mistakes on the command line and in the configuration: one line that says where, what and what to do."""

import pathlib
import shutil
import subprocess
import unittest

from lab import stack, tls, workspace

import watching

_MEMBER = "--zookeeper=127.0.0.1:2181"

# Arguments, and what the one line has to contain: the flag, and words of the remedy.
_BAD_FLAGS = [
    ([], ["nothing to watch", "--zookeeper=HOST:PORT"]),
    (["zk1:2181"], ["unexpected argument \"zk1:2181\"", "--zookeeper=zk1:2181"]),
    (["--zookeper=zk1:2181"], ["unknown flag \"--zookeper\"", "did you mean --zookeeper?"]),
    (["--frobnicate"], ["unknown flag \"--frobnicate\"", "--help"]),
    (["--zookeeper"], ["--zookeeper", "the value is missing"]),
    (["--zookeeper="], ["--zookeeper", "the value is missing"]),
    (["--zookeeper=", "--canary=off"], ["--zookeeper", "the value is missing"]),
    (["--zookeeper=-x"], ["--zookeeper", "-x"]),
    (["--zookeeper=zk1:0"], ["--zookeeper", "zk1:0"]),
    (["--zookeeper=zk1:65536"], ["--zookeeper", "zk1:65536"]),
    (["--zookeeper=::1:2181"], ["--zookeeper", "\"::1:2181\"", "needs brackets", "[2001:db8::1]:2181"]),
    (["--zookeeper=zk1,::1"], ["--zookeeper", "\"::1\"", "needs brackets"]),
    (["--zookeeper=zk1:2181:3888"], ["--zookeeper", "\"zk1:2181:3888\""]),
    (["--zookeeper=2181"], ["--zookeeper", "\"2181\"", "only digits", "host:port"]),
    (["--zookeeper=[zk1]:2181"], ["--zookeeper", "\"[zk1]:2181\"", "IPv6"]),
    (["--zookeeper=10.0.0.256"], ["--zookeeper", "10.0.0.256", "0 to 255"]),
    (["--zookeeper=zk1:2181/kafka"], ["--zookeeper", "chroot"]),
    (["--zookeeper=tcp://zk1:2181"], ["--zookeeper", "scheme"]),
    ([_MEMBER, "--listen-address=*:9141"], ["--listen-address", "leave the host out"]),
    ([_MEMBER, "--listen-address=http://:9141"], ["--listen-address", "scheme"]),
    ([_MEMBER, "--tls=false", "--tls.ca-file=a.pem"], ["--tls=false", "--tls.ca-file", "exclude"]),
    ([_MEMBER, "--tls.server-name=a b"], ["--tls.server-name", "\"a b\""]),
    (["--zookeeper=zk1:port"], ["--zookeeper", "zk1:port"]),
    (["--zookeeper=zk1:2181,,zk2:2181"], ["--zookeeper", "host:port"]),
    (["--zookeeper=zk 1:2181"], ["--zookeeper", "host:port"]),
    (["--zookeeper=zk1\":2181"], ["--zookeeper", "host:port"]),
    (["--zookeeper=zk1:2181,zk1"], ["--zookeeper", "zk1:2181", "listed twice", "once"]),
    (["--zookeeper=" + ",".join(f"zk{n}" for n in range(101))], ["--zookeeper", "100", "--config.file"]),
    ([_MEMBER, "--config.file=x.yaml"], ["--zookeeper and --config.file exclude each other"]),
    (["--config.file=x.yaml", "--canary=write"], ["--canary", "write it into the file"]),
    (["--config.file=x.yaml", "--tls"], ["--tls", "write it into the file"]),
    ([_MEMBER, "--interval=5"], ["--interval", "\"5\"", "1s"]),
    ([_MEMBER, "--interval=19ms"], ["--interval", "\"19ms\"", "20ms to"]),
    ([_MEMBER, "--interval=61s"], ["--interval", "\"61s\"", "out of range"]),
    ([_MEMBER, "--interval=-1s"], ["--interval", "no duration"]),
    ([_MEMBER, "--interval=nan"], ["--interval", "no duration"]),
    ([_MEMBER, "--timeout=10ms"], ["--timeout", "50ms to"]),
    ([_MEMBER, "--interval=10s", "--detail-interval=1s"], ["--detail-interval", "shorter than the interval"]),
    ([_MEMBER, "--canary=reed"], ["--canary", "\"reed\"", "read"]),
    ([_MEMBER, "--ensemble=a\"b"], ["--ensemble", "without quotes"]),
    ([_MEMBER, "--ensemble=" + "x" * 65], ["--ensemble", "64"]),
    ([_MEMBER, "--admin-port=0"], ["--admin-port", "1 to 65535"]),
    ([_MEMBER, "--prometheus-port=70000"], ["--prometheus-port", "1 to 65535"]),
    ([_MEMBER, "--probe=maybe"], ["--probe", "\"maybe\"", "listed"]),
    ([_MEMBER, "--log.level=loud"], ["--log.level", "\"loud\"", "info"]),
    ([_MEMBER, "--log.format=xml"], ["--log.format", "\"xml\"", "text or json"]),
    ([_MEMBER, "--listen-address=localhost"], ["--listen-address"]),
    ([_MEMBER, "--listen-address=:99999"], ["--listen-address"]),
    ([_MEMBER, "--listen-address=:9141", "--listen-address=:9141"], ["--listen-address", "twice"]),
    ([_MEMBER, "--interval=1s", "--interval=2s"], ["--interval", "given 2 times", "once"]),
    ([_MEMBER, "--tls.cert-file=me.pem"], ["--tls.cert-file", "key"]),
    ([_MEMBER, "--tls.key-file=me.key"], ["--tls.key-file", "certificate"]),
    ([_MEMBER, "--tls.ca-file=/nowhere/ca.pem"], ["--tls.ca-file", "/nowhere/ca.pem"]),
    ([_MEMBER, "--family.zz"], ["unknown flag \"--family.zz\""]),
    ([_MEMBER, "--check=maybe"], ["--check"]),
    ([_MEMBER, "--ensemble=a\nb"], ["--ensemble"]),
]

# Text of the file, place (line), and words of the line.
_BAD_FILES = [
    ("", 1, ["empty", "ensembles"]),
    ("ensembles:\n", 1, ["ensembles", "write a list"]),
    ("ensembles: []\n", 1, ["ensembles", "empty list"]),
    ("ensembls:\n  - members: [a]\n", 1, ["ensembls", "did you mean \"ensembles\"?"]),
    ("- a\n- b\n", 1, ["a mapping", "ensembles"]),
    ("ensembles:\n  - name: one\n", 2, ["ensembles[0]", "\"members\" is missing"]),
    ("ensembles:\n  - members: [zk1, zk1:2181]\n", 2, ["listed twice"]),
    ("ensembles:\n  - members: [null]\n", 2, ["ensembles[0].members[0]", "is empty; write a value"]),
    ("ensembles:\n  - members: [zk1]\n    tls: {server_name: 'a b'}\n", 3, ["tls.server_name", "\"a b\""]),
    ("ensembles:\n  - members: [2181]\n", 2, ["ensembles[0].members[0]", "\"2181\"", "only digits"]),
    ("ensembles:\n  - members: ['::1:2181']\n", 2, ["ensembles[0].members[0]", "\"::1:2181\"", "needs brackets"]),
    ("ensembles:\n  - members: [zk1]\n    intervall: 1s\n", 3,
     ["ensembles[0].intervall", "did you mean \"interval\"?"]),
    ("ensembles:\n  - members: [zk1]\n    interval: 5\n", 3, ["ensembles[0].interval", "\"5\"", "1s"]),
    ("ensembles:\n  - members: [zk1]\n    interval: 1s\n    interval: 2s\n", 4, ["interval", "twice"]),
    ("ensembles:\n  - members: [zk1]\n    interval:\n    timeout: 1s\n", 3, ["interval", "empty"]),
    ("ensembles:\n  - members: [zk1]\n    canary: sometimes\n", 3, ["canary", "off, read or write"]),
    ("ensembles:\n  - members: [zk1]\n    canary: {mode: write, path: /zookeeper/x}\n", 3,
     ["canary.path", "belongs to ZooKeeper"]),
    ("ensembles:\n  - members: [zk1]\n    canary: {mode: write, auth: secret-without-colon}\n", 3,
     ["canary.auth", "user:password"]),
    ("ensembles:\n  - members: [zk1]\n    canary: {auth_file: missing.secret}\n", 3,
     ["canary.auth_file", "missing.secret"]),
    ("ensembles:\n  - members: [zk1]\n    tls: {cert_file: me.pem}\n", 3, ["tls", "key"]),
    ("ensembles:\n  - members: [zk1]\n    tls: {ca_file: nowhere.pem}\n", 3, ["tls.ca_file", "nowhere.pem"]),
    ("ensembles:\n  - members: [zk1]\n    tls: maybe\n", 3, ["tls", "true nor false"]),
    ("ensembles:\n  - members: [zk1]\n    admin_command_url: /x\n", 3, ["admin_command_url", "admin_port"]),
    ("ensembles:\n  - members: [zk1]\n    admin_port: many\n", 3, ["admin_port", "1 to 65535"]),
    ("ensembles:\n  - members:\n      - address: zk1\n        admin_url: http://me:secret@zk1/\n", 4,
     ["admin_url", "http_auth"]),
    ("ensembles:\n  - members:\n      - timeout: 2s\n", 3, ["\"address\" is missing"]),
    ("ensembles:\n  - members:\n      - address: 'zk1:notaport'\n", 3, ["address", "zk1:notaport"]),
    ("ensembles:\n  - members: [zk1]\n    http_auth: {username: me}\n", 3, ["http_auth", "password"]),
    ("ensembles:\n  - name: x\n    members: [zk1]\n  - name: x\n    members: [zk2]\n", 4,
     ["ensembles[1].name", "another ensemble is called \"x\""]),
    ("ensembles:\n  - {members: [zk1]}\n  - {members: [zk2]}\n", 3, ["another ensemble is called \"default\""]),
    ("ensembles:\n  - members: [zk1]\nprobe: perhaps\n", 3, ["probe", "perhaps"]),
    ("ensembles:\n  - members: [zk1]\nfamilies: [native, zoo]\n", 3, ["families[1]", "\"zoo\""]),
    ("ensembles:\n  - members: [zk1]\nlisten_address: [':1', ':1']\n", 3, ["listen_address[1]", "twice"]),
    ("ensembles:\n  - members: [zk1\n", None, ["no valid YAML"]),
    ("ensembles:\n\t- members: [zk1]\n", 2, ["no valid YAML"]),
    ("ensembles: [{members: [zk1]}]\n---\nensembles: []\n", None, ["second document"]),
]

_SECRET = "correct-horse-battery-staple"

_BAD_WEB_FILES = [
    ("tls_server_config: [1]\n", 1, ["tls_server_config", "map"]),
    ("tls_server_config: {key_file: k.pem}\n", 1, ["cert_file"]),
    ("tls_server_config: {cert_file: nowhere.pem, key_file: nowhere.key}\n", 1, ["nowhere.pem", "check the path"]),
    ("basic_auth_user:\n  me: x\n", 1, ["basic_auth_user", "did you mean basic_auth_users?"]),
    ("basic_auth_users:\n  me: " + _SECRET + "\n", 2, ["basic_auth_users.me", "bcrypt", "htpasswd"]),
    ("tls_server_config:\n---\nbasic_auth_users: {}\n", 2, ["second document"]),
    ("basic_auth_users: {\n", None, ["not YAML"]),
    ("tls_server_config:\n  cert_file: a\n  min_version: TLS9\n  key_file: b\n", None, ["a"]),
]


class _Runs(unittest.TestCase):
    """Runs the exporter to its end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.binary = stack.exporter_binary()
        except workspace.LabUnavailable as missing:
            raise unittest.SkipTest(str(missing)) from None
        cls.folder = workspace.new_folder("config-errors")
        cls.addClassCleanup(workspace.remove_folder, cls.folder)

    def run_exporter(self, *arguments):
        """Ends after five seconds at the latest: a mistake that is not found would run for ever."""
        try:
            return subprocess.run([self.binary, *arguments], capture_output=True, text=True, timeout=5, check=False,
                                  cwd=self.folder)
        except subprocess.TimeoutExpired as running:
            self.fail(f"the exporter runs with {arguments}: {(running.stdout or b'').decode()}")

    def assert_one_line(self, done, exit_status, words):
        self.assertEqual(done.returncode, exit_status, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.endswith("\n"), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(all(char >= " " for char in done.stderr[:-1]), repr(done.stderr))
        self.assertLess(len(done.stderr), 600, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


class Flags(_Runs):
    """Exit status 2."""

    def test_bad_flags(self):
        for arguments, words in _BAD_FLAGS:
            with self.subTest(arguments=[argument[:60] for argument in arguments]):
                # Before and behind another flag: none may swallow the other.
                self.assert_one_line(self.run_exporter("--family.zk", *arguments), 2,
                                     ["watchkeeper-exporter: ", *words])
                self.assert_one_line(self.run_exporter(*arguments, "--family.native"), 2,
                                     ["watchkeeper-exporter: ", *words])

    def test_without_check_the_same(self):
        self.assert_one_line(self.run_exporter(_MEMBER, "--interval=5"), 2, ["--interval"])

    def test_help_and_version(self):
        done = self.run_exporter("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("--zookeeper", "--config.file", "--web.config.file", "Examples:", "Exit status:"):
            self.assertIn(word, done.stdout)
        done = self.run_exporter("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^watchkeeper-exporter \d+\.\d+\.\d+ \(revision .+\)\n$")


class Files(_Runs):
    """Exit status 1."""

    def test_bad_files(self):
        for number, (text, line, words) in enumerate(_BAD_FILES):
            with self.subTest(text=text):
                path = self.folder / f"bad-{number}.yaml"
                path.write_text(text, encoding="utf-8")
                place = f"{path}:{line}:" if line is not None else f"{path}:"
                self.assert_one_line(self.run_exporter(f"--config.file={path}", "--check"), 1, [place, *words])
                self.assert_one_line(self.run_exporter(f"--config.file={path}"), 1, [place, *words])

    def test_unreadable_files(self):
        missing = self.folder / "missing.yaml"
        self.assert_one_line(self.run_exporter(f"--config.file={missing}"), 1,
                             [str(missing), "does not exist", "check the path"])
        self.assert_one_line(self.run_exporter(f"--config.file={self.folder}"), 1, [str(self.folder)])
        large = self.folder / "large.yaml"
        large.write_text("# " + "x" * (1 << 20) + "\n", encoding="utf-8")
        self.assert_one_line(self.run_exporter(f"--config.file={large}"), 1, [str(large)])
        binary = self.folder / "binary.yaml"
        binary.write_bytes(bytes(range(256)) * 4)
        self.assert_one_line(self.run_exporter(f"--config.file={binary}"), 1, [str(binary)])

    def test_endless_file_is_not_read_to_the_end(self):
        self.assert_one_line(self.run_exporter("--config.file=/dev/zero"), 1, ["/dev/zero"])

    def test_aliases_cannot_blow_up(self):
        bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n"
        for name, before in zip("bcdefghij", "abcdefghi"):
            bomb += f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n"
        path = self.folder / "bomb.yaml"
        path.write_text(bomb, encoding="utf-8")
        self.assert_one_line(self.run_exporter(f"--config.file={path}"), 1, [f"{path}:1:", "\"a\""])

    def test_no_message_shows_a_secret(self):
        path = self.folder / "secret.yaml"
        secret = self.folder / "secret.txt"
        secret.write_text(_SECRET + "\n", encoding="utf-8")
        for text in (f"ensembles:\n  - members: [zk1]\n    canary: {{auth: {_SECRET}}}\n",
                     f"ensembles:\n  - members: [zk1]\n    canary: {{auth_file: {secret}}}\n",
                     f"ensembles:\n  - members: [zk1]\n    http_auth: {{password: {_SECRET}}}\n",
                     f"ensembles:\n  - members: [{{address: zk1, admin_url: 'http://me:{_SECRET}@zk1/x'}}]\n"):
            with self.subTest(text=text):
                path.write_text(text, encoding="utf-8")
                done = self.run_exporter(f"--config.file={path}", "--check")
                self.assert_one_line(done, 1, [str(path)])
                self.assertNotIn(_SECRET, done.stderr)

    def test_bad_web_files(self):
        for number, (text, line, words) in enumerate(_BAD_WEB_FILES):
            with self.subTest(text=text):
                path = self.folder / f"web-{number}.yaml"
                path.write_text(text, encoding="utf-8")
                place = f"{path}:{line}" if line is not None else str(path)
                done = self.run_exporter(_MEMBER, f"--web.config.file={path}", "--check")
                self.assert_one_line(done, 1, [place, *words])
                self.assertNotIn(_SECRET, done.stderr)

    def test_files_that_do_not_fit_each_other(self):
        try:
            authority = tls.CertificateAuthority()
        except workspace.LabUnavailable as missing:
            self.skipTest(str(missing))
        one, other = authority.issue("one"), authority.issue("other")
        done = self.run_exporter(_MEMBER, f"--tls.cert-file={one.certificate}", f"--tls.key-file={other.key}",
                                 "--check")
        self.assert_one_line(done, 2, ["--tls.key-file"])
        path = self.folder / "mixed.yaml"
        path.write_text(f"ensembles:\n  - members: [zk1]\n    tls: {{cert_file: {one.certificate}, "
                        f"key_file: {other.key}}}\n", encoding="utf-8")
        self.assert_one_line(self.run_exporter(f"--config.file={path}", "--check"), 1, [f"{path}:3:", "key_file"])
        path.write_text(f"ensembles:\n  - members: [zk1]\n    tls: {{ca_file: {one.key}}}\n", encoding="utf-8")
        self.assert_one_line(self.run_exporter(f"--config.file={path}", "--check"), 1, [f"{path}:3:", "ca_file"])


class WebFiles(_Runs):
    """--check refuses whatever the start refuses, in the same words."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            authority = tls.CertificateAuthority()
        except workspace.LabUnavailable as missing:
            raise unittest.SkipTest(str(missing)) from None
        cls.addClassCleanup(workspace.remove_folder, authority.folder)
        cls.one, cls.other = authority.issue("one"), authority.issue("other")

    def write(self, certificate, key, more=""):
        path = self.folder / "web.yml"
        path.write_text(f"tls_server_config:\n  cert_file: {certificate}\n  key_file: {key}\n{more}", encoding="utf-8")
        return path

    def test_what_cannot_start_is_not_valid(self):
        no_pem = self.folder / "no.pem"
        no_pem.write_text("certificate\n", encoding="ascii")
        good = (self.one.certificate, self.one.key)
        for name, parts, words in (
                ("no PEM", (no_pem, self.one.key), ["the certificate cannot be used", "PEM"]),
                ("no PEM key", (self.one.certificate, no_pem), ["the key cannot be used", "PEM"]),
                ("another's key", (self.one.certificate, self.other.key), ["key", "belong to the certificate"]),
                ("swapped", (self.one.key, self.one.certificate), ["the certificate cannot be used", "PEM"]),
                ("unknown suite", (*good, "  cipher_suites: [TLS_NONSENSE]\n"), ["cipher_suites", "TLS_NONSENSE"]),
                ("no PEM of an authority", (*good, f"  client_ca_file: {no_pem}\n  client_auth_type: "
                                                   "RequireAndVerifyClientCert\n"), ["client_ca_file", "PEM"])):
            with self.subTest(name=name):
                path = self.write(*parts)
                arguments = (_MEMBER, "--listen-address=127.0.0.1:0", f"--web.config.file={path}")
                checked = self.run_exporter(*arguments, "--check")
                self.assert_one_line(checked, 1, [f"{path}: tls_server_config: ", *words])
                self.assertEqual(self.run_exporter(*arguments).stderr, checked.stderr)

    def test_an_installation_without_its_tls_libraries(self):
        path = self.write(self.one.certificate, self.one.key)
        folder = self.folder / "incomplete" / "bin"
        folder.mkdir(parents=True)
        binary = shutil.copy(self.binary, folder)
        arguments = [_MEMBER, "--listen-address=127.0.0.1:0", f"--web.config.file={path}"]
        for more in (["--check"], []):
            done = subprocess.run([binary, *arguments, *more], capture_output=True, text=True, timeout=5, check=False)
            self.assert_one_line(done, 1, ["watchkeeper-exporter: HTTPS is not possible", "lib/watchkeeper"])
        done = subprocess.run([binary, _MEMBER, "--check"], capture_output=True, text=True, timeout=5, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_an_address_that_cannot_be_listened_on(self):
        for more in (["--check"], []):
            self.assert_one_line(self.run_exporter(_MEMBER, "--listen-address=[::1]:9141", *more), 1,
                                 ["[::1]:9141", "no IPv6", "reverse proxy"])
            self.assert_one_line(self.run_exporter(_MEMBER, "--listen-address=127.0.0.1:1", "--listen-address=:1",
                                                   *more), 1, ["127.0.0.1:1 beside :1", "leave one of them out"])

    def test_good_files(self):
        done = self.run_exporter(_MEMBER, f"--web.config.file={self.write(self.one.chain, self.one.key)}", "--check")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, "the configuration is valid: 1 ensemble with 1 member\n")

    def test_what_has_no_effect_is_a_warning(self):
        path = self.write(self.one.chain, self.one.key, "http_server_config: {http2: true}\n")
        done = self.run_exporter(_MEMBER, f"--web.config.file={path}", "--check")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn("warning: ", done.stderr)
        self.assertIn("http2 has no effect", done.stderr)


class Check(_Runs):
    """--check with nothing wrong."""

    def test_good_flags(self):
        done = self.run_exporter("--zookeeper=zk1,zk2:2182,[2001:db8::1]:2181", "--check")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, "the configuration is valid: 1 ensemble with 3 members\n")

    def test_good_file_with_everything(self):
        try:
            authority = tls.CertificateAuthority()
        except workspace.LabUnavailable as missing:
            self.skipTest(str(missing))
        bundle = authority.issue("client", usage="client")
        (self.folder / "ops.secret").write_text("secret\n", encoding="utf-8")
        (self.folder / "canary.secret").write_text("user:password\n", encoding="utf-8")
        security = {"ca_file": str(authority.certificate), "cert_file": str(bundle.certificate),
                    "key_file": str(bundle.key), "server_name": "zk.example.org", "insecure_skip_verify": False}
        path = watching.write_configuration(pathlib.Path(self.folder), [
            {"name": "production", "interval": "1s", "detail_interval": "10s", "timeout": "900ms", "tls": security,
             "admin_port": 8080, "admin_command_url": "/commands", "prometheus_port": 7000,
             "http_auth": {"username": "ops", "password_file": "ops.secret"},
             "canary": {"mode": "write", "path": "/watchkeeper-canary", "auth_file": "canary.secret"},
             "members": ["zk1:2181", {"address": "zk2:2281", "timeout": "2s", "tls": False,
                                      "admin_url": "http://zk2:8080/commands",
                                      "prometheus_url": "https://zk2:7000/metrics",
                                      "http_auth": {"username": "me", "password": "secret"}}]},
            {"name": "staging", "canary": "off", "tls": {"insecure_skip_verify": True}, "members": ["zk9"]}],
            listen_address=[":9141", "127.0.0.1:9142"], families=["native"], probe="listed")
        done = self.run_exporter(f"--config.file={path}", "--check")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "the configuration is valid: 2 ensembles with 3 members\n")
        # What is allowed and dangerous is a warning.
        self.assertEqual(done.stderr.count("warning: "), 1, done.stderr)
        self.assertIn("zk9:2181", done.stderr)


if __name__ == "__main__":
    unittest.main()
