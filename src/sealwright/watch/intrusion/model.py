"""What a rule is, and what it says when it sees an attack."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sealwright.watch.seen import Seen

__all__ = ["Alert", "Rule", "Severity"]

Severity = Literal["low", "medium", "high", "critical"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A rule saw what it looks for."""

    rule: str  # stable id, such as "intrusion.brute_force"
    severity: Severity
    about: str  # pseudonym or digest of whom or what it is about
    since: datetime  # when the first event happened that it rests on
    at: datetime  # when the last one did
    first: str  # uid of the first event
    last: str  # uid of the last one
    count: int  # how many events it rests on
    says: str  # one sentence for a person, without names


class Rule(Protocol):
    """Looks at events in their order and says when it sees an attack. Keeps a bounded memory."""

    @property
    def id(self) -> str:
        """Stable id."""

    @property
    def title(self) -> str:
        """What it looks for, in a few words."""

    @property
    def techniques(self) -> tuple[str, ...]:
        """MITRE ATLAS and ATT&CK techniques it notices."""

    def see(self, seen: Seen) -> Alert | None:
        """Take one event; an alert where it completes an attack."""
