"""Seal the decision records of finished hours into encrypted files, and take them out of the ledger's own.

Answers: how does a decision ledger hand its records over, hour by hour, so that nothing is lost and nothing is there twice?
Does not answer: for how long they stay. `decision_retention` says so.

Each step may be cut off and gone on with: (1) a draft, which nobody reads; (2) the whole folder under its name, from where on
readers take it; (3) every record read back from the file and compared with the ledger, then the manifest on file in the workspace's
ledger; (4) the records overwritten in the decision ledger, with the name of the hour; (5) a mark that this is done; (6) the ledger packed as far as its records
are gone, which gives their place back to the disk.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby, islice
from pathlib import Path

from sealwright.kernel import Progress, silent
from sealwright.pipeline.decision_check import check_hour
from sealwright.pipeline.decision_hour_writing import Decided, Leaves, write_hour
from sealwright.pipeline.decision_hours import (
    Hour,
    hold_hours,
    hour_gone,
    hours_backwards,
    hours_folder,
    hours_of,
    remove_folder,
)
from sealwright.pipeline.desk import evidence_of
from sealwright.pipeline.permission import allow
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import DECISION_KEY_PURPOSE, SHADOW, decision_origin, leaf_of, read_decisions, read_shadow
from sealwright.trust import (
    DECISIONS,
    SCORED,
    Ledger,
    LedgerEntry,
    Principal,
    ProjectResource,
    PublicKey,
    leaf_hash,
    pack_entries,
    release_attachments,
    settle_ledger,
    wait_for_checkpoint,
)

__all__ = ["channels_served", "finish_hours", "open_channel", "seal_decisions", "seal_so_far", "settle_channels"]

_RELEASED = "released"


def seal_decisions(
    workspace: Workspace, project: str, *, by: Principal, most: int | None = None, progress: Progress = silent
) -> list[Hour]:
    """Seal every finished hour of a project's channels; returns those that were sealed now. Doing it twice does it once.

    Parameters
    ----------
    most : int, optional
        Seal no more hours of a channel in this run; left out: all.

    Raises
    ------
    PermissionDenied
        They may not run the project's servers.
    Conflict
        Another process seals just now.
    VerificationFailed
        A record, or an hour that is there, is not what was signed. Nothing is released then.
    OperationFailed
        The disk failed; the next run goes on.
    """
    allow(workspace, by, "serve.start", ProjectResource(name=project))
    sealed: list[Hour] = []
    settle_channels(workspace, project)
    for channel in channels_served(workspace, project):
        progress(f"sealing {project}/{channel}", 0.0)
        with hold_hours(hours_folder(workspace, project, channel)):
            finish_hours(workspace, project, channel, by=by.counts_as)
            sealed += islice(_seal_channel(workspace, project, channel, by=by.counts_as), most)
            _pack(workspace, project, channel)
    return sealed


def channels_served(workspace: Workspace, project: str) -> list[str]:
    """The channels of a project that have a decision ledger, and beside each its scored files (`scored_channel`)."""
    folder = workspace.folder("serving") / project
    places = sorted(folder.iterdir()) if folder.is_dir() else []
    return [place.name for place in places if (place / "ledger" / "checkpoints.log").is_file()]


def finish_hours(workspace: Workspace, project: str, channel: str, *, by: str) -> list[Hour]:
    """Do what a crash left undone, under `hold_hours`; returns the hours there are."""
    place = hours_folder(workspace, project, channel)
    found = hours_of(workspace, project, channel)
    current = {hour.folder for hour in found}
    for folder in list(place.iterdir()):
        if folder.is_dir() and folder not in current:  # a draft, or a generation that was replaced
            remove_folder(folder)
    for hour in found:
        _finish(workspace, hour, by)
    return found


def seal_so_far(workspace: Workspace, project: str, channel: str, *, by: str) -> list[Hour]:
    """Seal what is on record up to now, under `hold_hours`, though its hour is not over: the rest of that hour follows in a file of
    its own. In a file single rows of a scored batch can be erased; beside an entry they are sealed together."""
    return list(_seal_channel(workspace, project, channel, by=by, before_hour="~"))


def settle_channels(workspace: Workspace, project: str) -> None:
    """Where a server was killed and none writes since: have what it promised signed, so that readers find it."""
    for channel in channels_served(workspace, project):
        origin, keys = _signed_as(workspace, project, channel)
        signer = partial(workspace.keyring.signer, "decision-checkpoints")
        settle_ledger(_ledger_of(workspace, project, channel), origin=origin, signer=signer, keys=keys)


def _seal_channel(
    workspace: Workspace, project: str, channel: str, *, by: str, before_hour: str = ""
) -> Iterator[Hour]:
    start, now = _sealed_to(workspace, project, channel), before_hour or workspace.clock().isoformat()[:13]
    with open_channel(workspace, project, channel) as opened:
        for hour, entries in groupby(opened.entries(start), key=lambda entry: entry.at[:13]):
            if hour >= now:
                return
            made = _seal_hour(workspace, project, channel, hour, entries)
            _finish(workspace, made, by)
            yield made


def _seal_hour(workspace: Workspace, project: str, channel: str, hour: str, entries: Iterator[LedgerEntry]) -> Hour:
    keys = workspace.keyring.keys("decisions", DECISION_KEY_PURPOSE)
    opening = next(entries)
    last, leaves = [opening.index], Leaves()

    def decided() -> Iterator[Decided]:
        entry: LedgerEntry | None = opening
        while entry is not None:
            last[0] = entry.index
            if entry.moved_to:
                raise hour_gone(entry)
            if entry.action in DECISIONS:
                leaves.add(entry.leaf)
                yield from _decided_in(entry, keys)
            elif entry.action == SHADOW:
                said = read_shadow(entry, *keys) if entry.attachment is not None else None
                yield Decided(entry.index, entry.at, str(entry.detail["decision"]), entry.subject, said, shadow=True)
            entry = next(entries, None)

    known = Hour(
        project=project, channel=channel, hour=hour, first=opening.index, after=0, rows=0, erased=0, generation=1,
        leaves="", file="", size=0,
    )  # fmt: skip
    place = hours_folder(workspace, project, channel)
    return write_hour(workspace, place, known, decided(), leaves=leaves, after=lambda: last[0] + 1)


def _decided_in(entry: LedgerEntry, keys: Sequence[bytes]) -> Iterator[Decided]:
    """The rows that an entry becomes."""
    scored = entry.action == SCORED
    if entry.attachment is None:
        said = entry.detail
        names = [f"{said['batch']}_{place}" for place in range(said["rows"])] if scored else [str(said["decision"])]
        yield from (Decided(entry.index, entry.at, name, entry.subject, None) for name in names)
        return
    for record in read_decisions(entry, *keys):
        leaf = leaf_hash(leaf_of(record)) if scored else None
        yield Decided(entry.index, entry.at, record.decision, entry.subject, record, leaf=leaf)


def _finish(workspace: Workspace, hour: Hour, by: str) -> None:
    """Have the manifest on file, and the records out of the decision ledger."""
    mark = hour.folder / _RELEASED
    if mark.exists():
        return
    with open_channel(workspace, hour.project, hour.channel) as opened:
        check_hour(workspace, hour, opened.entries(hour.first))
    evidence_of(workspace).file_statement(hour.envelope, project=hour.project, actor=by)
    release_attachments(_ledger_of(workspace, hour.project, hour.channel), hour.first, hour.after, hour.hour)
    mark.touch(mode=0o600)


def _pack(workspace: Workspace, project: str, channel: str) -> None:
    end = _sealed_to(workspace, project, channel)
    if end:
        pack_entries(_ledger_of(workspace, project, channel), end)


def _sealed_to(workspace: Workspace, project: str, channel: str) -> int:
    """Before which entry the newest hour ends."""
    newest = next(hours_backwards(workspace, project, channel), None)
    return newest.after if newest else 0


def open_channel(workspace: Workspace, project: str, channel: str) -> Ledger:
    """The ledger of a channel, to read; what was answered just now counts, too."""
    ledger = _ledger_of(workspace, project, channel)
    origin, keys = _signed_as(workspace, project, channel)
    wait_for_checkpoint(ledger, origin=origin, keys=keys)
    return Ledger.open(ledger, origin=origin, signer=None, keys=keys)


def _ledger_of(workspace: Workspace, project: str, channel: str) -> Path:
    return workspace.folder("serving") / project / channel / "ledger"


def _signed_as(workspace: Workspace, project: str, channel: str) -> tuple[str, Sequence[PublicKey]]:
    """The name in a channel's checkpoints, and the keys that may have signed them."""
    return decision_origin(workspace.id, project, channel), workspace.trust_root.keys_of("decision-checkpoints")
