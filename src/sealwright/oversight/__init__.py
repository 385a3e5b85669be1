"""What people read and answer for: generated documents over the evidence.

Answers: what was proven about a model, in words, plots and numbers that each name their statement?
Does not answer: anything the evidence does not. What is not in a statement is not in a document.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.oversight.report.assessment_page import AssessmentFacts, print_assessment, render_assessment
    from sealwright.oversight.report.comparison_page import ComparisonFacts, render_comparison
    from sealwright.oversight.report.data_page import DataPageFacts, render_data_page
    from sealwright.oversight.report.junit import junit_xml
    from sealwright.oversight.report.lineage_picture import lineage_svg
    from sealwright.oversight.report.page import ReportFacts, print_report, render_report
    from sealwright.oversight.report.words import (
        OUTCOME_WORDS,
        interval_words,
        number_words,
        plain_check,
        training_words,
    )

__all__ = [
    "AssessmentFacts",
    "ComparisonFacts",
    "DataPageFacts",
    "OUTCOME_WORDS",
    "ReportFacts",
    "interval_words",
    "junit_xml",
    "lineage_svg",
    "number_words",
    "plain_check",
    "print_assessment",
    "print_report",
    "render_assessment",
    "render_comparison",
    "render_data_page",
    "render_report",
    "training_words",
]

_HOME = {
    "AssessmentFacts": "assessment_page",
    "print_assessment": "assessment_page",
    "render_assessment": "assessment_page",
    "junit_xml": "junit",
    "ComparisonFacts": "comparison_page",
    "render_comparison": "comparison_page",
    "DataPageFacts": "data_page",
    "render_data_page": "data_page",
    "lineage_svg": "lineage_picture",
    "ReportFacts": "page",
    "print_report": "page",
    "render_report": "page",
}


def __getattr__(name: str) -> Any:
    """Import on first use: templates and charts belong to the [build] install."""
    if name not in __all__:
        raise AttributeError(name)
    module = importlib.import_module(f"sealwright.oversight.report.{_HOME.get(name, 'words')}")  # noqa: TID251
    return getattr(module, name)
