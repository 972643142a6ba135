"""Certificates with a fault, which ready-made test authorities do not issue."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

YEAR = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class InHouseAuthority:
    """A certificate authority that breaks rules of RFC 5280, as organizations' own ones do.

    Its certificate has no key usage, and its basic constraints are not critical. The certificates
    that it issues do not have its key identifier.
    """

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def create(cls, *, ca: bool = True) -> "InHouseAuthority":
        """Return a new one; unless it is a `ca`, nobody may trust what it issues."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("In-house authority")
        builder = _builder(name, name, key).add_extension(
            x509.BasicConstraints(ca=ca, path_length=None), critical=False
        )
        return cls(key=key, certificate=builder.sign(key, SHA256()))

    def write_to(self, path: Path) -> Path:
        """Write the certificate to a file, and return its path."""
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        return path

    @property
    def subject_hash(self) -> str:
        """The name of the certificate's file in a directory of authorities, without its number.

        OpenSSL hashes the names in lower case, without what encloses them:
        https://docs.openssl.org/3.0/man1/openssl-rehash/
        """
        text = self.certificate.subject.rfc4514_string().removeprefix("CN=")
        name = _name(text.lower()).public_bytes()
        start = sha1(name[2:], usedforsecurity=False).digest()[:4]
        return start[::-1].hex()

    def server_context(
        self, host: str = "localhost", *, from_now: timedelta = -YEAR, until_now: timedelta = YEAR
    ) -> ssl.SSLContext:
        """Return the TLS context of a server, whose certificate is valid between these times."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        builder = _builder(
            _name(host), self.certificate.subject, key, start=from_now, end=until_now
        ).add_extension(names, critical=False)
        certificate = builder.sign(self.key, SHA256())
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        with NamedTemporaryFile() as file:
            private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            file.write(private + certificate.public_bytes(Encoding.PEM))
            file.flush()
            context.load_cert_chain(file.name)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *,
    start: timedelta = -YEAR,
    end: timedelta = YEAR,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + start)
        .not_valid_after(now + end)
    )
