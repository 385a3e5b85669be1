"""A reason against a model file: a stable code, where in the file, and words."""

from dataclasses import dataclass

__all__ = ["Reason", "printable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that is wrong with a model. `code` never changes its meaning."""

    code: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message

    def to_json(self) -> dict[str, str]:
        return {"code": self.code, "where": self.where, "message": self.message}


def printable(text: str) -> str:
    """A name from the file as it may be printed."""
    return "".join(c if c.isprintable() else "?" for c in text[:80]) or "(unnamed)"
