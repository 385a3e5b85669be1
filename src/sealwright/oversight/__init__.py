"""What people read and answer for: generated documents over the evidence.

Answers: what was proven about a model, in words, plots and numbers that each name their statement?
Does not answer: anything the evidence does not. What is not in a statement is not in a document.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import front_door

if TYPE_CHECKING:
    from sealwright.oversight.report.assessment_page import AssessmentFacts as AssessmentFacts
    from sealwright.oversight.report.assessment_page import print_assessment as print_assessment
    from sealwright.oversight.report.assessment_page import render_assessment as render_assessment
    from sealwright.oversight.report.comparison_page import ComparisonFacts as ComparisonFacts
    from sealwright.oversight.report.comparison_page import render_comparison as render_comparison
    from sealwright.oversight.report.data_page import DataPageFacts as DataPageFacts
    from sealwright.oversight.report.data_page import render_data_page as render_data_page
    from sealwright.oversight.report.junit import junit_xml as junit_xml
    from sealwright.oversight.report.lineage_picture import lineage_svg as lineage_svg
    from sealwright.oversight.report.page import ReportFacts as ReportFacts
    from sealwright.oversight.report.page import print_report as print_report
    from sealwright.oversight.report.page import render_report as render_report
    from sealwright.oversight.report.words import OUTCOME_WORDS as OUTCOME_WORDS
    from sealwright.oversight.report.words import interval_words as interval_words
    from sealwright.oversight.report.words import number_words as number_words
    from sealwright.oversight.report.words import plain_check as plain_check
    from sealwright.oversight.report.words import training_words as training_words
else:
    __getattr__, __dir__, __all__ = front_door(__name__)
