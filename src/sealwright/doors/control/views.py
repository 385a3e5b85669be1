"""What the console's first pages show, read from the workspace as anybody with its public keys could.

Answers: how large is the ledger, what was recorded last, which keys sign and seal here?
People stand in the ledger under their name or a pseudonym; here always under a keyed pseudonym.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sealwright.kernel import NotFound
from sealwright.pipeline import Workspace, ledger_origin
from sealwright.trust import SEALING_BRANCHES, Ledger, LedgerEntry, verify_ledger

__all__ = ["KeyFacts", "LedgerFacts", "Shown", "Views"]

_LATEST = 50
_PSEUDONYM = "sub_"
_SHOWN_DETAIL = ("outcome", "reason", "policies", "request", "count")  # codes and counts; the rest may name somebody


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One entry as the console shows it."""

    index: int
    at: str
    action: str
    actor: str  # a pseudonym, or "" for the system itself
    subject: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFacts:
    """The ledger as of its newest checkpoint."""

    origin: str
    size: int
    checkpoint: str  # the signed note
    latest: Sequence[Shown]  # newest first

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """Public halves of the signing keys, and which versions of the sealing keys exist."""

    fingerprint: str
    signing: Sequence[Mapping[str, Any]]
    sealing: Sequence[Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Views:
    """Reads one workspace. Safe to use from many threads."""

    def __init__(self, workspace: Workspace, name_of: Callable[[str], str]) -> None:
        """Take an opened workspace, and what makes the keyed pseudonym of a name."""
        self._workspace, self._name_of = workspace, name_of

    def ledger(self) -> LedgerFacts:
        """Size, newest checkpoint and the latest entries.

        Raises
        ------
        VerificationFailed
            The ledger is not what was signed.
        """
        with self._opened() as ledger:
            first = max(0, ledger.size - _LATEST)
            latest = [self._shown(entry) for entry in ledger.entries(first)] if ledger.size else []
            return LedgerFacts(
                origin=ledger_origin(self._workspace.id),
                size=ledger.size,
                checkpoint=ledger.checkpoint().decode(),
                latest=latest[::-1],
            )

    def entry(self, index: int) -> Shown:
        """One entry, checked against the newest checkpoint.

        Raises
        ------
        NotFound, VerificationFailed
        """
        with self._opened() as ledger:
            return self._shown(ledger.entry(index))

    def verify(self) -> int:
        """Check the whole ledger, every entry of it; returns how many there are.

        Raises
        ------
        VerificationFailed
            `link` names the first break.
        """
        workspace = self._workspace
        report = verify_ledger(
            workspace.home / "ledger", workspace.trust_root.keys_of("checkpoints"), ledger_origin(workspace.id)
        )
        return report.size

    def keys(self) -> KeyFacts:
        """Which keys there are. None of them secret."""
        root, ring = self._workspace.trust_root, self._workspace.keyring
        signing = [
            {"branch": branch, "algorithm": key.algorithm, "key": key.key_id, "in_use": key is found[-1]}
            for branch, found in sorted(root.keys.items())
            for key in reversed(found)
        ]
        sealing = [
            {"branch": branch, "versions": list(found), "in_use": found[-1]}
            for branch in sorted(SEALING_BRANCHES)
            for found in [ring.versions(branch)]
        ]
        return KeyFacts(fingerprint=root.fingerprint, signing=signing, sealing=sealing)

    def _opened(self) -> Ledger:
        return self._workspace.ledger_as_of_now()

    def _shown(self, entry: LedgerEntry) -> Shown:
        actor = entry.actor if entry.actor.startswith(_PSEUDONYM) or not entry.actor else self._name_of(entry.actor)
        detail = {name: entry.detail[name] for name in _SHOWN_DETAIL if name in entry.detail}
        return Shown(
            index=entry.index, at=entry.at, action=entry.action, actor=actor, subject=entry.subject, detail=detail
        )


def entry_number(text: str) -> int:
    """The number of an entry as it stands in an address.

    Raises
    ------
    NotFound
        It is none.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise NotFound("There is no such entry.")
    return int(text)
