"""A KServe custom model as its documentation writes one."""

import os
from typing import Any

from kserve import Model, ModelServer

from engines import open_engine


class Credit(Model):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__("credit")
        self.model: Any = None

    def load(self) -> bool:
        self.model = open_engine()
        self.ready = True
        return True

    def predict(self, payload: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:  # noqa: ARG002 (the library passes it)
        return {"predictions": self.model(payload["instances"])}


if __name__ == "__main__":
    credit = Credit()
    credit.load()
    ModelServer(http_port=int(os.environ["BENCH_PORT"]), enable_grpc=False, workers=1).start([credit])
