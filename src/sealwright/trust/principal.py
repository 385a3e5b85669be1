"""Who acts: somebody or something known, how they proved it, and in which roles.

Answers: who is this, and how strongly do we know?
Does not answer: may they do it? That is `permissions`. How they proved it: `identity` for people, `machines` for services.
"""

from dataclasses import dataclass
from typing import Literal

from sealwright.kernel import InvalidInput, check_name
from sealwright.trust.people import ROLES

__all__ = ["EVERY_PROJECT", "Principal", "RoleGrant"]

EVERY_PROJECT = "*"

Proof = Literal["key", "session", "token", "api_key", "certificate", "machine_account"]
_PROOFS = ("key", "session", "token", "api_key", "certificate", "machine_account")


@dataclass(frozen=True, slots=True, order=True)
class RoleGrant:
    """A role somebody holds in one project, or in every one."""

    role: str
    project: str = EVERY_PROJECT

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise InvalidInput(f"There is no role {self.role[:64]!r}. Roles are: {', '.join(ROLES)}.")
        if self.project != EVERY_PROJECT:
            check_name(self.project, what="project")

    @classmethod
    def parse(cls, text: str) -> "RoleGrant":
        """What an enrolment says: "role", or "role@project"."""
        role, _, project = text.partition("@")
        return cls(role, project or EVERY_PROJECT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who acts. Made by whatever verified the proof, never from what a request says about itself."""

    kind: Literal["person", "service"]
    name: str
    proof: Proof
    grants: frozenset[RoleGrant] = frozenset()  # of people
    scopes: frozenset[str] = frozenset()  # of services, e.g. "predict:credit"
    strong: bool = False  # a second factor, or the person's own key, and recently
    acting_for: str = ""  # the person behind a delegated token; counts as them wherever duties are separated

    def __post_init__(self) -> None:
        check_name(self.name, what=self.kind)
        if self.proof not in _PROOFS or self.kind not in ("person", "service"):
            raise InvalidInput("A principal is a person or a service, with a proof we know.")
        if self.kind == "service" and self.grants:
            raise InvalidInput(f"The service {self.name} holds scopes, not roles. Roles are for people.")

    @property
    def counts_as(self) -> str:
        """Whose doing it is: the person behind a delegated token, else whoever acts. Records name them."""
        return self.acting_for or self.name

    def roles_in(self, project: str) -> frozenset[str]:
        """The roles that count in a project; `EVERY_PROJECT` asks for what is beyond any one project."""
        return frozenset(grant.role for grant in self.grants if grant.project in (EVERY_PROJECT, project))
