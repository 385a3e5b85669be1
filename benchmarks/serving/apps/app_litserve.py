"""A LitServe API as its documentation writes one; with batching, sixteen requests at a time."""

import os
from typing import Any

import litserve as ls

from engines import batching, open_engine


class One(ls.LitAPI):
    def setup(self, device: str) -> None:  # noqa: ARG002 (the library passes it)
        self.model = open_engine()

    def decode_request(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        return request["rows"]

    def predict(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        return self.model(rows)

    def encode_response(self, output: list[list[float]]) -> dict[str, Any]:
        return {"probabilities": output}


class Many(One):
    def predict(self, requests: list[list[dict[str, Any]]]) -> list[list[list[float]]]:
        answers = iter(self.model([row for rows in requests for row in rows]))
        return [[next(answers) for _ in rows] for rows in requests]


if __name__ == "__main__":
    api = Many(max_batch_size=16, batch_timeout=0.005) if batching() else One()
    ls.LitServer(api, accelerator="cpu").run(
        host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), generate_client_file=False
    )
