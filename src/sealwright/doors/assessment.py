"""An assessment in the hand: findings to ask, a page to read, limits to stop a pipeline with.

Answers: what did the suites say about this model on these rows, and which limits of a risk class does that keep?
Does not answer: may it go live. Nothing here is signed; a project in a workspace leaves statements and asks the gate.
"""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealwright.doors.asked import risk_class_named, writable
from sealwright.evidence import Result, class_policy, hold_against
from sealwright.kernel import InvalidInput, StoppedByPolicy, from_rfc3339, write_atomically

if TYPE_CHECKING:
    from sealwright.assurance import Finding, SuiteResult
    from sealwright.doors.explanations import Explanations
    from sealwright.oversight import AssessmentFacts

__all__ = ["Assessment", "LimitsMissed", "limits_of"]


class LimitsMissed(StoppedByPolicy):
    """A model misses limits somebody asked for. Carries every one at once."""

    code = "assessment.limits_missed"

    def __init__(self, policy: str, missed: Sequence[Result]) -> None:
        self.missed = tuple(missed)
        lines = [f"{one.check}: found {one.found}, asked for {one.limit}" for one in missed]
        count = f"{len(lines)} limit{'s' * (len(lines) != 1)}"
        super().__init__(f"The model misses {count} of {policy} risk:\n  " + "\n  ".join(lines))


@dataclass(frozen=True)
class Assessment:
    """What the suites found. A notebook shows it as a page."""

    title: str
    results: "tuple[SuiteResult, ...]"
    policy: str = "limited"  # the risk class whose limits are shown
    explainer: "Callable[..., Explanations[Any]] | None" = field(default=None, repr=False, compare=False)

    @cached_property
    def findings(self) -> "tuple[Finding, ...]":
        """Every finding, in the order of the suites."""
        return tuple(one for result in self.results for one in result.findings)

    def find(self, check: str) -> "tuple[Finding, ...]":
        """The findings of one check: one for the model, or one for each attribute, group or feature.

        Raises
        ------
        InvalidInput
            The check gave no finding; the message says why not, if a suite did.
        """
        found = tuple(one for one in self.findings if one.check == check)
        if not found:
            why = next((one.why for result in self.results for one in result.not_performed if one.check == check), None)
            raise InvalidInput(f"There is no finding {check!r}: {why or 'no suite that was run has such a check'}.")
        return found

    def value(self, check: str) -> float:
        """The number of a check with one finding.

        Raises
        ------
        InvalidInput
            There is none, or more than one.
        """
        found = self.find(check)
        if len(found) != 1:
            raise InvalidInput(f"{check} has {len(found)} findings; ask find({check!r}) for all of them.")
        return found[0].value

    def limits(self, policy: str | None = None) -> tuple[Result, ...]:
        """What came of each limit of a risk class that is about these suites: minimal, limited or high.

        Raises
        ------
        InvalidInput
            There is no such risk class.
        """
        return limits_of(policy or self.policy, [one.to_json() for one in self.results])

    def require(self, policy: str | None = None) -> None:
        """Return if every limit of a risk class is kept; what could not be measured is not kept.

        Raises
        ------
        LimitsMissed
            Every limit that is not.
        """
        missed = [one for one in self.limits(policy) if not one.outcome.opens]
        if missed:
            raise LimitsMissed(policy or self.policy, missed)

    def explain(self, rows: Any, *, wanted: Any = None) -> "Explanations[Any]":
        """Explain one row, document or image, or several, to the model that was judged: see `sw.explain`.

        Raises
        ------
        InvalidInput
            This assessment was not made from a model in the hand, or the rows do not fit it.
        """
        if self.explainer is None:
            raise InvalidInput("This assessment holds findings only. Use sw.explain(model, rows, ...).")
        return self.explainer(rows, wanted=wanted)

    def to_json(self) -> dict[str, Any]:
        """Suites, and what came of the limits."""
        return {
            "title": self.title,
            "signed": False,
            "policy": self.policy,
            "limits": [one.to_json() for one in self.limits()],
            "suites": [one.to_json() for one in self.results],
        }

    def html(self) -> str:
        """The page, as one text that loads nothing from anywhere."""
        from sealwright.oversight import render_assessment

        return render_assessment(self._facts())

    def pdf(self) -> bytes:
        """The same page as PDF."""
        from sealwright.oversight import print_assessment

        return print_assessment(self._facts())

    def _facts(self) -> "AssessmentFacts":
        from sealwright.oversight import AssessmentFacts

        return AssessmentFacts(
            title=self.title,
            at=self.results[0].performed_at,
            suites=[one.to_json() for one in self.results],
            policy=self.policy,
            limits=class_policy(risk_class_named(self.policy)).to_json(),
            results=[one.to_json() for one in self.limits()],
        )

    def junit(self) -> str:
        """The limits as JUnit XML."""
        from sealwright.oversight import junit_xml

        return junit_xml(f"{self.title}, limits of {self.policy} risk", [one.to_json() for one in self.limits()])

    def save(self, to: str | Path) -> Path:
        """Write the page to a file, complete or not at all; returns its path. A name that ends in .pdf makes it a PDF."""
        path = writable(Path(to)) or Path(to)
        page = self.pdf() if path.suffix.lower() == ".pdf" else self.html().encode()
        write_atomically(path, page, mode=0o644)
        return path

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that the notebook's style and the page's leave each other alone."""
        page = html.escape(self.html(), quote=True)
        return f'<iframe srcdoc="{page}" sandbox style="width:100%;height:720px;border:1px solid #dfe5e8"></iframe>'


def limits_of(policy: str, suites: Sequence[Mapping[str, Any]]) -> tuple[Result, ...]:
    """What came of each limit of a risk class that is about these suites, given as JSON.

    Raises
    ------
    InvalidInput
        There is no such risk class.
    """
    wanted = class_policy(risk_class_named(policy))
    if not suites:
        return ()
    groups = [str(one["attribute"]) for one in suites[0]["settings"]["groups"]]
    return hold_against(wanted, suites, groups=groups, now=from_rfc3339(suites[0]["performed_at"]))
