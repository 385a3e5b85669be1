"""What people read and answer for: generated documents over the evidence.

Answers: what was proven about a model, in words, plots and numbers that each name their statement?
Does not answer: anything the evidence does not. What is not in a statement is not in a document.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.oversight.report.lineage_picture import lineage_svg
    from sealwright.oversight.report.page import ReportFacts, render_report
    from sealwright.oversight.report.words import (
        OUTCOME_WORDS,
        interval_words,
        number_words,
        plain_check,
        training_words,
    )

__all__ = [
    "OUTCOME_WORDS",
    "ReportFacts",
    "interval_words",
    "lineage_svg",
    "number_words",
    "plain_check",
    "render_report",
    "training_words",
]

_PAGE = frozenset({"ReportFacts", "render_report"})


def __getattr__(name: str) -> Any:
    """Import on first use: templates and charts belong to the [build] install."""
    if name not in __all__:
        raise AttributeError(name)
    if name == "lineage_svg":
        from sealwright.oversight.report import lineage_picture as module
    elif name in _PAGE:
        from sealwright.oversight.report import page as module  # type: ignore[no-redef]
    else:
        from sealwright.oversight.report import words as module  # type: ignore[no-redef]
    return getattr(module, name)
