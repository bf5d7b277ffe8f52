"""A certificate authority for tests, made with the openssl program: PEM, PKCS#12 and JKS key stores, any expiry."""

import dataclasses
import datetime
import pathlib
import re
import ssl
import subprocess

from . import process, workspace

_PASSWORD = "lab-password"

_CA_CONFIG = """\
[ca]
default_ca = lab
[lab]
dir = {folder}
new_certs_dir = {folder}/issued
database = {folder}/index.txt
serial = {folder}/serial
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
commonName = supplied
[server]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = {names}
[client]
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
subjectAltName = {names}
"""


@dataclasses.dataclass(frozen=True)
class Bundle:
    """A key and its certificate in the forms that servers and clients want.  All members but the last are paths."""
    key: pathlib.Path             # PKCS#8 PEM, not encrypted
    certificate: pathlib.Path     # PEM
    chain: pathlib.Path           # certificate, then the authority's
    combined: pathlib.Path        # key, certificate, authority: what ZooKeeper calls a PEM key store
    pkcs12: pathlib.Path          # password() opens it
    not_after: datetime.datetime  # UTC

    @staticmethod
    def password():
        return _PASSWORD

    def make_jks(self):
        """Converts to a JKS key store beside the others (about a second of keytool); returns its path."""
        path = self.pkcs12.with_suffix(".jks")
        if not path.exists():
            _run([process.find_program("keytool", "openjdk-17-jre-headless"), "-importkeystore", "-noprompt",
                  "-srckeystore", self.pkcs12, "-srcstoretype", "PKCS12", "-srcstorepass", _PASSWORD,
                  "-destkeystore", path, "-deststoretype", "JKS", "-deststorepass", _PASSWORD])
        return path


def _run(argv):
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(str(word) for word in argv[:3])} … failed:\n{done.stderr}")


class CertificateAuthority:
    """Makes a CA key and certificate at once; issue() makes the rest."""

    def __init__(self, name="Lab CA"):
        self._openssl = process.find_program("openssl", "openssl")
        self.folder = workspace.new_folder("ca")
        (self.folder / "issued").mkdir()
        (self.folder / "index.txt").touch()
        (self.folder / "serial").write_text("1000\n", encoding="ascii")
        self.certificate = self.folder / "ca.pem"
        _run([self._openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "3650",
              "-keyout", self.folder / "ca.key", "-out", self.certificate, "-subj", f"/CN={name}"])

    def issue(self, common_name, *, usage="server", names=("DNS:localhost", "IP:127.0.0.1"), valid_s=86400.0,
              valid_from_s=-3600.0):
        """Issues a certificate; valid_s and valid_from_s count from now; a negative valid_s makes an expired one."""
        if usage not in ("server", "client"):
            raise ValueError(f"usage must be server or client, not {usage!r}")
        if valid_from_s >= valid_s:
            raise ValueError(f"valid_from_s={valid_from_s} must be below valid_s={valid_s}")
        stem = re.sub(r"[^A-Za-z0-9_.-]", "_", common_name) + f"-{len(list(self.folder.glob('*.csr')))}"
        path = {kind: self.folder / f"{stem}{kind}" for kind in (".key", ".csr", ".pem", ".chain.pem", ".all.pem",
                                                                 ".p12", ".cnf")}
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        begin = now + datetime.timedelta(seconds=valid_from_s)
        end = now + datetime.timedelta(seconds=valid_s)
        path[".cnf"].write_text(_CA_CONFIG.format(folder=self.folder, names=",".join(names)), encoding="utf-8")
        _run([self._openssl, "req", "-newkey", "rsa:2048", "-nodes", "-sha256", "-keyout", path[".key"],
              "-out", path[".csr"], "-subj", f"/CN={common_name}"])
        _run([self._openssl, "ca", "-batch", "-notext", "-config", path[".cnf"], "-extensions", usage,
              "-startdate", begin.strftime("%Y%m%d%H%M%SZ"), "-enddate", end.strftime("%Y%m%d%H%M%SZ"),
              "-in", path[".csr"], "-out", path[".pem"]])
        key, certificate, authority = (path[".key"].read_text("ascii"), path[".pem"].read_text("ascii"),
                                       self.certificate.read_text("ascii"))
        path[".chain.pem"].write_text(certificate + authority, encoding="ascii")
        path[".all.pem"].write_text(key + certificate + authority, encoding="ascii")
        _run([self._openssl, "pkcs12", "-export", "-inkey", path[".key"], "-in", path[".pem"], "-certfile",
              self.certificate, "-name", common_name, "-passout", f"pass:{_PASSWORD}", "-out", path[".p12"]])
        return Bundle(path[".key"], path[".pem"], path[".chain.pem"], path[".all.pem"], path[".p12"], end)


@dataclasses.dataclass(frozen=True)
class ServerTls:
    """TLS on the client port of an ensemble (apache.py).

    client_auth: none, want or need.  key_store: pem, pkcs12 or jks.  plain_port=False takes the plain port away.
    client is the certificate with which the lab itself asks srvr; client_auth="need" requires it.
    """
    authority: CertificateAuthority
    server: Bundle
    client: Bundle = None
    client_auth: str = "none"
    key_store: str = "pem"
    plain_port: bool = True

    def __post_init__(self):
        if self.client_auth not in ("none", "want", "need"):
            raise ValueError(f"client_auth must be none, want or need, not {self.client_auth!r}")
        if self.key_store not in ("pem", "pkcs12", "jks"):
            raise ValueError(f"key_store must be pem, pkcs12 or jks, not {self.key_store!r}")
        if self.client_auth == "need" and self.client is None:
            raise ValueError("client_auth=need requires a client bundle for the lab itself")

    def server_settings(self):
        """The zoo.cfg keys, without the port."""
        settings = {"serverCnxnFactory": "org.apache.zookeeper.server.NettyServerCnxnFactory",
                    "ssl.trustStore.location": self.authority.certificate, "ssl.clientAuth": self.client_auth}
        if self.key_store == "pem":
            settings["ssl.keyStore.location"] = self.server.combined
        else:
            settings["ssl.keyStore.location"] = (self.server.pkcs12 if self.key_store == "pkcs12"
                                                 else self.server.make_jks())
            settings["ssl.keyStore.password"] = Bundle.password()
        return settings

    def client_context(self):
        """A context for the lab's own questions: it trusts the authority, whatever name or date the server shows."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if self.client is not None:
            context.load_cert_chain(self.client.chain, self.client.key)
        return context
