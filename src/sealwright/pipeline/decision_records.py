"""The decision records of a project, from the ledgers its servers write, beside servers that run.

Answers: what was decided, channel by channel, as it was sealed?
Does not answer: about whom. `person_search` looks for one person, `person_signals` for those whose browser asked.
"""

from collections.abc import Container, Iterator, Mapping
from types import MappingProxyType

from sealwright.pipeline.workspace import Workspace
from sealwright.serving import (
    DECISION_KEY_PURPOSE,
    SHADOW,
    DecisionRecord,
    ShadowRecord,
    decision_origin,
    read_decision,
    read_shadow,
)
from sealwright.trust import DECISION, Ledger, LedgerEntry

__all__ = ["decision_records", "shadow_records", "shadows_of"]


def decision_records(
    workspace: Workspace, project: str, *, start: Mapping[str, int] = MappingProxyType({}), channel: str = ""
) -> Iterator[tuple[str, LedgerEntry, DecisionRecord]]:
    """Every decision record of a project that was not erased: channel, ledger entry, record.

    Parameters
    ----------
    start : mapping of channel to int, optional
        How many entries of its ledger to pass over. A ledger that is shorter came from a backup and is read whole.
    channel : str
        Only this one; left out: all of them.
    """
    keys = workspace.keyring.keys("decisions", DECISION_KEY_PURPOSE)
    for place, ledger in _ledgers(workspace, project):
        passed = start.get(place, 0)
        for entry in ledger.entries(passed if passed <= ledger.size else 0) if channel in {"", place} else ():
            if entry.action == DECISION and entry.attachment is not None:
                yield place, entry, read_decision(entry, *keys)


def shadows_of(workspace: Workspace, project: str, decisions: Container[str]) -> dict[str, list[int]]:
    """Where shadows of these decisions are kept: entries of the ledger of each channel. They go when the decisions go."""
    return {
        channel: [
            entry.index
            for entry in ledger.entries()
            if entry.action == SHADOW and entry.attachment is not None and entry.detail.get("decision") in decisions
        ]
        for channel, ledger in _ledgers(workspace, project)
    }


def shadow_records(workspace: Workspace, project: str, decisions: Container[str]) -> Iterator[ShadowRecord]:
    """What shadows would have said to these decisions."""
    keys = workspace.keyring.keys("decisions", DECISION_KEY_PURPOSE)
    for _, ledger in _ledgers(workspace, project):
        for entry in ledger.entries():
            if entry.action == SHADOW and entry.attachment is not None and entry.detail.get("decision") in decisions:
                yield read_shadow(entry, *keys)


def _ledgers(workspace: Workspace, project: str) -> Iterator[tuple[str, Ledger]]:
    """The ledger of each channel that was ever served, as of its newest checkpoint."""
    folder = workspace.folder("serving") / project
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not (place / "ledger" / "checkpoint").is_file():
            continue
        with Ledger.open(
            place / "ledger",
            origin=decision_origin(workspace.id, project, place.name),
            signer=None,
            keys=workspace.trust_root.keys_of("decision-checkpoints"),
        ) as ledger:
            yield place.name, ledger
