"""A LitServe API as its documentation writes one; with batching, sixteen requests at a time."""

import os
from typing import Any

import litserve as ls

from engines import batching, open_engine


class One(ls.LitAPI):  # type: ignore[misc]
    """A request at a time."""

    def setup(self, device: str) -> None:  # noqa: ARG002 (the library passes it)
        self.model = open_engine()

    def decode_request(self, request: dict[str, Any]) -> Any:  # the library reads the type: a body of JSON
        return request["rows"]

    def predict(self, rows: Any) -> Any:
        return self.model(rows)

    def encode_response(self, output: Any) -> Any:
        return {"probabilities": output}


class Many(One):
    """Some requests at a time, each a list of rows."""

    def predict(self, rows: Any) -> Any:
        answers = iter(self.model([row for request in rows for row in request]))
        return [[next(answers) for _ in request] for request in rows]


if __name__ == "__main__":
    api = Many(max_batch_size=16, batch_timeout=0.005) if batching() else One()
    ls.LitServer(api, accelerator="cpu").run(
        host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), generate_client_file=False
    )
