"""The only way to an account: a link that works once, for fifteen minutes.

Answers: may whoever holds this link give this person a password and a second factor?
Does not answer: may somebody make a link? The caller of `make` has checked that. There is no account before the first
link was used, none comes with the program, and none has a password somebody else chose.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from sealwright.engines import Row, Tx
from sealwright.kernel import Refused, check_name, from_rfc3339, rfc3339
from sealwright.trust.audit import Event
from sealwright.trust.identity.accounts import Accounts
from sealwright.trust.identity.addresses import is_loopback
from sealwright.trust.identity.errors import LinkRefused
from sealwright.trust.identity.first_factor import FirstFactors, FirstPasskey
from sealwright.trust.identity.flood import FloodGate
from sealwright.trust.identity.keys import fingerprint
from sealwright.trust.identity.means import Means
from sealwright.trust.identity.proofs import TotpCode
from sealwright.trust.identity.recovery_codes import RecoveryCodes
from sealwright.trust.identity.totp import TotpOffer
from sealwright.trust.unlock import Secret

__all__ = ["EnrolmentLink", "EnrolmentLinks", "EnrolmentOffer"]

Vouch = Callable[[str], None]
"""Enrols the first person, signed by the workspace, if they are not enrolled yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentLink:
    """A link, shown once: whoever has the token can use it. The door puts it into a URL."""

    token: Secret
    name: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentOffer:
    """What the page of a link shows: whose it is, and both kinds of second factor to choose from."""

    name: str
    totp: TotpOffer
    passkey: Mapping[str, Any]  # options for navigator.credentials.create()


