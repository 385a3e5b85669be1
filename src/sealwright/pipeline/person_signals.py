"""A browser says for its user that their data may not be sold or shared: Global Privacy Control, honoured unasked.

Answers: whose decisions came with the signal since anybody looked, and are these persons opted out now?
Does not answer: who the user is. A decision is somebody's where its caller named them (`Sealwright-Person`).
W3C, Global Privacy Control: the header `Sec-GPC` with the value 1. California counts it as an opt-out (11 CCR 7025).
"""

from sealwright.kernel import from_rfc3339
from sealwright.pipeline.data_consent import suppressions_of
from sealwright.pipeline.data_requests import requests_of
from sealwright.pipeline.decision_records import decision_records
from sealwright.pipeline.workspace import Workspace

__all__ = ["honour_signals"]

_READ = "subject.signals_read"
_ACTOR = "sec-gpc"
_DONE = "Opted out on the signal of the person's browser: their rows are kept but not used."


def honour_signals(workspace: Workspace, project: str) -> int:
    """Opt out everybody a decision of this project was about whose browser sent the signal; returns how many are new.

    Every record is looked at once: the ledger says how far each channel was read.
    """
    before = _read_so_far(workspace, project)
    upto, first = dict(before), dict[str, str]()
    for channel, entry, record in decision_records(workspace, project, start=before):
        upto[channel] = entry.index + 1
        if record.gpc and record.person:
            first.setdefault(record.person, entry.at)
    if upto == before:
        return 0
    standing = suppressions_of(workspace).suppressed(project)
    new = {person: at for person, at in first.items() if not {"opt_out", "erased"} & standing.get(person, frozenset())}
    for person, at in new.items():
        _opt_out(workspace, project, person, at)
    workspace.ledger.append(_READ, project, {"read": upto, "opted_out": len(new)}, actor=_ACTOR)
    return len(new)


def _opt_out(workspace: Workspace, project: str, person: str, at: str) -> None:
    register = requests_of(workspace)
    request = register.receive(
        "opt_out", person, projects=[project], law="ccpa", by=_ACTOR, received_at=from_rfc3339(at)
    )
    suppressions_of(workspace).suppress(
        project, person, "opt_out", by=_ACTOR, request=request.id, origin="gpc", since=request.received_at
    )
    register.end(request.id, "answered", outcome=_DONE, by=_ACTOR)


def _read_so_far(workspace: Workspace, project: str) -> dict[str, int]:
    """Per channel of a project, how many entries of its decision ledger were read."""
    read: dict[str, int] = {}
    for entry in workspace.ledger.entries():
        if entry.action == _READ and entry.subject == project:
            read = {str(channel): int(size) for channel, size in dict(entry.detail["read"]).items()}
    return read
