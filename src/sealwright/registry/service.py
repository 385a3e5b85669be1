"""The registry's verbs: register, promote, roll back, arrange several versions, revoke.

Answers: how does a sealed package get its number, and how does it come to serve, and to stop?
Does not answer: may it be released? The gate's result inside the package says so, and every verb
here verifies the package first. What is there already, `reading` answers.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sealwright.engines import Database, Row
from sealwright.kernel import (
    Clock,
    Conflict,
    InvalidInput,
    NotFound,
    VerificationFailed,
    check_name,
    hex_of,
    read_limited,
    rfc3339,
)
from sealwright.registry import recovery, store
from sealwright.registry.change import Change, Changes
from sealwright.registry.model import (
    PointerFacts,
    Revocation,
    RevocationList,
    SealedPackage,
    Version,
)
from sealwright.registry.names import GATE
from sealwright.registry.pointer import make_pointer, make_revocations, read_pointer
from sealwright.registry.reading import RegistryReader
from sealwright.registry.rows import pointer_of
from sealwright.trust import Keyring, Ledger, PointerArm, SignerRefused, TrustRoot, check_arms, read_split

__all__ = ["Registry"]

_MOST_DAYS = 90
_MOST_GATE = 16 << 20


class Registry(RegistryReader):
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
        super().__init__(db, home, root, clock)
        self._changes = Changes(db, home, keyring, ledger, clock, self._published)

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

    def promote(
        self,
        project: str,
        number: int,
        channel: str,
        by: str,
        reason: str,
        days: int = 7,
        *,
        expected: int | None = None,
    ) -> PointerFacts:
        """Let a version serve on a channel, for some days. Promoting it again confirms it for longer.

        Parameters
        ----------
        by : str
            Who decides it.
        reason : str
            Why now, 3 to 500 characters; it is signed with the pointer.
        days : int
            1 to 90: when the pointer ends unless it is confirmed.
        expected : int, optional
            Sequence of the pointer this one follows.

        Raises
        ------
        NotFound
            No such version.
        VerificationFailed
            Its package does not verify, or ledger, database and files disagree.
        PackageRevoked
            It was revoked.
        Conflict
            Another pointer than `expected` is the newest.
        """
        return self._point(recovery.PROMOTED, project, number, channel, by, reason, days, expected=expected)

    def rollback(
        self,
        project: str,
        channel: str,
        number: int,
        by: str,
        reason: str,
        days: int = 7,
        *,
        expected: int | None = None,
    ) -> PointerFacts:
        """Let a version serve again that served here before: a new pointer with a higher sequence.

        Raises
        ------
        InvalidInput
            The version never served on this channel before; promote it instead.
        NotFound, VerificationFailed, PackageRevoked, Conflict
            As `promote`.
        """
        return self._point(recovery.ROLLED_BACK, project, number, channel, by, reason, days, expected=expected)

    def arrange(
        self,
        project: str,
        channel: str,
        arms: Sequence[PointerArm],
        *,
        split: str,
        by: str,
        reason: str,
        days: int = 7,
        expected: int | None = None,
    ) -> PointerFacts:
        """Let several versions share a channel: a pointer with arms.

        Parameters
        ----------
        arms : sequence of PointerArm
            The champion first; their packages are those of their numbers.
        split : str
            The salt by which requests are spread: the same one for every step of a rollout, so that nobody changes sides.
        expected : int, optional
            Sequence of the pointer this one follows; another one came in between otherwise.

        Raises
        ------
        InvalidInput
            The arms make no sense together.
        Conflict
            Another pointer than `expected` is the newest.
        NotFound, VerificationFailed, PackageRevoked
            As `promote`, for any of them.
        """
        check_arms(arms), read_split(split)
        champion = arms[0]
        more = {"arms": tuple(arms), "split": split}
        return self._point(recovery.ARRANGED, project, champion.number, channel, by, reason, days, more, expected)

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
        self,
        action: str,
        project: str,
        number: int,
        channel: str,
        by: str,
        reason: str,
        days: int,
        more: Mapping[str, Any] = MappingProxyType({}),
        expected: int | None = None,
    ) -> PointerFacts:
        check_name(channel, what="channel")
        check_name(by, what="person")
        reason = _reason(reason)
        if not 1 <= days <= _MOST_DAYS:
            raise InvalidInput(f"A pointer holds for 1 to {_MOST_DAYS} days; got {days}.")
        package = self._released(project, number)
        arms: Sequence[PointerArm] = more.get("arms", ())
        for arm in arms:
            if self._released(project, arm.number) != arm.package:
                raise InvalidInput(f"Arm {arm.name} names another package than that of version {arm.number}.")
        with self._changes.one() as change:
            for one in {package, *(arm.package for arm in arms)}:
                change.refuse_revoked(one)
            rows = store.pointer_rows(change.tx, project, channel)
            _refuse_unexpected(rows, expected)
            if action == recovery.ROLLED_BACK and number not in {row["number"] for row in rows[:-1]}:
                raise InvalidInput(
                    f"Version {number} did not serve as {project}/{channel} before. Promote it instead of rolling back."
                )
            wanted: dict[str, Any] = {
                "project": project,
                "channel": channel,
                "sequence": rows[-1]["sequence"] + 1 if rows else 1,
                "number": number,
                "not_before": change.now,
                "expires": change.now + timedelta(days=days),
                "previous": pointer_of(rows[-1], self._trust_root).digest if rows else None,
                "revocations": change.revoked().sequence,
                "reason": reason,
                "by": by,
                **more,
            }
            envelope = self._signed_pointer(wanted, package, change)
            facts = read_pointer(envelope, self._trust_root)
            detail: dict[str, object] = {key: wanted[key] for key in ("project", "channel", "number")}
            detail |= {"sequence": facts.sequence, "statement": facts.digest, "expires": rfc3339(facts.expires)}
            if arms:
                detail["arms"] = [arm.to_json() for arm in arms]
            change.record(action, package, detail, envelope, by)
            store.insert_pointer(change.tx, facts, envelope)
        return facts

    def _signed_pointer(self, wanted: dict[str, Any], package: str, change: Change) -> bytes:
        """The pointer, signed on the strength of the gate's decision in its package.

        The signer never signs a number twice. Where a pointer was signed before and a crash or a full disk kept it from
        the ledger, its number stays unused, for everybody to see.
        """
        arms: Sequence[PointerArm] = wanted.get("arms", ())
        signer = (
            change.arms_signer([self._gate(arm.package) for arm in arms])
            if arms
            else change.pointer_signer(self._gate(package))
        )
        try:
            return make_pointer(wanted, package, signer)[0]
        except SignerRefused as refused:
            if refused.reason != "pointer.older":
                raise
            return make_pointer({**wanted, "sequence": refused.at + 1}, package, signer)[0]

    def _gate(self, package: str) -> bytes:
        return read_limited(self._packages / hex_of(package) / GATE, _MOST_GATE)

    def _released(self, project: str, number: int) -> str:
        """The package of a version, verified now."""
        version = self.version(project, number)
        package = self.package(version.package)
        if (package.project, package.model) != (project, version.model):
            raise VerificationFailed(
                f"Version {number} of {project} is a package of {package.project}: the database was changed.\n"
                "Restore it from the newest backup.",
                link="database",
            )
        return package.digest


def _refuse_unexpected(rows: Sequence[Row], expected: int | None) -> None:
    newest = rows[-1]["sequence"] if rows else 0
    if expected is not None and newest != expected:
        raise Conflict(
            f"Pointer {newest} is the newest now, not {expected}: somebody changed the release meanwhile. Look again."
        )


def _reason(words: str) -> str:
    plain = " ".join(words.split())
    if not 3 <= len(plain) <= 500 or not plain.isprintable():
        raise InvalidInput(
            "Give a reason of 3 to 500 readable characters. It is signed, and a later reader has only that."
        )
    return plain