class EnrolmentLinks:
    """Links by the SHA-256 of their token."""

    def __init__(
        self, means: Means, *, accounts: Accounts, first: FirstFactors, codes: RecoveryCodes, flood: FloodGate
    ) -> None:
        self._means, self._accounts, self._first = means, accounts, first
        self._codes, self._flood = codes, flood

    def make_first(self, name: str) -> EnrolmentLink:
        """The link for the first account, which whoever starts the server prints. Opened on this machine only.

        Raises
        ------
        Refused
            There is an account already: further links are made by people who may.
        """
        return self._make(name, by="", anywhere=False, first=True)

    def make(self, name: str, *, by: str, anywhere: bool = False) -> EnrolmentLink:
        """A link for an enrolled person. If they have an account, using it replaces all they sign in with.

        Parameters
        ----------
        by : str
            Who makes it; that they may was checked by the caller.
        anywhere : bool
            Also from other machines. Then whoever sees the link within fifteen minutes can use it: send it safely.

        Raises
        ------
        Refused
            Nobody of that name is enrolled.
        """
        if self._means.enrolled(name) is None:
            raise Refused(f"{name[:64]} is not enrolled here, so they get no link. Enrol them first.")
        return self._make(name, by=by, anywhere=anywhere, first=False)

    def open(self, token: str, *, source: str) -> EnrolmentOffer:
        """What to show to whoever opened the link. Nothing is used up.

        Parameters
        ----------
        source : str
            The address the request came from. Behind a proxy on this machine every request comes from loopback: a door
            passes the address the proxy saw.

        Raises
        ------
        LinkRefused
            Unknown, used, over, or opened elsewhere than on this machine.
        """
        link = self._good(token, source)
        totp, passkey = self._first.offer(link["name"], bound=link["id"])
        return EnrolmentOffer(name=link["name"], totp=totp, passkey=passkey)

    def use(
        self,
        token: str,
        password: Secret,
        factor: tuple[str, TotpCode] | FirstPasskey,
        *,
        source: str,
        vouch: Vouch | None = None,
    ) -> Sequence[Secret]:
        """Password and second factor are set, both or neither; returns ten recovery codes, shown once.

        Parameters
        ----------
        factor : (ticket of the offer, TotpCode) or FirstPasskey
        vouch : callable
            For the first link: enrols the person. Called when everything else is known to be right.

        Raises
        ------
        LinkRefused
            As `open`; or somebody else used it first.
        PasswordUnsuitable, ProofRefused
            The link can be used again with something better.
        SignInBusy
            Too many passwords are being hashed at once.
        """
        link = self._good(token, source)
        hashed = self._accounts.hashed(link["name"], password)
        put = self._first.checked(link["name"], factor, bound=link["id"])
        if not self._claim(link["id"]):
            self._refuse(link["name"], source)
        try:
            if link["first"] and vouch is not None:
                vouch(link["name"])
            if self._means.enrolled(link["name"]) is None:
                raise Refused(f"{link['name']} is not enrolled here. Enrol them, then use the link.")
            return self._finish(link, hashed, put, source)
        except BaseException:
            self._release(link["id"])
            raise

    def _make(self, name: str, *, by: str, anywhere: bool, first: bool) -> EnrolmentLink:
        check_name(name, what="person")
        token, expires = self._means.secret(), self._means.after(self._means.rules.link_life)
        with self._means.db.write() as tx:
            if first:
                self._need_nobody(tx)
            self._record("enrol.link", name, by=by, detail={"first": first, "anywhere": anywhere})
            tx.run(
                "DELETE FROM identity_links WHERE name = :name OR expires_at <= :now", name=name, now=self._means.now()
            )
            if first:  # a first link that was lost is worth nothing any more
                tx.run("DELETE FROM identity_links WHERE first = 1")
            tx.run(
                "INSERT INTO identity_links (id, name, first, anywhere, expires_at, used_at)"
                " VALUES (:id, :name, :first, :anywhere, :expires, '')",
                id=fingerprint(token.reveal()),
                name=name,
                first=int(first),
                anywhere=int(anywhere),
                expires=rfc3339(expires),
            )
        return EnrolmentLink(token=token, name=name, expires_at=from_rfc3339(rfc3339(expires)))

    def _good(self, token: str, source: str) -> Row:
        with self._means.db.read() as tx:
            rows = tx.run(
                "SELECT id, name, first, anywhere FROM identity_links WHERE id = :id AND used_at = ''"
                " AND expires_at > :now",
                id=fingerprint(token),
                now=self._means.now(),
            )
        if not rows or not (rows[0]["anywhere"] or is_loopback(source)):
            self._refuse(rows[0]["name"] if rows else "", source)
        return rows[0]

    def _claim(self, key: str) -> bool:
        with self._means.db.write() as tx:
            return bool(
                tx.run(
                    "UPDATE identity_links SET used_at = :now WHERE id = :id AND used_at = '' AND expires_at > :now"
                    " RETURNING id",
                    id=key,
                    now=self._means.now(),
                )
            )

    def _release(self, key: str) -> None:
        with self._means.db.write() as tx:
            tx.run("UPDATE identity_links SET used_at = '' WHERE id = :id", id=key)

    def _finish(self, link: Row, hashed: str, put: Callable[[Tx], None], source: str) -> Sequence[Secret]:
        """One transaction: the event is on record, then password, factor and codes are there."""
        name = link["name"]
        with self._means.db.write() as tx:
            if link["first"]:
                self._need_nobody(tx)
            again = self._accounts.exists(tx, name)
            self._record("enrol.use", name, by=name, source=source, detail={"again": again})
            self._accounts.put_password(tx, name, hashed)
            tx.run("DELETE FROM identity_totp WHERE name = :name", name=name)
            tx.run("DELETE FROM identity_passkeys WHERE name = :name", name=name)
            put(tx)
            self._accounts.changed(tx, name, reason="identity.enrolled_again")
            return self._codes.replace(tx, name)

    def _need_nobody(self, tx: Tx) -> None:
        tx.hold_writers("identity_accounts")
        if self._accounts.anybody(tx):
            raise Refused(
                "There is an account in this workspace already, so there is no first link.\n"
                "Somebody with an account makes links for others."
            )

    def _refuse(self, name: str, source: str) -> NoReturn:
        resource = f"person:{name}" if name else ""
        self._flood.record(
            Event(
                action="enrol.use", outcome="refused", resource=resource, reason="identity.link_refused", source=source
            )
        )
        raise LinkRefused

    def _record(
        self, action: str, name: str, *, by: str, source: str = "", detail: Mapping[str, object] | None = None
    ) -> None:
        self._means.audit.record(
            Event(
                action=action,
                outcome="done",
                actor=by,
                resource=f"person:{name}",
                source=source,
                detail=detail or {},
            )
        )
