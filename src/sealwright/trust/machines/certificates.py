"""Certificates that name a service: issued by the workspace's CA, listed when they are taken back.

Answers: which certificate does a process show to another, and which no longer count?
Does not answer: is the one shown on this connection good? `machines.peers` does.

The identity is one URI, sealwright://<workspace>/service/<name>. A client's certificate can be used by clients only and a
server's by servers only. The revocation list carries a sequence, ends after 30 days, and is written anew by each change. After a
rotation of the CA's key there are two CAs for a while, each with a list of its own (`ca_files`).
"""

from collections.abc import Callable, Mapping, Sequence
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
from sealwright.trust.ca_keys import CaKeys
from sealwright.trust.certificate_form import BACKDATED, ca_name, ca_public_key, key_usage, named, sign_certificate
from sealwright.trust.machines import store, taken_back
from sealwright.trust.machines.ca_files import Revoked, write_ca_files
from sealwright.trust.machines.model import Certificate, service_uri
from sealwright.trust.public_keys import Signer
from sealwright.trust.tls import CA_FILE, alternatives_of, renew_server_certificates
from sealwright.trust.tls_authority import authorities, write_authorities

__all__ = ["ServiceCertificates"]

_LONGEST_DAYS = 90
_USES = {"client": ExtendedKeyUsageOID.CLIENT_AUTH, "server": ExtendedKeyUsageOID.SERVER_AUTH}


class ServiceCertificates:
    """The certificates of one workspace's services."""

    def __init__(
        self,
        db: Database,
        audit: Audit,
        *,
        signer: Signer | Callable[[], CaKeys],
        workspace: str,
        folder: Path,
        clock: Clock,
    ) -> None:
        """`signer`: of the CA, or who signs for the CAs there are at each moment. `folder` holds ca.pem, made if missing,
        and gets crl.pem."""
        self._db, self._audit, self._clock = db, audit, clock
        self._keys = signer if callable(signer) else lambda: CaKeys(signer)
        self._workspace, self._folder = workspace, private_folder(folder)
        if not self.ca.exists():
            write_authorities(self.ca, authorities(self._keys(), self.ca, clock()))

    @property
    def ca(self) -> Path:
        """The CAs that count, newest first."""
        return self._folder / CA_FILE

    @property
    def revocations(self) -> Path:
        """A revocation list of each of them."""
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
        if not self._handed_out():
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
        """Write the CAs that count and their revocation lists as they are now, and renew servers' certificates that are due.

        Call it at every start too: a list ends after 30 days.

        Raises
        ------
        OSError
            Something could not be written; what was there stands.
        """
        now, keys = self._clock(), self._keys()
        with self._db.write() as tx:
            tx.hold_writers("machine_sequences")
            entries = [
                (int(one.serial, 16), one.revoked_at)
                for one in store.certificates(tx)
                if one.revoked_at is not None and one.expires_at > now - timedelta(days=1)
            ]
            write_ca_files(keys, self.ca, self.revocations, Revoked(taken_back.sequence(tx, "crl"), entries), now)
            renew_server_certificates(keys, self._folder, now)

    def prepare_rotation(self) -> None:
        """Before the CA's key is replaced: servers' certificates are made anew, so that they hold for all the time in which
        clients learn of the next CA. The next `publish` hands that one out."""
        now = self._clock()
        with self._db.write() as tx:
            tx.hold_writers("machine_sequences")
            renew_server_certificates(self._keys(), self._folder, now, of_newest=True)

    def _handed_out(self) -> bool:
        """Whether others can tell by the files that a certificate of the newest CA is ours, and was not taken back."""
        newest = authorities(self._keys(), self.ca, self._clock())[0]
        return self.revocations.exists() and newest.public_bytes(Encoding.PEM) in self.ca.read_bytes()

    def _certificate(
        self,
        key: EllipticCurvePublicKey,
        use: str,
        alternatives: Sequence[x509.GeneralName],
        now: datetime,
        ends: datetime,
    ) -> x509.Certificate:
        """A leaf certificate for one use, signed by the newest CA."""
        signer = self._keys().newest
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_public_key(signer.public()))
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(f"Sealwright {use}"))
            .issuer_name(ca_name(signer.key_id))
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
        return sign_certificate(builder, signer)

    def _record(self, action: str, service: str, by: str, detail: Mapping[str, object], words: str = "") -> None:
        resource = f"service:{service}"
        self._audit.record(
            Event(action=action, outcome="done", actor=by, resource=resource, detail=detail, words=words)
        )
