"""Certificates that name a service: issued by the workspace's CA, listed when they are taken back.

Answers: which certificate does a process show to another, and which no longer count?
Does not answer: is the one shown on this connection good? `machines.peers` does.

The identity is one URI, sealwright://<workspace>/service/<name>. A client's certificate can be used by clients only and a
server's by servers only. The revocation list carries a sequence, ends after 30 days, and is written anew by each change.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealwright.engines import Database
from sealwright.kernel import Clock, InvalidInput, NotFound, private_folder, write_atomically
from sealwright.trust.audit import Audit, Event
from sealwright.trust.certificate_form import (
    BACKDATED,
    ca_public_key,
    key_usage,
    named,
    sign_certificate,
    sign_revocation_list,
)
from sealwright.trust.machines import store, taken_back
from sealwright.trust.machines.model import Certificate, service_uri
from sealwright.trust.public_keys import Signer
from sealwright.trust.tls import alternatives_of
from sealwright.trust.tls_authority import authority_certificate

__all__ = ["ServiceCertificates"]

_LONGEST_DAYS = 90
_LIST_DAYS = 30
_USES = {"client": ExtendedKeyUsageOID.CLIENT_AUTH, "server": ExtendedKeyUsageOID.SERVER_AUTH}


class ServiceCertificates:
    """The certificates of one workspace's services."""

    def __init__(
        self, db: Database, audit: Audit, *, signer: Signer, workspace: str, folder: Path, clock: Clock
    ) -> None:
        """`signer` is the workspace's "tls"; `folder` holds ca.pem, made if missing, and gets crl.pem."""
        self._db, self._audit, self._signer, self._clock = db, audit, signer, clock
        self._workspace, self._folder = workspace, private_folder(folder)
        self._authority = authority_certificate(signer, folder / "ca.pem", clock())

    @property
    def ca(self) -> Path:
        return self._folder / "ca.pem"

    @property
    def revocations(self) -> Path:
        return self._folder / "crl.pem"

    def issue(
        self,
        service: str,
        use: Literal["client", "server"],
        to: Path,
        *,
        by: str,
        names: Sequence[str] = (),
        days: float = _LONGEST_DAYS,
    ) -> Certificate:
        """A fresh key and certificate in the folder `to` (made private): <use>.key and <use>.pem.

        Parameters
        ----------
        names : sequence of str
            Host names and addresses, for a server.
        days : float
            At most 90.

        Raises
        ------
        InvalidInput
            A name, use or lifetime that cannot be used.
        Refused
            The folder is open to others.
        """
        if use not in _USES or (use == "server") != bool(names) or not 0 < days <= _LONGEST_DAYS:
            raise InvalidInput(
                f"A certificate is for a client, or for a server with host names, and lives at most {_LONGEST_DAYS} days."
            )
        now, uri = self._clock(), service_uri(self._workspace, service)
        key = generate_private_key(SECP256R1())
        alternatives = [x509.UniformResourceIdentifier(uri), *(alternatives_of(names) if names else [])]
        certificate = self._certificate(key.public_key(), use, alternatives, now, now + timedelta(days=days))
        found = Certificate(
            serial=f"{certificate.serial_number:X}",
            service=service,
            uri=uri,
            use=use,
            issued_at=now,
            expires_at=certificate.not_valid_after_utc,
        )
        private_folder(to)
        with self._db.write() as tx:
            detail = {"use": use, "serial": found.serial, "days": f"{days:g}"}
            self._record("certificate.issue", service, by, detail)
            store.add_certificate(tx, found)
        write_atomically(to / f"{use}.key", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        write_atomically(to / f"{use}.pem", certificate.public_bytes(Encoding.PEM), mode=0o644)
        if not self.revocations.exists():
            self.publish()
        return found

    def revoke(self, serial: str, *, by: str, reason: str) -> None:
        """The certificate is refused as soon as servers have read the new list.

        Raises
        ------
        NotFound
            No such certificate, or it was revoked before.
        """
        with self._db.write() as tx:
            found = next((one for one in store.certificates(tx) if one.serial == serial.upper()), None)
            if found is None or found.revoked_at is not None:
                raise NotFound(f"There is no certificate {serial[:64]} to revoke. See: sealwright certificate list")
            self._record("certificate.revoke", found.service, by, {"serial": found.serial}, words=reason)
            store.end_certificate(tx, found.serial, self._clock())
            taken_back.next_sequence(tx, "crl")
        self.publish()

    def certificates(self) -> list[Certificate]:
        """All that were issued, oldest first."""
        with self._db.read() as tx:
            return store.certificates(tx)

    def publish(self) -> None:
        """Write the revocation list as it is now. Call it at every start too: a list ends after 30 days.

        Raises
        ------
        OSError
            It could not be written; the old one stands.
        """
        now = self._clock()
        with self._db.write() as tx:
            tx.hold_writers("machine_sequences")
            builder = (
                x509.CertificateRevocationListBuilder()
                .issuer_name(self._authority.subject)
                .last_update(self._later_than_before(now - BACKDATED))
                .next_update(now + timedelta(days=_LIST_DAYS))
                .add_extension(x509.CRLNumber(taken_back.sequence(tx, "crl")), critical=False)
                .add_extension(
                    x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_public_key(self._signer.public())),
                    critical=False,
                )
            )
            for one in store.certificates(tx):
                if one.revoked_at is not None and one.expires_at > now - timedelta(days=1):
                    entry = x509.RevokedCertificateBuilder().serial_number(int(one.serial, 16))
                    builder = builder.add_revoked_certificate(entry.revocation_date(one.revoked_at).build())
            pem = sign_revocation_list(builder, self._signer).public_bytes(Encoding.PEM)
            write_atomically(self.revocations, pem, mode=0o644)

    def _certificate(
        self,
        key: EllipticCurvePublicKey,
        use: str,
        alternatives: Sequence[x509.GeneralName],
        now: datetime,
        ends: datetime,
    ) -> x509.Certificate:
        """A leaf certificate for one use, signed by the CA."""
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_public_key(self._signer.public()))
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(f"Sealwright {use}"))
            .issuer_name(self._authority.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([_USES[use]]), critical=False)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(issuer, critical=False)
        )
        return sign_certificate(builder, self._signer)

    def _later_than_before(self, moment: datetime) -> datetime:
        """OpenSSL takes the list with the later date when it knows two, and dates are whole seconds."""
        with suppress(OSError, ValueError):
            before = x509.load_pem_x509_crl(self.revocations.read_bytes()).last_update_utc
            return max(moment, before + timedelta(seconds=1))
        return moment

    def _record(self, action: str, service: str, by: str, detail: Mapping[str, object], words: str = "") -> None:
        resource = f"service:{service}"
        self._audit.record(
            Event(action=action, outcome="done", actor=by, resource=resource, detail=detail, words=words)
        )
