"""What permissions have to know about projects, data and versions, from what was signed and entered.

Answers: who trained this, who brought it, who wrote its settings, who changed its tests last, who approved it?
Does not answer: may somebody do something to it. `permission.allow` does.

Who did something is read from the ledger's entry of the signed statement, not from a row of the database: a row that
is changed changes nobody's duties.
"""

from dataclasses import replace
from typing import cast, get_args

from sealwright.charter import CHARTER_TYPE, read_charter
from sealwright.data import DataClass
from sealwright.evidence import REVOKED_PERSON_TYPE, GateDecision, LedgerView, verify_any, view_of
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.ledger_names import who_acted
from sealwright.pipeline.project import Project
from sealwright.pipeline.runs import Run
from sealwright.pipeline.workspace import Workspace
from sealwright.training import PROVENANCE
from sealwright.trust import PERSON, DatasetResource, ProjectResource, Risk, VersionResource

__all__ = ["candidate_facts", "data_of", "facts_of_version", "project_facts"]

_SECTION = "assurance"


def project_facts(project: Project) -> ProjectResource:
    """A project."""
    return ProjectResource(name=project.name, risk=project.spec.charter.risk_class.value)


def data_of(project: Project) -> DatasetResource:
    """The data of a project, as sensitive as its most sensitive column."""
    order = get_args(DataClass)
    classes = [column.data_class for column in project.spec.data.columns.values()]
    return DatasetResource(
        name=project.name,
        project=project.name,
        risk=project.spec.charter.risk_class.value,
        sensitivity=max(classes, key=order.index, default="special"),
    )


def candidate_facts(desk: Desk, run: Run, decision: GateDecision | None = None) -> VersionResource:
    """What a run would release, before its gate.

    Parameters
    ----------
    decision : GateDecision, optional
        What the gate says today; its approvals are those that count so far.
    """
    view = _named_view(desk.workspace)
    model, charter = run.product("train")["model"], run.product("charter")["statement"]
    trained = [place.actor for place in view.of_kind(PROVENANCE).values() if place.about == model]
    brought = [view.places[run.product("ingest")["statement"]].actor, run.by]
    return VersionResource(
        name=f"{desk.project.name}/candidate",
        project=desk.project.name,
        risk=desk.project.spec.charter.risk_class.value,
        stage="candidate",
        trained_by=frozenset(filter(None, [*trained, run.product("train")["by"]])),
        submitted_by=frozenset(filter(None, brought)),
        config_author=frozenset(filter(None, [view.places[charter].actor])),
        suite_editor=frozenset(filter(None, [_last_editor(desk, view)])),
        role_admins=_role_admins(view),
        approvals=frozenset(
            (one.by, one.role) for one in (decision.approvals if decision else ()) if one.purpose == "release"
        ),
    )


def facts_of_version(workspace: Workspace, project: str, number: int) -> VersionResource:
    """A registered version, from its package as it verifies now.

    Raises
    ------
    NotFound
        There is no such version.
    VerificationFailed
        Its package does not verify.
    """
    registry = workspace.registry_to_read
    version = registry.version(project, number)
    package = registry.package(version.package)
    revoked = version.package in registry.revocations().packages
    view = _named_view(workspace)
    return VersionResource(
        name=f"{project}/{number}",
        project=project,
        risk=cast(Risk, package.gate.predicate["sealwright"]["risk_class"]),
        stage="revoked" if revoked else "registered",
        trained_by=frozenset(
            place.actor for place in view.of_kind(PROVENANCE).values() if place.about == version.model and place.actor
        ),
        role_admins=_role_admins(view),
        approvals=frozenset((one.by, one.role) for one in package.approvals if one.purpose == "release"),
    )


def _named_view(workspace: Workspace) -> LedgerView:
    """What the ledger says, with the names behind its pseudonyms: duties are separated by name."""
    view, who = view_of(workspace.ledger_to_read()), who_acted(workspace)
    places = {digest: replace(place, actor=who.get(place.actor, place.actor)) for digest, place in view.places.items()}
    return replace(view, places=places)


def _role_admins(view: LedgerView) -> frozenset[str]:
    """Whoever enrolled somebody or ended an enrolment."""
    places = [*view.of_kind(PERSON).values(), *view.of_kind(REVOKED_PERSON_TYPE).values()]
    return frozenset(place.actor for place in places if place.actor)


def _last_editor(desk: Desk, view: LedgerView) -> str:
    """Who froze the first of the newest charters that hold the same tests and limits: the last to change them."""
    keys, editor = desk.workspace.trust_root, ""
    newest: tuple[object, object] | None = None
    for filed in reversed(desk.evidence.statements.of_project(desk.project.name, CHARTER_TYPE)):
        frozen = read_charter(verify_any(filed.envelope, keys).predicate)
        said = (frozen.settings.get(_SECTION), frozen.policy_digest)
        newest = newest or said
        if said != newest:
            break
        editor = view.places[filed.digest].actor if filed.digest in view.places else editor
    return editor
