"""What somebody tried, and what came of it: one form for every change and every refusal.

Answers: how does an attempt get into the ledger without naming a person there?
Does not answer: was it allowed? Whoever decided says so in the event.

Names of people and network addresses become keyed pseudonyms, resources become digests. An event is on disk when
`record` returns; when it raises, the effect must not happen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sealwright.kernel import InvalidInput
from sealwright.trust.discretion import Discretion, digest_of_resource
from sealwright.trust.keyring import Keyring
from sealwright.trust.ledger import Ledger
from sealwright.trust.ledger_entry import Entry

__all__ = ["Audit", "Event", "LedgerAudit"]

Outcome = Literal["done", "refused", "failed"]
_OUTCOMES = ("done", "refused", "failed")
_TAKEN = {"outcome", "reason", "policies", "request", "source"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One attempt. `action` is always the attempted one: a refused login is "login", outcome "refused"."""

    action: str  # noun.verb or a single word, such as "model.promote", "login"
    outcome: Outcome
    actor: str = ""  # the name of a person or service; "" where nobody is known
    resource: str = ""  # what it was about, as "kind:name", e.g. "model:credit/3"
    reason: str = ""  # a stable code, such as "identity.wrong_password"
    policies: tuple[str, ...] = ()  # ids of the policies that decided
    request: str = ""  # id of the request, "req_…"
    source: str = ""  # network address of the caller
    detail: Mapping[str, object] = field(default_factory=dict)  # counts and codes, never personal data
    words: str = ""  # what a person wrote, such as why a glass was broken; sealed, for those with the key

    def __post_init__(self) -> None:
        if self.outcome not in _OUTCOMES:
            raise InvalidInput(f"An event ends as one of: {', '.join(_OUTCOMES)}.")
        if _TAKEN & set(self.detail):
            raise InvalidInput(f"The detail of an event does not use: {', '.join(sorted(_TAKEN))}.")


class Audit(Protocol):
    """Where events go."""

    def record(self, event: Event) -> None:
        """Make the event durable, or raise `LedgerUnavailable`: then what it is about must not happen."""


class LedgerAudit:
    """Events as entries of a ledger."""

    def __init__(self, ledger: Ledger, keyring: Keyring) -> None:
        self._ledger = ledger
        self._discretion = ledger.discretion or Discretion(keyring)

    def record(self, event: Event) -> None:
        """As `Audit.record`."""
        said: dict[str, object] = {
            "outcome": event.outcome,
            "reason": event.reason,
            "policies": list(event.policies),
            "request": event.request,
            "source": self.name_of(event.source),
        }
        detail = {name: value for name, value in said.items() if value} | dict(event.detail)
        subject = digest_of_resource(event.resource) if event.resource else ""
        entry = Entry(action=event.action, subject=subject, detail=detail, actor=event.actor, words=event.words)
        if self._ledger.discretion is None:
            entry = self._discretion.hidden(entry)
        self._ledger.submit(entry).result()

    def name_of(self, value: str) -> str:
        """The keyed pseudonym of a name or an address; "" stays "". Who holds the key can look somebody up by it."""
        return self._discretion.name_of(value)
