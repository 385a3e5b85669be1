"""By which decision a change is made: every entry in the ledger names the policies that let it through.

Answers: which policies allowed whoever acts here and now, and which request is this?
Does not answer: is it allowed? `permissions` decides, and says so here when the answer is yes.

Both belong to the context (`contextvars`) of whoever asked: a thread pool's worker or a task begins with those of its
caller, and no request sees another's. A decision speaks for the one it was made about, until the next one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sealwright.trust.ledger_entry import Entry

__all__ = ["Authority", "acts_by", "as_request", "request_here", "with_authority"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A yes, and for whom."""

    names: frozenset[str]  # whoever acts, and whom they act for: records may name either
    action: str  # what was allowed, e.g. "model.promote"
    policies: tuple[str, ...]
    break_glass: str = ""  # id of the emergency whose roles it took


_given: ContextVar[Authority | None] = ContextVar("sealwright_authority", default=None)
_request: ContextVar[str] = ContextVar("sealwright_request", default="")


def acts_by(authority: Authority | None) -> None:
    """From here on, what those it names record in this context is done by this decision; None: by none."""
    _given.set(authority)


@contextmanager
def as_request(request: str) -> Iterator[None]:
    """What is done inside belongs to one request ("req_…"), and no decision made before counts for it."""
    request_before, given_before = _request.set(request), _given.set(None)
    try:
        yield
    finally:
        _given.reset(given_before)
        _request.reset(request_before)


def request_here() -> str:
    """The id of the request that is being answered; "" where there is none."""
    return _request.get()


def with_authority(entry: "Entry") -> "Entry":
    """The entry with the decision by which its actor acts, and the request. What it says itself stays.

    What was refused or failed names no decision that allowed something.
    """
    said: dict[str, object] = {"request": request_here()}
    given = _given.get()
    if given is not None and entry.actor in given.names and _was_done(entry):
        said |= {"policies": list(given.policies), "break_glass": given.break_glass}
        said["permission"] = given.action if given.action != entry.action else ""
    more = {name: value for name, value in said.items() if value and name not in entry.detail}
    return replace(entry, detail={**entry.detail, **more}) if more else entry


def _was_done(entry: "Entry") -> bool:
    return entry.detail.get("outcome", "done") == "done" and not entry.action.endswith("refused")
