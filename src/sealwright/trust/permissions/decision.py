"""What came of a question, and how it is worded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Decision", "Reason", "in_words"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition that fails, or one policy that allows."""

    code: str  # id of a policy, or a code of the engine
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A yes or a no, with the policies that made it. A change carries `policies` in its own entry of the ledger."""

    allowed: bool
    action: str
    who: str
    resource: str  # "kind:name"
    policies: tuple[str, ...]
    reasons: tuple[Reason, ...]
    break_glass: str = ""  # id of the emergency whose roles were needed for the yes

    def __bool__(self) -> bool:
        raise TypeError("A decision is asked by name: decision.allowed.")

    def to_json(self) -> dict[str, Any]:
        return {
            "allowed": self.allowed,
            "action": self.action,
            "who": self.who,
            "resource": self.resource,
            "policies": list(self.policies),
            "reasons": [{"code": one.code, "words": one.words} for one in self.reasons],
            "break_glass": self.break_glass or None,
        }


def in_words(items: Sequence[str], *, last: str = "or") -> str:
    """ "a", "a or b", "a, b or c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"
