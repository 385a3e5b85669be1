"""Looking into a ledger: find entries, show them to people with names, hand them out with proofs.

Answers: who did what, when, to what, and what was refused?
Does not answer: is the ledger whole? (`ledger_check`). It only reads, so it runs beside whatever writes.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sealwright.kernel import InvalidInput, Progress, canonical_json, rfc3339, silent
from sealwright.pipeline.anchoring import LedgerAt, ledgers_of
from sealwright.pipeline.ledger_names import who_acted
from sealwright.pipeline.permission import allow
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import (
    AnchorStore,
    Checkpoint,
    Ledger,
    LedgerEntry,
    LedgerResource,
    Principal,
    TrustRoot,
    digest_of_resource,
)

__all__ = [
    "CONTROL",
    "Sought",
    "Told",
    "export_entries",
    "find_entries",
    "ledger_at",
    "ledger_named",
    "prove_entry",
    "reading_ledger",
    "reading_ledgers",
]

CONTROL = "control"
DOOR = "door"
_REPORT_EVERY = 4096  # entries

LedgerAction = Literal["ledger.read", "ledger.export"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What an entry must be to be found; what is left out does not matter."""

    actor: str = ""  # a name, or a pseudonym
    action: str = ""  # whole, or its beginning up to a dot: "data." finds "data.disposed"
    subject: str = ""  # a digest, an id, or a resource such as "model:credit/3"
    outcome: str = ""  # done, refused, failed
    since: datetime | None = None
    until: datetime | None = None  # exclusive
    text: str = ""  # in the reason, or in what somebody wrote; capitals do not matter


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An entry as it is shown to somebody who may see names."""

    index: int
    at: str
    actor: str  # a name where it is known, else the pseudonym
    action: str
    subject: str
    detail: Mapping[str, Any]
    words: str  # what somebody wrote with it

    @property
    def outcome(self) -> str:
        return str(self.detail.get("outcome", "done"))

    @property
    def reason(self) -> str:
        return self.words or str(self.detail.get("reason", ""))

    def to_json(self) -> dict[str, Any]:
        names = ("index", "at", "actor", "action", "outcome", "subject", "words")
        return {name: getattr(self, name) for name in names} | {"detail": dict(self.detail)}


def ledger_at(workspace: Workspace, log: str = CONTROL) -> LedgerAt:
    """As `ledger_named`, of an opened workspace."""
    return ledger_named(workspace.home, workspace.trust_root, log)


def ledger_named(home: Path, trust_root: TrustRoot, log: str) -> LedgerAt:
    """The control ledger; that of the control server's door ("door"); or that of decisions of "PROJECT/CHANNEL".

    Raises
    ------
    InvalidInput
        There is none of that name.
    """
    known = {_name_of(one): one for one in ledgers_of(home, trust_root)}
    if log not in known:
        raise InvalidInput(f"There is no ledger {log[:80]!r}. There are: {', '.join(known)}.")
    return known[log]


def _name_of(place: LedgerAt) -> str:
    _, decisions, name = place.origin.partition("/decisions/")
    return name if decisions else DOOR if place.origin.endswith("/control") else CONTROL


@contextmanager
def reading_ledgers(workspace: Workspace, by: Principal) -> Iterator[Mapping[str, Ledger]]:
    """Every ledger of the workspace by its origin, opened to read as of now, for whoever may.

    Raises
    ------
    PermissionDenied
        They may not look into them.
    """
    allow(workspace, by, "ledger.read", LedgerResource(name="all"))
    root = workspace.trust_root
    with ExitStack() as opened:
        yield {
            place.origin: opened.enter_context(
                Ledger.open(place.folder, origin=place.origin, signer=None, keys=root.keys_of(place.branch))
            )
            for place in ledgers_of(workspace.home, root)
        }


@contextmanager
def reading_ledger(
    workspace: Workspace, by: Principal, log: str = CONTROL, *, action: LedgerAction = "ledger.read"
) -> Iterator[Ledger]:
    """The ledger, opened to read as of now, for whoever may.

    Raises
    ------
    PermissionDenied
        They may not look into it, or not hand it out.
    InvalidInput
        There is no such ledger.
    """
    place = ledger_at(workspace, log)
    allow(workspace, by, action, LedgerResource(name=log))
    keys = workspace.trust_root.keys_of(place.branch)
    with Ledger.open(place.folder, origin=place.origin, signer=None, keys=keys) as ledger:
        yield ledger


def find_entries(
    workspace: Workspace,
    ledger: Ledger,
    sought: Sought,
    *,
    start: int = 0,
    names: Iterable[str] = (),
    progress: Progress = silent,
) -> Iterator[Told]:
    """Entries from `start` that are `sought`, in order, one at a time: memory does not grow with the ledger.

    Parameters
    ----------
    names : iterable of str
        Who may have acted besides those the workspace knows (`known_names`).

    Raises
    ------
    VerificationFailed
        An entry is malformed, or words beside it do not open with the keys of this workspace.
    """
    who, fits = who_acted(workspace, names), _Fits(workspace, sought)
    for entry in ledger.entries(start):
        if entry.index % _REPORT_EVERY == 0:
            progress("searching the ledger", entry.index / ledger.size)
        if fits(entry):
            told = _told(workspace, entry, who)
            if sought.text.casefold() in f"{told.reason}\n{told.detail.get('reason', '')}".casefold():
                yield told


class _Fits:
    """Everything about an entry that can be seen without opening anything."""

    def __init__(self, workspace: Workspace, sought: Sought) -> None:
        self._sought = sought
        self._actors = workspace.discretion.names_of(sought.actor) | {sought.actor}
        self._subjects = {sought.subject, digest_of_resource(sought.subject)}
        self._since = rfc3339(sought.since) if sought.since else ""
        self._until = rfc3339(sought.until) if sought.until else "~"  # after every digit

    def __call__(self, entry: LedgerEntry) -> bool:
        sought = self._sought
        return (
            self._since <= entry.at < self._until
            and (not sought.actor or entry.actor in self._actors)
            and (not sought.action or entry.action == sought.action or _begins(entry.action, sought.action))
            and (not sought.subject or entry.subject in self._subjects)
            and (not sought.outcome or entry.detail.get("outcome", "done") == sought.outcome)
        )


def _begins(action: str, sought: str) -> bool:
    return sought.endswith(".") and action.startswith(sought)


def _told(workspace: Workspace, entry: LedgerEntry, who: Mapping[str, str]) -> Told:
    return Told(
        index=entry.index,
        at=entry.at,
        actor=who.get(entry.actor, entry.actor),
        action=entry.action,
        subject=entry.subject,
        detail=entry.detail,
        words=workspace.discretion.words_of(entry),
    )


# ---- handing out


def prove_entry(ledger: Ledger, folder: Path, index: int, *, cosigned: bool = False) -> tuple[bytes, bytes]:
    """An entry's line without what is beside it, and the proof (c2sp.org/tlog-proof) that it is in the ledger.

    Parameters
    ----------
    cosigned : bool
        Prove it under the newest checkpoint that witnesses cosigned, and not under the newest of all.

    Raises
    ------
    NotFound
        There is no such entry.
    InvalidInput
        No cosigned checkpoint covers it yet.
    """
    leaf = ledger.entry(index).leaf
    if not cosigned:
        return leaf, ledger.proof(index)
    for note in AnchorStore(folder).cosigned():
        if index < Checkpoint.parse_note(note).size <= ledger.size:
            return leaf, ledger.proof(index, under=note)
    raise InvalidInput(f"No witness has cosigned entry {index} yet. Take the ledger to them: sealwright ledger anchor")


def export_entries(
    workspace: Workspace, ledger: Ledger, sought: Sought, *, progress: Progress = silent
) -> Iterator[bytes]:
    """One JSON line for each entry that is `sought`: the entry as it is signed, and its proof. No names, no words.

    Each line holds on its own; `sealwright_verify.py` checks the file.
    """
    for told in find_entries(workspace, ledger, sought, progress=progress):
        leaf, proof = ledger.entry(told.index).leaf, ledger.proof(told.index)
        yield canonical_json({"entry": leaf.decode(), "proof": proof.decode()}) + b"\n"
