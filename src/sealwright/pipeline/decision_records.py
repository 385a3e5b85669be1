"""The decision records of a project, from the ledgers its servers write, beside servers that run.

Answers: what was decided, channel by channel, as it was sealed?
Does not answer: about whom. `person_search` looks for one person, `person_signals` for those whose browser asked.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sealwright.pipeline.workspace import Workspace
from sealwright.serving import DECISION_KEY_PURPOSE, DecisionRecord, decision_origin, read_decision
from sealwright.trust import DECISION, Ledger, LedgerEntry, wait_for_checkpoint

__all__ = ["decision_records"]


def decision_records(
    workspace: Workspace, project: str, *, start: Mapping[str, int] = MappingProxyType({})
) -> Iterator[tuple[str, LedgerEntry, DecisionRecord]]:
    """Every decision record of a project that was not erased: channel, ledger entry, record.

    Parameters
    ----------
    start : mapping of channel to int, optional
        How many entries of its ledger to pass over. A ledger that is shorter came from a backup and is read whole.
    """
    keys = workspace.keyring.keys("decisions", DECISION_KEY_PURPOSE)
    folder = workspace.folder("serving") / project
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not (place / "ledger" / "checkpoints.log").is_file():
            continue
        origin = decision_origin(workspace.id, project, place.name)
        log = workspace.trust_root.keys_of("decision-checkpoints")
        wait_for_checkpoint(place / "ledger", origin=origin, keys=log)  # what was answered just now counts, too
        with Ledger.open(place / "ledger", origin=origin, signer=None, keys=log) as ledger:
            passed = start.get(place.name, 0)
            for entry in ledger.entries(passed if passed <= ledger.size else 0):
                if entry.action == DECISION and entry.attachment is not None:
                    yield place.name, entry, read_decision(entry, *keys)
