"""From the rows as they came to the rows a model is made from: each declared step is a snapshot of its own.

Answers: what is done to the data between ingest and training, and in which order?
Does not answer: how. Cleaning and augmenting belong to the data room.
"""

from sealwright.data import Snapshot
from sealwright.kernel import Progress, silent
from sealwright.pipeline.desk import Desk

__all__ = ["prepared"]


def prepared(desk: Desk, raw: Snapshot, *, by: str, progress: Progress = silent) -> Snapshot:  # noqa: ARG001
    """The snapshot that is trained on; `raw` itself where the project declares no step."""
    return raw
