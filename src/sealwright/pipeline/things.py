"""A thing by the name a person types: what `who-can` and `why-not` are asked about.

Answers: which resource is meant by "credit", "credit/3", "examples/credit" or "sofia"?
Does not answer: who may do something to it.
"""

from pathlib import Path

from sealwright.kernel import InvalidInput, NotFound
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.let_through import decide
from sealwright.pipeline.permission import break_glass_of
from sealwright.pipeline.project import PROJECT_FILE, Project, load_project
from sealwright.pipeline.version_facts import (
    candidate_facts,
    data_of,
    data_of_project,
    facts_of_version,
    project_facts,
)
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import (
    AccountResource,
    CaseResource,
    ClientResource,
    KeyResource,
    LedgerResource,
    ProjectResource,
    Resource,
    VersionResource,
    WorkspaceResource,
    action_named,
)

__all__ = ["thing_named"]


def thing_named(workspace: Workspace, action: str, name: str) -> Resource:
    """The resource somebody means, with its facts.

    Parameters
    ----------
    name : str
        A project folder (its last run's candidate, for what is done to a version), a project's name, PROJECT/NUMBER, or
        the name of a key, person, client or case. "" is enough for the workspace, the ledger and the keys.

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
        return ClientResource(name=client, project=of or client)
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
        desk = Desk(workspace, project)
        return candidate_facts(desk, desk.last(), decide(workspace, project).decision)
    known, _, number = name.rpartition("/")
    if not known or not number.isdecimal():
        raise InvalidInput(f"A version is named PROJECT/NUMBER, such as {name}/1; a candidate by its project's folder.")
    return facts_of_version(workspace, known, int(number))


def _case(workspace: Workspace, name: str) -> CaseResource:
    try:
        return break_glass_of(workspace).get(name).case
    except NotFound:
        return CaseResource(name=name, project=name)
