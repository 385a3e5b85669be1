"""A BentoML service as its documentation writes one; with batching, its adaptive batching."""

import bentoml
from rows_model import Row

from engines import batching, open_engine

_HOW = {"batchable": True, "max_batch_size": 2_000, "max_latency_ms": 1_000} if batching() else {}


@bentoml.service
class Credit:
    def __init__(self) -> None:
        self.model = open_engine()

    @bentoml.api(**_HOW)  # type: ignore[untyped-decorator]
    def predict(self, rows: list[Row]) -> list[list[float]]:
        return self.model([row.model_dump() for row in rows])
