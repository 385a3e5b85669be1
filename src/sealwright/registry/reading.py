"""What the registry says when asked: versions, what serves now, what served then.

Answers: which versions are there, which one serves where, since when and until when?
Does not answer: how that came to be; `service` changes it. Nothing read from the database is believed
on its own: signed bytes are verified again, and the published file must agree.
"""

from datetime import datetime
from pathlib import Path

from sealwright.engines import Database
from sealwright.kernel import Clock, NotFound, VerificationFailed, check_name, hex_of, rfc3339
from sealwright.registry import recovery, store
from sealwright.registry.change import PackageRevoked
from sealwright.registry.model import PointerFacts, RevocationList, VerifiedPackage, Version
from sealwright.registry.pointer import PointerOlder, verify_pointer
from sealwright.registry.published import Published
from sealwright.registry.rows import pointers_of, revocations_of
from sealwright.registry.verify import verify_package
from sealwright.trust import TrustRoot

__all__ = ["RegistryReader"]


class RegistryReader:
    """The questions of one workspace's registry."""

    def __init__(self, db: Database, home: Path, trust_root: TrustRoot, clock: Clock) -> None:
        self._db, self._clock, self._trust_root = db, clock, trust_root
        self._packages = home / "packages"
        self._published = Published(home, trust_root)

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
