"""Certificates as an organisation has them, and as it should not have them. Made with the library, not with our code."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


class Pki:
    """Certificates as an organisation has them, and as it should not have them. Made with the library, not with ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca_key = ec.generate_private_key(ec.SECP256R1())
        self.ca = self.certificate("ca", key=self.ca_key, ca=True)

    def certificate(
        self,
        name: str,
        *,
        key: Any = None,
        names: tuple[str, ...] = ("control.example.org",),
        ca: bool = False,
        begins: datetime = NOW - DAY,
        ends: datetime = NOW + 30 * DAY,
        usage: Any = ExtendedKeyUsageOID.SERVER_AUTH,
        digest: Any = None,
        password: bytes | None = None,
    ) -> x509.Certificate:
        """`name`.pem and `name`.key."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if ca else self.ca.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if ca:
            used = {name: name in ("key_cert_sign", "crl_sign") for name in _USAGES}
            builder = builder.add_extension(x509.KeyUsage(**used), critical=True)
        else:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
            builder = builder.add_extension(alternatives, critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.ca_key.public_key())
            builder = builder.add_extension(issuer, critical=False)
        made = builder.sign(key if ca else self.ca_key, digest or SHA256())
        protection = BestAvailableEncryption(password) if password else NoEncryption()
        self.write(f"{name}.pem", made.public_bytes(Encoding.PEM))
        self.write(f"{name}.key", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection), 0o600)
        return made

    def revocations(
        self,
        name: str,
        *revoked: x509.Certificate,
        begins: datetime = NOW - DAY,
        ends: datetime | None = NOW + 7 * DAY,
        key: Any = None,
    ) -> None:
        """`name`.pem, the list of the CA."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.ca.subject)
            .last_update(begins)
            .next_update(ends or begins)
        )
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(begins).build()
            builder = builder.add_revoked_certificate(entry)
        number = int(begins.timestamp())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.ca_key.public_key())
        builder = builder.add_extension(x509.CRLNumber(number), critical=False).add_extension(issuer, critical=False)
        self.write(f"{name}.pem", builder.sign(key or self.ca_key, SHA256()).public_bytes(Encoding.PEM))

    def write(self, name: str, data: bytes, mode: int = 0o644) -> None:
        path = self.folder / name
        path.write_bytes(data)
        path.chmod(mode)

    def path(self, name: str) -> str:
        return str(self.folder / name)


_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip
