"""Server certificates from a small CA of the workspace, for servers without a public certificate.

Answers: which certificate and key does the server use? Does not answer: does a client trust the CA?
The client is given `TlsFiles.ca`.
Certificates that name a service, for mutual TLS, are made by `machines.certificates`; both hang on the CA of `tls_authority`.

While the CA's key changes, clients hold the old CA, or the old and the new one. So a certificate of the old CA is shown as long as
both are handed out, and one of the new CA when the old one counts no more, or the certificate is about to end.
"""

import ipaddress
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealwright.kernel import InvalidInput, SealwrightError, private_folder, write_atomically
from sealwright.trust.ca_keys import CaKeys
from sealwright.trust.certificate_form import (
    BACKDATED,
    LONGEST_DAYS,
    MOST_NAMES,
    ca_name,
    ca_public_key,
    key_usage,
    named,
    sign_certificate,
)
from sealwright.trust.keyring import Keyring
from sealwright.trust.public_keys import Signer
from sealwright.trust.tls_authority import authorities, authority_of, write_authorities
from sealwright.trust.tls_files import TlsFiles, load_server_certificate

__all__ = ["CA_FILE", "alternatives_of", "create_server_certificate", "renew_server_certificates", "server_certificate"]

CA_FILE = "ca.pem"
"""The CAs to hand to clients, in the folder of the certificates."""

_RENEW_BEFORE = timedelta(days=14)

_HOST = re.compile(
    r"(?=.{1,253}$)(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)


def create_server_certificate(
    ca: Keyring | CaKeys | Signer,
    folder: Path,
    names: Sequence[str],
    now: datetime,
    days: int = 90,
    *,
    name: str = "server",
) -> TlsFiles:
    """A fresh key and a certificate for `names` in `folder` (private), signed by the workspace's newest CA.

    Parameters
    ----------
    ca : Keyring, CaKeys or Signer
        The keyring, or who signs for its branch "tls".
    names : sequence of str
        Host names and IP addresses, e.g. ["localhost", "127.0.0.1"].
    days : int
        How long it is valid, 1 to 825.
    name : str
        Of the files: `name`.pem and `name`.key.

    Raises
    ------
    InvalidInput
        A name or number of days that cannot be used.
    Refused
        The folder is open to others.
    """
    keys = _keys(ca)
    alternatives = alternatives_of(names)
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"A server certificate is valid for 1 to {LONGEST_DAYS} days; got {days}.")
    private_folder(folder)
    trusted = authorities(keys, folder / CA_FILE, now)
    write_authorities(folder / CA_FILE, trusted)
    key, signer = generate_private_key(SECP256R1()), keys.newest
    builder = (
        x509.CertificateBuilder()
        .subject_name(named("Sealwright server"))
        .issuer_name(trusted[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_public_key(signer.public())), critical=False
        )
    )
    certificate = sign_certificate(builder, signer)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_atomically(folder / f"{name}.key", pem)
    write_atomically(folder / f"{name}.pem", certificate.public_bytes(Encoding.PEM))
    return _loaded(folder, name, names, now)


def server_certificate(
    ca: Keyring | CaKeys, folder: Path, names: Sequence[str], now: datetime, *, name: str
) -> TlsFiles:
    """The certificate a server starts with: a new one, unless the one in `folder` is of an older CA that still counts.

    Raises
    ------
    InvalidInput, Refused
        As `create_server_certificate`.
    """
    keys = _keys(ca)
    private_folder(folder)
    older = authorities(keys, folder / CA_FILE, now)[1:]
    leaf = _leaf(folder / f"{name}.pem")
    if leaf is not None and authority_of(leaf, older) and not _ends_soon(leaf, now):
        with suppress(SealwrightError):  # for other names, or without its key
            return _loaded(folder, name, names, now)
    return create_server_certificate(keys, folder, names, now, name=name)


def renew_server_certificates(
    ca: Keyring | CaKeys, folder: Path, now: datetime, *, of_newest: bool = False
) -> tuple[str, ...]:
    """Make certificates of servers in `folder` anew, for the same names, where they end soon or no CA that counts issued them.

    Servers that run take them up by themselves.

    Parameters
    ----------
    of_newest : bool
        Those of the newest CA too, however long they hold: before its key is replaced, so that clients have all that time to learn of
        the next one.

    Returns
    -------
    tuple of str
        Names of the files, without their endings.
    """
    keys = _keys(ca)
    trusted, renewed = authorities(keys, folder / CA_FILE, now), []
    issuers = {ca_name(one.key_id) for one in keys.signers}
    for name, leaf in _ours(folder, issuers):
        by = authority_of(leaf, trusted)
        if by is None or _ends_soon(leaf, now) or (of_newest and by == trusted[0]):
            create_server_certificate(keys, folder, _names(leaf), now, name=name)
            renewed.append(name)
    return tuple(renewed)


def alternatives_of(names: Sequence[str]) -> list[x509.GeneralName]:
    """Host names and addresses as a certificate lists them."""
    if not 1 <= len(names) <= MOST_NAMES or len(set(names)) != len(names):
        raise InvalidInput(f"A server certificate is for 1 to {MOST_NAMES} names, each once.")
    result: list[x509.GeneralName] = []
    for name in names:
        try:
            result.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            if not _HOST.fullmatch(name):
                raise InvalidInput(
                    f"{name[:80]!r} is neither an IP address nor a host name in lower case, such as models.example.org."
                ) from None
            result.append(x509.DNSName(name))
    return result


def _keys(ca: Keyring | CaKeys | Signer) -> CaKeys:
    if isinstance(ca, Keyring):
        return ca.ca_keys()
    return ca if isinstance(ca, CaKeys) else CaKeys(ca)


def _loaded(folder: Path, name: str, names: Sequence[str], now: datetime) -> TlsFiles:
    return load_server_certificate(
        folder / f"{name}.pem", folder / f"{name}.key", now=now, names=names, ca=folder / CA_FILE
    )


def _ours(folder: Path, issuers: Collection[x509.Name]) -> Iterator[tuple[str, x509.Certificate]]:
    """What `create_server_certificate` made there, by the name of the files."""
    for path in sorted(folder.glob("*.pem")):
        leaf = _leaf(path)
        if leaf is None or leaf.issuer not in issuers or leaf.issuer == leaf.subject:
            continue
        if path.with_suffix(".key").is_file() and len(_names(leaf)) == len(list(_alternatives(leaf))):
            yield path.stem, leaf


def _leaf(path: Path) -> x509.Certificate | None:
    with suppress(OSError, ValueError):
        return x509.load_pem_x509_certificate(path.read_bytes())
    return None


def _ends_soon(leaf: x509.Certificate, now: datetime) -> bool:
    return leaf.not_valid_after_utc <= now + _RENEW_BEFORE


def _alternatives(leaf: x509.Certificate) -> x509.SubjectAlternativeName:
    return leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def _names(leaf: x509.Certificate) -> list[str]:
    """Its host names and addresses. One that names a service has another name besides."""
    found = _alternatives(leaf)
    hosts = found.get_values_for_type(x509.DNSName)
    return [*hosts, *(str(address) for address in found.get_values_for_type(x509.IPAddress))]
