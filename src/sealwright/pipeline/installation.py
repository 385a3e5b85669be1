"""The installation under a workspace: looked over, accepted on record, compared with what was accepted.

Answers: is what Sealwright runs on in order, and is it what was accepted?
Does not answer: is the operating system in order.
"""

import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from typing import Literal

from sealwright.kernel import InvalidInput, NotFound, canonical_json, digest_of, read_limited, write_atomically
from sealwright.pipeline.permission import allow
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import (
    Advisories,
    Difference,
    Event,
    LedgerAudit,
    Principal,
    StaleAdvisories,
    WorkspaceResource,
    changed_files,
    differences,
    environment_bom,
    environment_statement,
    installed_here,
    licence_problems,
    release_problem,
    sign_statement,
    start_hooks,
    verify_environment,
)

__all__ = ["Finding", "accept_environment", "compare_environment", "look_over", "note_differences"]

_FILE = "environment.json"
_MOST_BYTES = 4 << 20

State = Literal["good", "look", "bad", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `look`: a person should; `bad`: it must not stay so; `unknown`: could not be told."""

    what: str
    state: State
    says: tuple[str, ...] = ()


def look_over(
    now: datetime, *, advisories: Advisories | None = None, files: bool = False, paths: Sequence[str] | None = None
) -> list[Finding]:
    """Look over the Python we run on.

    Parameters
    ----------
    advisories : Advisories, optional
        The list of known faults; left out, none is looked for, and the finding says so.
    files : bool
        Also compare every installed file with its hash; seconds for a full installation.
    paths : sequence of str, optional
        Site folders to look at; left out: those of the running Python.
    """
    places = list(sys.path if paths is None else paths)
    found = [
        _python(now),
        _judged("start hooks", [f"{hook.path} {hook.why}" for hook in start_hooks(places)], "bad"),
        _judged("licences", _licences(paths), "look"),
        _faults(advisories, now, paths),
    ]
    if files:
        changed = [f"{package}: {file}" for package, file in changed_files(paths)]
        found.append(_judged("installed files", changed, "bad"))
    return found


def accept_environment(workspace: Workspace, *, by: Principal, reason: str) -> str:
    """Accept the packages that are installed now, on record; returns the digest of their bill of materials.

    Raises
    ------
    PermissionDenied
        They may not.
    InvalidInput
        No reason is given.
    """
    allow(workspace, by, "environment.accept", WorkspaceResource())
    words = " ".join(reason.split())
    if len(words) < 8:
        raise InvalidInput("Say in a few words why this installation is accepted. It goes on record.")
    bom = environment_bom(installed_here(), python=platform.python_version(), now=workspace.clock())
    envelope = sign_statement(environment_statement(bom, by=by.counts_as), workspace.keyring.signer("statements"))
    digest = digest_of(canonical_json(bom))
    LedgerAudit(workspace.ledger, workspace.keyring).record(
        Event(
            action="environment.accept",
            outcome="done",
            actor=by.counts_as,
            resource="environment:this",
            detail={"bom": digest, "packages": len(bom["components"])},
            words=words,
        )
    )
    write_atomically(workspace.home / _FILE, envelope)
    return digest


def compare_environment(workspace: Workspace) -> list[Difference]:
    """What is installed otherwise than accepted.

    Raises
    ------
    NotFound
        No installation was accepted here yet.
    VerificationFailed
        The record of it was changed.
    """
    path = workspace.home / _FILE
    if not path.exists():
        raise NotFound(
            "No installation was accepted in this workspace yet.\nAccept it with: sealwright doctor --accept --reason …"
        )
    bom = verify_environment(read_limited(path, _MOST_BYTES), workspace.trust_root.keys_of("statements"))
    return differences(bom, installed_here(), python=platform.python_version())


def note_differences(workspace: Workspace) -> list[Difference]:
    """What is installed otherwise than accepted, put on record; empty where nothing is, or nothing was accepted yet.

    Raises
    ------
    VerificationFailed
        The record of what was accepted was changed.
    """
    try:
        changed = compare_environment(workspace)
    except NotFound:
        return []
    if changed:
        detail = {"packages": [one.package for one in changed]}
        event = Event(
            action="environment.compare",
            outcome="failed",
            reason="supply.differs",
            resource="environment:this",
            detail=detail,
        )
        LedgerAudit(workspace.ledger, workspace.keyring).record(event)
    return changed


def _python(now: datetime) -> Finding:
    problem = release_problem(sys.version_info[:3], now)
    return _judged("Python", [problem] if problem else [], "look")


def _licences(paths: Sequence[str] | None) -> list[str]:
    dists = metadata.distributions() if paths is None else metadata.distributions(path=list(paths))
    packages = [dist.metadata for dist in dists if dist.name]
    return [f"{one.name}: {one.licence or 'says nothing'}" for one in licence_problems(packages)]


def _faults(advisories: Advisories | None, now: datetime, paths: Sequence[str] | None) -> Finding:
    if advisories is None:
        return Finding(what="known faults", state="unknown", says=("no list of advisories was given (--advisories)",))
    faults = [
        f"{fault.package} {fault.version}: {fault.advisory.id} {' '.join(fault.advisory.aliases)}"
        + (f", fixed in {fault.fixed_in}" if fault.fixed_in else "")
        for fault in advisories.faults_in(installed_here(paths))
    ]
    try:
        advisories.check_fresh(now)
    except StaleAdvisories as stale:
        return Finding(what="known faults", state="bad", says=(str(stale).splitlines()[0], *faults))
    return _judged("known faults", faults, "bad")


def _judged(what: str, says: list[str], otherwise: State) -> Finding:
    return Finding(what=what, state=otherwise if says else "good", says=tuple(says))
