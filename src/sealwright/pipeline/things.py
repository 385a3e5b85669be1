"""A thing by the name a person types, and who can do what to it.

Answers: which resource is meant by "credit", "credit/3", "examples/credit" or "sofia"? Who may, and why may somebody not?
Does not answer: whether they should. Nothing is decided for anybody.
"""

from pathlib import Path

from sealwright.kernel import InvalidInput, NotFound
from sealwright.pipeline.by_name import data_of_project
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.let_through import gate_of
from sealwright.pipeline.permission import allow, break_glass_of, permissions_of
from sealwright.pipeline.project import PROJECT_FILE, Project, load_project
from sealwright.pipeline.version_facts import candidate_facts, data_of, facts_of_version, project_facts
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import (
    EVERY_PROJECT,
    AccountResource,
    CaseResource,
    ClientResource,
    KeyResource,
    LedgerResource,
    Principal,
    ProjectResource,
    Resource,
    VersionResource,
    WhoCan,
    WhyNot,
    WorkspaceResource,
    action_named,
    who_can,
    why_not,
)

__all__ = ["ask_who_can", "ask_why_not", "thing_named"]


def ask_who_can(workspace: Workspace, action: str, name: str, *, by: Principal) -> WhoCan:
    """Who can do `action` to the thing of that name (`thing_named`), and what each would still need.

    Raises
    ------
    PermissionDenied
        They may not ask. Whoever is known may.
    InvalidInput, NotFound
        As `thing_named`.
    """
    allow(workspace, by, "permission.view", WorkspaceResource())
    return who_can(permissions_of(workspace), action, thing_named(workspace, action, name))


def ask_why_not(workspace: Workspace, person: str, action: str, name: str, *, by: Principal) -> WhyNot:
    """What stands between an enrolled person and `action` on the thing of that name.

    Raises
    ------
    PermissionDenied
        They may not ask. Whoever is known may.
    InvalidInput, NotFound
        As `thing_named`, or nobody of that name is enrolled.
    """
    allow(workspace, by, "permission.view", WorkspaceResource())
    return why_not(permissions_of(workspace), person, action, thing_named(workspace, action, name))


def thing_named(workspace: Workspace, action: str, name: str) -> Resource:
    """The resource somebody means, with its facts.

    Parameters
    ----------
    name : str
        A project folder (its last run's candidate, for what is done to a version), a project's name, PROJECT/NUMBER,
        PROJECT/PROGRAM (the program alone: in all projects), or the name of a key, person or case. "" is enough for the
        workspace, the ledger and the keys.

    Raises
    ------
    InvalidInput
        There is no such action, or this names nothing it is done to.
    NotFound
        There is no such version or case, or the project was not assessed yet.
    """
    kind = action_named(action).kind
    plain: dict[str, Resource] = {"workspace": WorkspaceResource(), "ledger": LedgerResource()}
    if kind in plain:
        return plain[kind]
    if kind == "key":
        return KeyResource(name=name or "all")
    if not name:
        raise InvalidInput(f"{action} is done to a {kind}. Name it: sealwright who-can {action} NAME")
    if kind == "person":
        return AccountResource(name=name)
    if kind == "client":
        of, _, client = name.rpartition("/")
        return ClientResource(name=client, project=of or EVERY_PROJECT)
    if kind == "case":
        return _case(workspace, name)
    project = load_project(Path(name)) if Path(name, PROJECT_FILE).is_file() or name.endswith(".yaml") else None
    if kind == "version":
        return _version(workspace, name, project)
    if project is not None:
        return project_facts(project) if kind == "project" else data_of(project)
    return ProjectResource(name=name) if kind == "project" else data_of_project(name)


def _version(workspace: Workspace, name: str, project: Project | None) -> VersionResource:
    if project is not None:
        desk = Desk(workspace, project, look=True)
        return candidate_facts(desk, desk.last(), gate_of(desk).decision)
    known, _, number = name.rpartition("/")
    if not known or not number.isdecimal():
        raise InvalidInput(f"A version is named PROJECT/NUMBER, such as {name}/1; a candidate by its project's folder.")
    return facts_of_version(workspace, known, int(number))


def _case(workspace: Workspace, name: str) -> CaseResource:
    try:
        return break_glass_of(workspace).get(name).case
    except NotFound:
        return CaseResource(name=name, project=name)
