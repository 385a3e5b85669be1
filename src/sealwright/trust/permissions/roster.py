"""Who is enrolled, as far as permissions have to know.

Answers: which roles does somebody hold where, and is an action staffed?
Does not answer: whether the enrolments are genuine. Whoever makes a roster verified them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sealwright.trust.principal import RoleGrant

__all__ = ["Member", "Roster"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody enrolled today."""

    name: str
    grants: frozenset[RoleGrant]
    key_id: str = ""


class Roster:
    """Everybody enrolled today, by name."""

    def __init__(self, members: Iterable[Member] = ()) -> None:
        self._members = {member.name: member for member in members}

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    def __len__(self) -> int:
        return len(self._members)

    def get(self, name: str) -> Member | None:
        return self._members.get(name)

    def holds_one_of(self, roles: Iterable[str], project: str) -> bool:
        """Whether anybody holds one of the roles in a project (or in every one)."""
        wanted = set(roles)
        return any(
            grant.role in wanted and grant.project in {"*", project} for member in self for grant in member.grants
        )
