"""The registry's verbs: register, promote, roll back, revoke; and what served when.

Answers: which versions are there, which one serves where, since when and until when?
Does not answer: may it be released? The gate's result inside the package says so, and every verb
here verifies the package first.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sealwright.engines import Database
from sealwright.kernel import (
    Clock,
    Conflict,
    InvalidInput,
    NotFound,
    VerificationFailed,
    check_name,
    hex_of,
    rfc3339,
)
from sealwright.registry import recovery, store
from sealwright.registry.change import Changes, PackageRevoked
from sealwright.registry.model import (
    PointerFacts,
    Revocation,
    RevocationList,
    SealedPackage,
    VerifiedPackage,
    Version,
)
from sealwright.registry.pointer import PointerOlder, make_pointer, make_revocations, read_pointer, verify_pointer
from sealwright.registry.published import Published
from sealwright.registry.rows import pointer_of, pointers_of, revocations_of
from sealwright.registry.verify import verify_package
from sealwright.trust import Keyring, Ledger, TrustRoot

__all__ = ["Registry"]

_MOST_DAYS = 90


class Registry:
    """Versions, pointers and revocations of one workspace. Safe to use from many threads."""

    def __init__(
        self,
        db: Database,
        home: Path,
        keyring: Keyring | None,
        ledger: Ledger | None,
        clock: Clock,
        *,
        trust_root: TrustRoot | None = None,
    ) -> None:
        """Take what the workspace opened.

        Parameters
        ----------
        keyring, ledger : optional
            Without them the registry can be read, and refuses to change; `trust_root` is needed then.
        """
        root = keyring.trust_root if keyring is not None else trust_root
        if root is None:
            raise InvalidInput("A registry needs a keyring, or a trust root to read by.")
        self._db, self._clock, self._trust_root = db, clock, root
        self._packages = home / "packages"
        self._published = Published(home, root)
        self._changes = Changes(db, home, keyring, ledger, clock, self._published)

    # ---- changing

    def register(self, sealed: SealedPackage, *, by: str = "") -> Version:
        """Give a sealed package its number. Registering it again gives the same version.

        Raises
        ------
        VerificationFailed
            The folder does not verify, or holds another package.
        PackageRevoked
            It was revoked.
        """
        package = self.package(sealed.digest)
        if by:
            check_name(by, what="person")
        with self._changes.one() as change:
            change.refuse_revoked(package.digest)
            known = store.version_of_package(change.tx, package.digest)
            if known is not None:
                return known
            version = Version(
                project=package.project,
                number=len(store.versions(change.tx, package.project)) + 1,
                package=package.digest,
                model=package.model,
                created_at=change.now,
            )
            detail = {"project": version.project, "number": version.number, "model": version.model}
            detail["created_at"] = rfc3339(change.now)
            change.record(recovery.REGISTERED, package.digest, detail, None, by)
            store.insert_version(change.tx, version)
        return version

    def promote(self, project: str, number: int, channel: str, by: str, reason: str, days: int = 7) -> PointerFacts:
        """Let a version serve on a channel, for some days. Promoting it again confirms it for longer.

        Parameters
        ----------
        by : str
            Who decides it.
        reason : str
            Why now, 3 to 500 characters; it is signed with the pointer.
        days : int
            1 to 90: when the pointer ends unless it is confirmed.

        Raises
        ------
        NotFound
            No such version.
        VerificationFailed
            Its package does not verify, or ledger, database and files disagree.
        PackageRevoked
            It was revoked.
        """
        return self._point(recovery.PROMOTED, project, number, channel, by, reason, days)

    def rollback(self, project: str, channel: str, number: int, by: str, reason: str, days: int = 7) -> PointerFacts:
        """Let a version serve again that served here before: a new pointer with a higher sequence.

        Raises
        ------
        InvalidInput
            The version never served on this channel before; promote it instead.
        NotFound, VerificationFailed, PackageRevoked
            As `promote`.
        """
        return self._point(recovery.ROLLED_BACK, project, number, channel, by, reason, days)

    def revoke(self, package: str, by: str, reason: str) -> Revocation:
        """Withdraw a package for good. Serving processes stop answering with it when they see the list.

        Raises
        ------
        NotFound
            No version has this package.
        Conflict
            It is revoked already.
        """
        hex_of(package)
        check_name(by, what="person")
        reason = _reason(reason)
        with self._changes.one() as change:
            if store.version_of_package(change.tx, package) is None:
                raise NotFound(f"No version here has the package {package[:19]}…. See: sealwright versions")
            before = change.revoked()
            if package in before.packages:
                raise Conflict(f"{package[:19]}… was revoked on {rfc3339(before.packages[package].at)[:10]} already.")
            number = before.sequence + 1
            revocation = Revocation(package=package, sequence=number, reason=reason, by=by, at=change.now)
            packages = {**before.packages, package: revocation}
            listed = RevocationList(sequence=number, issued_at=change.now, packages=packages, digest="")
            envelope, statement = make_revocations(listed, change.signer)
            change.record(recovery.REVOKED, package, {"sequence": number, "statement": statement.digest}, envelope, by)
            store.insert_revocation(change.tx, revocation, envelope)
        return revocation

    def check(self) -> None:
        """Compare ledger, database and published files, and finish what a crash left.

        Raises
        ------
        DatabaseOlder, VerificationFailed
            They disagree in a way no crash explains; nothing was changed.
        """
        with self._changes.one():
            pass

    def _point(
        self, action: str, project: str, number: int, channel: str, by: str, reason: str, days: int
    ) -> PointerFacts:
        check_name(channel, what="channel")
        check_name(by, what="person")
        reason = _reason(reason)
        if not 1 <= days <= _MOST_DAYS:
            raise InvalidInput(f"A pointer holds for 1 to {_MOST_DAYS} days; got {days}.")
        version = self.version(project, number)
        package = self.package(version.package)
        if (package.project, package.model) != (project, version.model):
            raise VerificationFailed(
                f"Version {number} of {project} is a package of {package.project}: the database was changed.\n"
                "Restore it from the newest backup.",
                link="database",
            )
        with self._changes.one() as change:
            change.refuse_revoked(package.digest)
            rows = store.pointer_rows(change.tx, project, channel)
            if action == recovery.ROLLED_BACK and number not in {row["number"] for row in rows[:-1]}:
                raise InvalidInput(
                    f"Version {number} did not serve as {project}/{channel} before. Promote it instead of rolling back."
                )
            wanted: dict[str, Any] = {
                "project": project,
                "channel": channel,
                "sequence": len(rows) + 1,
                "number": number,
                "not_before": change.now,
                "expires": change.now + timedelta(days=days),
                "previous": pointer_of(rows[-1], self._trust_root).digest if rows else None,
                "revocations": change.revoked().sequence,
                "reason": reason,
                "by": by,
            }
            envelope, _ = make_pointer(wanted, package.digest, change.signer)
            facts = read_pointer(envelope, self._trust_root)
            detail = {key: wanted[key] for key in ("project", "channel", "sequence", "number")}
            detail |= {"statement": facts.digest, "expires": rfc3339(facts.expires)}
            change.record(action, package.digest, detail, envelope, by)
            store.insert_pointer(change.tx, facts, envelope)
        return facts

    # ---- asking

    def versions(self, project: str) -> list[Version]:
        """Every version of a project, oldest first."""
        check_name(project, what="project")
        with self._db.read() as tx:
            return store.versions(tx, project)

    def version(self, project: str, number: int) -> Version:
        """One version.

        Raises
        ------
        NotFound
            There is none of that number.
        """
        for found in self.versions(project):
            if found.number == number:
                return found
        raise NotFound(f"{project} has no version {number}. List them with: sealwright versions {project}")

    def package(self, digest: str) -> VerifiedPackage:
        """The package with this digest, verified now.

        Raises
        ------
        NotFound
            There is no such folder.
        VerificationFailed
            It does not verify, or the folder holds another package.
        """
        folder = self._packages / hex_of(digest)
        if not folder.exists() and not folder.is_symlink():
            raise NotFound(f"There is no package {digest[:19]}… in {self._packages}. Restore it from a backup.")
        found = verify_package(folder, self._trust_root, now=self._clock())
        if found.digest != digest:
            raise VerificationFailed(
                f"The folder of package {digest[:19]}… holds package {found.digest[:19]}…: it was swapped.\n"
                "Restore the right folder from a backup.",
                link="package",
            )
        return found

    def current(self, project: str, channel: str) -> PointerFacts:
        """What may answer here now: the published pointer, in force, newest, and its package not revoked.

        Raises
        ------
        NotFound
            Nothing was ever promoted here.
        PointerExpired, PackageRevoked
            Nothing may answer here now.
        VerificationFailed
            File and database disagree (PointerOlder for an older file), or one does not verify.
        """
        history = self.history(project, channel)
        if not history:
            raise NotFound(f"Nothing serves as {project}/{channel}. Put a version there with: sealwright promote")
        newest = history[-1]
        facts = verify_pointer(
            self._published.pointer(project, channel),
            self._trust_root,
            project=project,
            channel=channel,
            now=self._clock(),
            at_least=newest.sequence,
        )
        if facts.sequence > newest.sequence:
            raise recovery.DatabaseOlder(
                f"The published pointer of {project}/{channel} has sequence {facts.sequence}, the database ends at "
                f"{newest.sequence}: an old database was put back.\nRestore the newest database.",
                link="database",
            )
        if facts.digest != newest.digest:
            raise VerificationFailed(
                f"Two pointers {facts.sequence} exist for {project}/{channel}: a fork.", link="pointer"
            )
        if facts.package in self.revocations(at_least=facts.revocations).packages:
            raise PackageRevoked(
                f"{project} version {facts.number} was revoked. Roll back, or promote another version."
            )
        return facts

    def history(self, project: str, channel: str) -> list[PointerFacts]:
        """Every pointer of a place, oldest first, each verified and linked to the one before.

        Raises
        ------
        VerificationFailed
            A row was changed, removed or put in another order.
        """
        check_name(project, what="project")
        check_name(channel, what="channel")
        with self._db.read() as tx:
            rows = store.pointer_rows(tx, project, channel)
        return pointers_of(rows, self._trust_root)

    def served_at(self, project: str, channel: str, when: datetime) -> PointerFacts:
        """Which version was released here at a moment.

        Raises
        ------
        NotFound
            None: no pointer yet, the pointer had expired, or its package was revoked by then.
        """
        released = [facts for facts in self.history(project, channel) if facts.not_before <= when]
        nothing = f"Nothing was released as {project}/{channel} at {rfc3339(when)}"
        if not released:
            raise NotFound(f"{nothing}: the first pointer came later, or there is none.")
        facts = released[-1]
        if when >= facts.expires:
            raise NotFound(f"{nothing}: the pointer to version {facts.number} had expired at {rfc3339(facts.expires)}.")
        revoked = self.revocations().packages.get(facts.package)
        if revoked is not None and when >= revoked.at:
            raise NotFound(f"{nothing}: version {facts.number} had been revoked at {rfc3339(revoked.at)}.")
        return facts

    def revocations(self, *, at_least: int = 0) -> RevocationList:
        """Every revoked package.

        Raises
        ------
        VerificationFailed
            The newest list does not verify, disagrees with its rows, or is older than `at_least`.
        """
        with self._db.read() as tx:
            rows = store.revocation_rows(tx)
        found = revocations_of(rows, self._trust_root)
        found = found or RevocationList(sequence=0, issued_at=self._clock(), packages={}, digest="")
        if found.sequence < at_least:
            raise PointerOlder(
                f"The database knows {found.sequence} revocation(s), a pointer names {at_least}: it is an old copy.\n"
                "Restore the newest database.",
                link="revocations",
            )
        return found


def _reason(words: str) -> str:
    plain = " ".join(words.split())
    if not 3 <= len(plain) <= 500 or not plain.isprintable():
        raise InvalidInput(
            "Give a reason of 3 to 500 readable characters. It is signed, and a later reader has only that."
        )
    return plain
