"""Bare ASGI, msgspec and ONNX Runtime: as fast as Python answers with no security at all. `app` runs the whole graph;
`classifier` encodes words by dictionary and runs the trees alone."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from credit import CATEGORIES, NUMBERS, STRINGS

from engines import session

_Row = msgspec.defstruct("Row", [*((name, float) for name in NUMBERS), *((name, str) for name in STRINGS)])
_WIDTH = len(NUMBERS)
_Run = Callable[[list[tuple[Any, ...]]], Any]


class _Body(msgspec.Struct):
    rows: list[_Row]  # type: ignore[valid-type]


class _App:
    def __init__(self, make: Callable[[], _Run]) -> None:
        self._make: Callable[[], _Run] = make
        self._run: _Run | None = None
        self._decode, self._encode = msgspec.json.Decoder(_Body).decode, msgspec.json.Encoder().encode

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise RuntimeError("no lifespan")
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        status, answer = self._answer(body)
        length = str(len(answer)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _answer(self, body: bytes) -> tuple[int, bytes]:
        if self._run is None:
            self._run = self._make()
        try:
            found = [msgspec.structs.astuple(row) for row in self._decode(body).rows]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return 400, b"{}"
        return 200, self._encode({"probabilities": self._run(found).tolist()})


def _whole_graph() -> _Run:
    model = session()

    def run(found: list[tuple[Any, ...]]) -> Any:
        inputs = {
            "numbers": np.array([row[:_WIDTH] for row in found], dtype=np.float32),
            "strings": np.array([row[_WIDTH:] for row in found], dtype=object),
        }
        return model.run(["probabilities"], inputs)[0]

    return run


def _classifier_alone() -> _Run:
    model, places, width = session("classifier.onnx"), [], _WIDTH
    for words in CATEGORIES.values():
        places.append({word: width + at for at, word in enumerate(words)})
        width += len(words)

    def run(found: list[tuple[Any, ...]]) -> Any:
        matrix = np.zeros((len(found), width), dtype=np.float32)
        for line, row in zip(matrix, found, strict=True):
            line[:_WIDTH] = row[:_WIDTH]
            for known, word in zip(places, row[_WIDTH:], strict=True):
                line[known[word]] = 1.0
        return model.run(["probabilities"], {"numbers": matrix})[0]

    return run


app = _App(_whole_graph)
classifier = _App(_classifier_alone)
