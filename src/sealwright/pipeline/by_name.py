"""What permissions are asked about where only a name is known, or none: then everything of that kind is meant.

Answers: which project, data or version is it, as far as that can be said without a project's folder or a package? Is there
one of that name?
Does not answer: who did what to it. `version_facts` reads that from what was signed.

A project is there from the first thing that is kept under its name: a run that was begun, data, a registered version, a
pointer, decisions, a consent. A hold, a request, a role or a word about it makes none, or the first typing error would.
"""

from collections.abc import Iterator

from sealwright.kernel import NotFound, check_name, hex_of
from sealwright.pipeline.permission import allow, permissions_of
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import scored_channel
from sealwright.trust import EVERY_PROJECT, DatasetResource, Principal, ProjectResource, VersionResource

__all__ = [
    "data_of_project",
    "is_project",
    "project_named",
    "projects_seen_by",
    "refuse_unknown_channel",
    "refuse_unknown_project",
    "refuse_unknown_snapshot",
    "refuse_unreleased",
    "version_named",
]

_FIRST_CHANNEL = "live"  # what verbs mean that name none; nothing may have been released there yet
_MOST_NAMED = 20


def project_named(name: str | None) -> ProjectResource:
    """A project of which only the name is known; None: all of them, which takes a role in every project.

    Raises
    ------
    InvalidInput
        That is no name of a project.
    """
    return ProjectResource(name=EVERY_PROJECT if name is None else check_name(name, what="project"))


def data_of_project(name: str | None) -> DatasetResource:
    """The data of a project of which only the name is known, taken to be as sensitive as can be; None: that of all."""
    where = EVERY_PROJECT if name is None else name
    return DatasetResource(name=where, project=where)


def version_named(workspace: Workspace, project: str, number: int) -> VersionResource:
    """A registered version as far as it can be known without its package: it may be broken, and is to be withdrawn.

    Raises
    ------
    NotFound
        There is no such version.
    """
    registry = workspace.registry_to_read
    version = registry.version(project, number)
    revoked = version.package in registry.revocations().packages
    return VersionResource(name=f"{project}/{number}", project=project, stage="revoked" if revoked else "registered")


def refuse_unknown_project(workspace: Workspace, name: str, *, asker: Principal) -> None:
    """Go on only if there is a project of that name. Asked before the verb's own permission, which is asked as ever.

    Raises
    ------
    NotFound
        There is none; those that `asker` may see are named.
    PermissionDenied
        There is none, and they may not see a project of that name: they learn nothing of the others.
    InvalidInput
        That is no name of a project.
    """
    if is_project(workspace, check_name(name, what="project")):
        return
    allow(workspace, asker, "project.view", project_named(name))
    there = projects_seen_by(workspace, asker)
    raise NotFound(
        f"There is no project {name} here: nothing was taken in, trained, registered or decided under that name.\n"
        + (f"There are: {_listed(there)}." if there else "There is none yet. First: sealwright run PROJECT_FOLDER")
    )


def refuse_unknown_channel(workspace: Workspace, project: str, channel: str, *, asker: Principal) -> None:
    """As `refuse_unknown_project`, and for a channel of it: one that something was released on or that has decisions."""
    refuse_unknown_project(workspace, project, asker=asker)
    there = list(dict.fromkeys([_FIRST_CHANNEL, *sorted(_channels(workspace, project))]))
    if channel in {*there, *map(scored_channel, there)}:
        return
    allow(workspace, asker, "project.view", project_named(project))
    raise NotFound(
        f"{project} has no channel {check_name(channel, what='channel')}: nothing was released or decided there.\n"
        f"There are: {_listed(there)}."
    )


def refuse_unknown_snapshot(workspace: Workspace, project: str, digest: str, *, asker: Principal) -> None:
    """As `refuse_unknown_project`, and for a snapshot of it whose files are there.

    Raises
    ------
    NotFound
        There is none of that digest, it is another project's, or it was replaced or disposed of.
    InvalidInput
        That is no digest.
    """
    refuse_unknown_project(workspace, project, asker=asker)
    hex_of(digest)
    with (
        workspace.db.read() as tx
    ):  # not by `SnapshotIndex`, which needs what reads data: holds are of the base install
        rows = tx.run("SELECT digest, state FROM snapshots WHERE project = :project ORDER BY sequence", project=project)
    states = {str(row["digest"]): str(row["state"]) for row in rows}
    if states.get(digest) == "kept":
        return
    allow(workspace, asker, "project.view", project_named(project))
    ended = states.get(digest)
    what = f"{project} has no snapshot {digest}" if ended is None else f"The snapshot {digest} was {ended}"
    there = [one for one, state in states.items() if state == "kept"]
    raise NotFound(f"{what}.\nIts data lies in: {_listed(there) if there else 'no snapshot now'}.")


def refuse_unreleased(workspace: Workspace, project: str, channel: str) -> None:
    """Go on only if something was ever put into service there; whether it still stands, the server verifies.

    Raises
    ------
    NotFound
        Nothing was. A pointer that was, and is gone, is no such case: the server refuses that as what it is.
    """
    if (workspace.home / "pointers" / project / f"{channel}.json").is_file():
        return
    if workspace.registry_to_read.history(project, channel):
        return
    elsewhere = "" if channel == "live" else f" --channel {channel}"
    raise NotFound(
        f"Nothing is released for {project} on the channel {channel}.\n"
        f'Put a version into service first: sealwright promote {project} NUMBER{elsewhere} --reason "…"   '
        f"(its versions: sealwright versions {project})"
    )


def is_project(workspace: Workspace, name: str) -> bool:
    """Whether anything is kept under that name."""
    with workspace.db.read() as tx:
        rows = tx.run(
            "SELECT 1 AS n FROM runs WHERE project = :name"
            " UNION SELECT 1 FROM snapshots WHERE project = :name"
            " UNION SELECT 1 FROM versions WHERE project = :name"
            " UNION SELECT 1 FROM pointers WHERE project = :name"
            " UNION SELECT 1 FROM (SELECT project FROM consents WHERE project = :name LIMIT 1) AS agreed",
            name=name,
        )
    return bool(rows) or any(True for _ in _channels(workspace, name))


def projects_seen_by(workspace: Workspace, asker: Principal) -> list[str]:
    """The projects of the workspace that `asker` may see, by name. Nothing is recorded."""
    with workspace.db.read() as tx:
        rows = tx.run(
            "SELECT project FROM runs UNION SELECT project FROM snapshots UNION SELECT project FROM versions"
            " UNION SELECT project FROM pointers UNION SELECT project FROM consents"
        )
    places = [place.name for name in ("pointers", "serving") for place in workspace.folder(name).glob("*/")]
    names = {str(row["project"]) for row in rows} | {one for one in places if is_project(workspace, one)}
    permissions = permissions_of(workspace)
    return [one for one in sorted(names) if permissions.decide(asker, "project.view", project_named(one)).allowed]


def _channels(workspace: Workspace, project: str) -> Iterator[str]:
    """Channels that something was released on, and those that have a decision ledger."""
    yield from (file.stem for file in (workspace.folder("pointers") / project).glob("*.json"))
    for ledger in (workspace.folder("serving") / project).glob("*/ledger/checkpoints.log"):
        yield ledger.parent.parent.name


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
