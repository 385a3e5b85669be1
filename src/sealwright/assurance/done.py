"""What came of one check, and what it cost: as objects, and as bytes for another process or for later.

Reading is as strict as reading a statement: a field too many or too few is refused.
"""

from dataclasses import dataclass

from sealwright.assurance.check import Outcome
from sealwright.assurance.predicate import read_figure, read_finding, read_not_performed
from sealwright.kernel import InvalidInput, canonical_json, strict_json

__all__ = ["Done"]

_FIELDS = ("figures", "findings", "format", "not_performed", "queries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An outcome and the rows the model was asked for because of it."""

    outcome: Outcome
    queries: int

    def to_bytes(self) -> bytes:
        """Canonical JSON: equal outcomes are equal bytes."""
        return canonical_json(
            {
                "format": 1,
                "findings": [one.to_json() for one in self.outcome.findings],
                "figures": [one.to_json() for one in self.outcome.figures],
                "not_performed": [one.to_json() for one in self.outcome.not_performed],
                "queries": self.queries,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "Done":
        """Read what `to_bytes` wrote.

        Raises
        ------
        InvalidInput
            These are other bytes.
        """
        said = strict_json(data, what="the outcome of a check")
        if not isinstance(said, dict) or sorted(said) != sorted(_FIELDS) or said["format"] != 1:
            raise InvalidInput("This is not the outcome of a check.")
        try:
            outcome = Outcome(
                findings=tuple(map(read_finding, said["findings"])),
                figures=tuple(map(read_figure, said["figures"])),
                not_performed=tuple(map(read_not_performed, said["not_performed"])),
            )
            return cls(outcome=outcome, queries=int(said["queries"]))
        except (TypeError, ValueError, KeyError) as error:
            raise InvalidInput(f"This is not the outcome of a check: {str(error)[:120]}") from None
