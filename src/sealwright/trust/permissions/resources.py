"""What something is done to, with the facts that decide.

Answers: what does a policy have to know about a version, a dataset, a key?
Does not answer: where the facts come from. Whoever makes a resource reads them from signed statements.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, get_args

from sealwright.kernel import InvalidInput, check_name
from sealwright.trust.principal import EVERY_PROJECT

__all__ = [
    "AccountResource",
    "CaseResource",
    "ClientResource",
    "DatasetResource",
    "KeyResource",
    "LedgerResource",
    "ProjectResource",
    "Resource",
    "Risk",
    "Sensitivity",
    "Stage",
    "VersionResource",
    "WorkspaceResource",
]

Risk = Literal["minimal", "limited", "high"]
Sensitivity = Literal["public", "internal", "confidential", "personal", "special"]
Stage = Literal["candidate", "registered", "live", "revoked"]

_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One thing. `name` identifies it among its kind; `project` is "*" for what belongs to no single project."""

    kind: ClassVar[str] = ""
    entity: ClassVar[str] = ""

    name: str
    project: str = EVERY_PROJECT

    def __post_init__(self) -> None:
        if not self.kind:
            raise InvalidInput("A resource is of a kind: a project, a version, a key.")
        if not self.name or len(self.name) > _LONGEST or not self.name.isprintable():
            raise InvalidInput(f"A {self.kind} is named in 1 to {_LONGEST} printable characters.")
        if self.project != EVERY_PROJECT:
            check_name(self.project, what="project")

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What the schema declares for it, as JSON values."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self) if field.name != "name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceResource(Resource):
    """The workspace."""

    kind, entity = "workspace", "Workspace"

    name: str = "workspace"

    @property
    def attributes(self) -> Mapping[str, Any]:
        return {"name": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyResource(Resource):
    """A branch of the keys, such as "statements"."""

    kind, entity = "key", "Key"

    @property
    def attributes(self) -> Mapping[str, Any]:
        return {"name": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerResource(Resource):
    """The ledger, or some entries of it."""

    kind, entity = "ledger", "Ledger"

    name: str = "control"
    written_by: frozenset[str] = frozenset()  # whose doings the entries in question record

    @property
    def attributes(self) -> Mapping[str, Any]:
        return {"name": self.name, "written_by": sorted(self.written_by)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectResource(Resource):
    """A project."""

    kind, entity = "project", "Project"

    risk: Risk = "minimal"

    def __post_init__(self) -> None:
        Resource.__post_init__(self)
        _one_of(self.risk, Risk, "risk class")
        object.__setattr__(self, "project", self.name)

    @property
    def attributes(self) -> Mapping[str, Any]:
        return {"project": self.project, "risk": self.risk, "predict_scope": f"predict:{self.project}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetResource(Resource):
    """The data of a project, or one snapshot of it."""

    kind, entity = "dataset", "Dataset"

    risk: Risk = "minimal"
    sensitivity: Sensitivity = "special"  # whoever does not say is taken to mean the most

    def __post_init__(self) -> None:
        Resource.__post_init__(self)
        _one_of(self.risk, Risk, "risk class")
        _one_of(self.sensitivity, Sensitivity, "sensitivity")


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionResource(Resource):
    """A model on its way, or a registered version, with who did what to it."""

    kind, entity = "version", "Version"

    risk: Risk = "high"
    stage: Stage = "candidate"
    trained_by: frozenset[str] = frozenset()
    submitted_by: frozenset[str] = frozenset()
    config_author: frozenset[str] = frozenset()
    suite_editor: frozenset[str] = frozenset()
    role_admins: frozenset[str] = frozenset()
    approvals: frozenset[tuple[str, str]] = frozenset()  # (person, role) that count so far

    def __post_init__(self) -> None:
        Resource.__post_init__(self)
        _one_of(self.risk, Risk, "risk class")
        _one_of(self.stage, Stage, "stage")
        for name in ("trained_by", "submitted_by", "config_author", "suite_editor", "role_admins"):
            _names(getattr(self, name), name)
        _names((person for person, _ in self.approvals), "approvals")

    @property
    def attributes(self) -> Mapping[str, Any]:
        people, roles = {person for person, _ in self.approvals}, {role for _, role in self.approvals}
        return {
            **{
                field.name: _plain(getattr(self, field.name))
                for field in fields(self)
                if field.name not in {"name", "approvals"}
            },
            "approvals": [{"person": person, "role": role} for person, role in sorted(self.approvals)],
            "approved_by": sorted(people),
            "approvers": len(people),
            "approving_roles": len(roles),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountResource(Resource):
    """The enrolment of a person."""

    kind, entity = "person", "Account"

    @property
    def attributes(self) -> Mapping[str, Any]:
        return {"project": self.project, "person": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientResource(Resource):
    """A program that calls."""

    kind, entity = "client", "Client"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResource(Resource):
    """Something people decide: a review, or an emergency."""

    kind, entity = "case", "Case"

    about: Literal["review", "break_glass"] = "review"
    opened_by: frozenset[str] = frozenset()
    beneficiary: str = ""

    def __post_init__(self) -> None:
        Resource.__post_init__(self)
        if self.about not in ("review", "break_glass"):
            raise InvalidInput("A case is a review or break_glass.")
        _names(self.opened_by, "opened_by")


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


def _one_of(value: str, allowed: Any, what: str) -> None:
    if value not in get_args(allowed):
        raise InvalidInput(f"A {what} is one of: {', '.join(get_args(allowed))}. Got {str(value)[:40]!r}.")


def _names(values: Iterable[str], what: str) -> None:
    if "" in set(values):
        raise InvalidInput(f"{what} holds names of people, none of them empty.")
