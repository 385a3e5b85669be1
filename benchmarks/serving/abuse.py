"""The same bad requests at every server: what do they answer, and what do they tell a stranger?

Answers: status of each, and three marks: T a Python traceback, P a path of the server, S the whole list of features.
Does not answer: whether a status is the best one; the table shows them side by side.
"""

import dataclasses
import re
from collections.abc import Callable
from typing import Any

from credit import NAMES
from load import Request, ask
from starting import Up

__all__ = ["CORPUS", "answers", "marks"]

Row = dict[str, Any]
_PATH = re.compile(rb"(?:/[\w.+-]+){2,}\.py\b|site-packages")
_LARGE = 64 << 20


def answers(found: Up, row: Row) -> dict[str, str]:
    """What a server answered to every request of the corpus: a status and marks, "0" where it closed the connection."""
    return {name: _said(*ask(make(found, row))) for name, make in CORPUS.items()}


def marks(body: bytes) -> str:
    """What an answer tells that is none of a caller's business."""
    found = {
        "T": b"Traceback (most recent call last)" in body,
        "P": _PATH.search(body) is not None,
        "S": all(name.encode() in body for name in NAMES),
    }
    return "".join(mark for mark, there in found.items() if there)


def _said(status: int, body: bytes) -> str:
    return f"{status} {marks(body)}".strip()


def _with(**changes: Any) -> Callable[[Up, Row], Request]:
    """A row in which some values are others."""
    return lambda found, row: found.request(found.server.dialect.body([row | changes]))


def _without(name: str) -> Callable[[Up, Row], Request]:
    def make(found: Up, row: Row) -> Request:
        return found.request(found.server.dialect.body([{key: row[key] for key in row if key != name}]))

    return make


def _body(change: Callable[[bytes], bytes]) -> Callable[[Up, Row], Request]:
    """Other bytes in place of the good ones."""
    return lambda found, row: found.request(change(found.server.dialect.body([row])))


def _headers(**changes: str | None) -> Callable[[Up, Row], Request]:
    """Other headers with the good body; None takes one away."""

    def make(found: Up, row: Row) -> Request:
        good = found.request(found.server.dialect.body([row]))
        wanted = good.headers | {name.replace("_", "-"): value for name, value in changes.items()}
        return dataclasses.replace(good, headers={name: text for name, text in wanted.items() if text is not None})

    return make


def _nested(found: Up, row: Row) -> Request:
    """A text inside a hundred thousand lists."""
    body = found.server.dialect.body([row | {"housing": "HERE"}])
    return found.request(body.replace(b'"HERE"', b"[" * 100_000 + b"]" * 100_000))


CORPUS: dict[str, Callable[[Up, Row], Request]] = {
    "good row": _with(),
    "feature missing": _without("age"),
    "unknown extra field": _with(surprise=1),
    "text in a number": _with(age="old"),
    "null in a number": _with(age=None),
    "NaN literal": _with(amount=float("nan")),
    "Infinity literal": _with(amount=float("inf")),
    "age = -500": _with(age=-500),
    "unknown category": _with(housing="castle"),
    "number as category": _with(housing=3),
    "object as category": _with(housing={"own": True}),
    "truncated JSON": _body(lambda body: body[:-20]),
    "not JSON at all": _body(lambda _body: b"\x80\x04K\x2a."),
    "pickle content type": _headers(content_type="application/vnd.bentoml+pickle"),
    "nested 100 000 deep": _nested,
    "64 MiB body": _body(lambda body: body + b" " * (_LARGE - len(body))),
    "no credentials": _headers(authorization=None),
    "good row again": _with(),
}
