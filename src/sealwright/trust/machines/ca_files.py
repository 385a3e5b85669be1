"""What servers and clients read of the workspace's CAs: which ones count, and what each of them took back.

Answers: which CAs stand in ca.pem, and is there a revocation list of each in crl.pem?
Does not answer: which certificates were taken back. `certificates` knows, and calls this for every change.

A CA that was replaced stays as long as its signer signs a revocation list: until it is revoked, or its last certificate has ended. A
server takes no client of a CA without a list, so the files are written in an order in which no CA is ever without one.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.kernel import write_atomically
from sealwright.trust.ca_keys import CaKeys
from sealwright.trust.certificate_form import BACKDATED, ca_public_key, sign_revocation_list
from sealwright.trust.public_keys import Signer
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.tls_authority import authorities, key_text, write_authorities
from sealwright.trust.tls_clients import read_lists

__all__ = ["Revoked", "write_ca_files"]

_LIST_DAYS = 30
_GONE = "key.unknown"  # what a signer says of a CA that is over


class Revoked(NamedTuple):
    """What was taken back, whichever CA issued it: serial numbers are random, so none is another CA's by chance."""

    number: int  # of the list; it only grows
    entries: Sequence[tuple[int, datetime]]  # serial number, since when


def write_ca_files(keys: CaKeys, ca: Path, lists: Path, revoked: Revoked, now: datetime) -> None:
    """Write both files as they are now: the CAs that count, newest first, and a list of each in the same order.

    Raises
    ------
    SignerRefused, SignerUnavailable
        A list could not be signed; nothing was written.
    OSError
        A file could not be written; what was there stands.
    """
    before = _before(lists)
    kept: list[x509.Certificate] = []
    made: dict[x509.Name, x509.CertificateRevocationList] = {}
    signers = {one.public().pem: one for one in keys.signers}
    for authority in authorities(keys, ca, now):
        signer = signers[key_text(authority.public_key())]
        try:
            made[authority.subject] = _list(signer, authority, before.get(authority.subject), revoked, now)
        except SignerRefused as refused:
            if refused.reason != _GONE or signer is keys.newest:
                raise
            continue
        kept.append(authority)
    if set(before) - set(made):
        _write(lists, [*made.values(), *(one for name, one in before.items() if name not in made)])
    else:
        _write(lists, list(made.values()))
    write_authorities(ca, tuple(kept))
    if set(before) - set(made):
        _write(lists, list(made.values()))


def _before(lists: Path) -> dict[x509.Name, x509.CertificateRevocationList]:
    """The lists there are, by CA."""
    with suppress(OSError, ValueError):
        return {one.issuer: one for one in read_lists(lists.read_bytes())}
    return {}


def _list(
    signer: Signer,
    authority: x509.Certificate,
    before: x509.CertificateRevocationList | None,
    revoked: Revoked,
    now: datetime,
) -> x509.CertificateRevocationList:
    """The list of one CA. OpenSSL takes the one with the later date when it knows two, and dates are whole seconds."""
    begins = now - BACKDATED
    if before is not None:
        begins = max(begins, before.last_update_utc + timedelta(seconds=1))
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.subject)
        .last_update(begins)
        .next_update(now + timedelta(days=_LIST_DAYS))
        .add_extension(x509.CRLNumber(revoked.number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_public_key(signer.public())), critical=False
        )
    )
    for serial, since in revoked.entries:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
        builder = builder.add_revoked_certificate(entry)
    return sign_revocation_list(builder, signer)


def _write(path: Path, lists: Sequence[x509.CertificateRevocationList]) -> None:
    write_atomically(path, b"".join(one.public_bytes(Encoding.PEM) for one in lists), mode=0o644)
