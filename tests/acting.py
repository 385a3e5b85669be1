"""Made-up people and programs that act, and a place where events are looked at. `from acting import person`."""

from sealwright.trust import Event, Principal, RoleGrant

__all__ = ["Kept", "operator", "person", "service"]


class Kept:
    """An audit that keeps its events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def record(self, event: Event) -> None:
        self.events.append(event)

    def said(self) -> list[tuple[str, str]]:
        return [(one.action, one.outcome) for one in self.events]


def person(name: str, *roles: str, strong: bool = True, acting_for: str = "") -> Principal:
    """Somebody proven; a role is written "role", or "role@project" where it counts in one project."""
    grants = frozenset(RoleGrant(*role.split("@")) for role in roles)
    return Principal(kind="person", name=name, proof="session", grants=grants, strong=strong, acting_for=acting_for)


def operator(name: str = "ops") -> Principal:
    """Whoever opens the workspace."""
    return Principal(kind="person", name=name, proof="machine_account")


def service(name: str = "till", *scopes: str, acting_for: str = "", strong: bool = False) -> Principal:
    """A program."""
    return Principal(
        kind="service", name=name, proof="token", scopes=frozenset(scopes), acting_for=acting_for, strong=strong
    )
