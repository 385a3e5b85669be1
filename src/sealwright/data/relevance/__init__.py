"""Relevance: is the data recent enough for its purpose, and did what it tells change while it was collected?

Answers: how old are the rows, is the whole stale, which columns drifted between periods?
Does not answer: whether a change matters to a model. Monitoring compares with what is served.
Names load on first use; measuring needs the extra `build`.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import Needs, front_door

if TYPE_CHECKING:
    from sealwright.data.relevance.age import Age as Age
    from sealwright.data.relevance.age import DataStale as DataStale
    from sealwright.data.relevance.age import age_of as age_of
    from sealwright.data.relevance.age import refuse_stale as refuse_stale
    from sealwright.data.relevance.drift import Drift as Drift
    from sealwright.data.relevance.drift import drift_between_periods as drift_between_periods
    from sealwright.data.relevance.report import RelevanceReport as RelevanceReport
    from sealwright.data.relevance.report import assess_relevance as assess_relevance
    from sealwright.data.relevance_spec import RelevanceSpec as RelevanceSpec
else:
    __getattr__, __dir__, __all__ = front_door(
        __name__, Needs("Measuring relevance", extra="build", libraries=("pyarrow", "scipy", "sklearn"))
    )
