"""What people read and answer for: generated documents over the evidence.

Answers: what was proven about a model, in words, plots and numbers that each name their statement?
Does not answer: anything the evidence does not. What is not in a statement is not in a document.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.oversight.report.page import ReportFacts, render_report

__all__ = ["ReportFacts", "render_report"]


def __getattr__(name: str) -> Any:
    """Import on first use: templates and charts belong to the [build] install."""
    if name not in __all__:
        raise AttributeError(name)
    from sealwright.oversight.report import page

    return getattr(page, name)
