"""Usual predictions take a lane of their own. Nobody can tell from the answer, except that it comes sooner."""

import http.client
import io
import json
import re
from typing import Any

import pytest

from sealwright.serving.transport.head import measured_head, quick_head


def _raw(house: Any, token: str, body: bytes, *lines: str) -> bytes:
    """A request for a prediction; `lines` are further headers, which keep it out of the lane where they are unusual."""
    head = [
        f"POST /v1/models/{house.project}/predict HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        *lines,
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class _Link:
    """Lets http.client read answers from bytes that came."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def makefile(self, _mode: str) -> io.BufferedReader:
        return self._file


def _answers(link: Any, count: int) -> list[tuple[int, dict[str, str], bytes]]:
    file = link.makefile("rb")
    file_close, file.close = file.close, lambda: None  # each answer would close it
    found = []
    for _ in range(count):
        reply = http.client.HTTPResponse(_Link(file))  # type: ignore[arg-type]
        reply.begin()
        found.append((reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()))
    file_close()
    return found


_UNUSUAL = ["Sec-GPC: 0", "Sealwright-Timing: 1", "Connection: close, x", "TE: trailers"]


def test_the_lane_and_the_application_give_the_same_answers_and_headers(
    client: Any, house: Any, row: dict[str, Any]
) -> None:
    good, bad = json.dumps({"row": row}).encode(), json.dumps({"row": {**row, "age": -5}}).encode()
    for body in (good, bad, b"{", b'{"row":{}}'):
        with client.connect() as link:
            client.predict(row)  # the counters are known, so the lane needs to ask nobody
            link.sendall(_raw(house, client.token, body) + _raw(house, client.token, body, "Sec-GPC: 0"))
            (status, headers, told), (usual_status, usual_headers, usual_told) = _answers(link, 2)
        assert (status, headers.keys() - {"date"}) == (usual_status, usual_headers.keys() - {"date"})
        for name in ("content-type", "cache-control", "x-content-type-options", "ratelimit-policy"):
            assert headers[name] == usual_headers[name]
        hide = re.compile(rb'dec_[0-9a-f]{24}|"receipt":.*')
        assert hide.sub(b"", told) == hide.sub(b"", usual_told)


def test_requests_sent_without_waiting_are_answered_in_their_order(
    client: Any, house: Any, row: dict[str, Any]
) -> None:
    sent, ages = [], [18 + at for at in range(60)]
    for at, age in enumerate(ages):
        body = json.dumps({"row": {**row, "age": age}}).encode()
        sent.append(_raw(house, client.token, body, *(["Sec-GPC: 0"] if at % 3 == 0 else [])))
    with client.connect() as link:
        link.sendall(b"".join(sent))
        answers = _answers(link, len(ages))
    bad = [json.loads(told)["answer"]["probabilities"]["bad"] for _, _, told in answers]
    assert [status for status, _, _ in answers] == [200] * len(ages)
    assert bad == sorted(bad)  # "bad" grows with the age
    assert len(set(bad)) == len(bad)


def test_a_request_in_pieces_is_one_request(client: Any, house: Any, row: dict[str, Any]) -> None:
    request = _raw(house, client.token, json.dumps({"row": row}).encode())
    with client.connect() as link:
        for at in range(0, len(request), 97):
            link.sendall(request[at : at + 97])
        ((status, _, _),) = _answers(link, 1)
    assert status == 200


def test_what_the_lane_takes_the_strict_reading_takes_in_the_same_way() -> None:
    """Never more than `measured_head` lets through, never another length."""
    heads = [
        b"POST /a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer x\r\nContent-Type: application/json\r\n"
        + lines
        + b"\r\n"
        for lines in (
            b"Content-Length: 2\r\n",
            b"content-length:2\r\n",
            b"Content-Length: 2\r\nContent-Length: 2\r\n",
            b"Content-Length : 2\r\n",
            b"Content-Length: +2\r\n",
            b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
            b"Content-Length: 2\r\nConnection: close\r\n",
            b"Content-Length: 2\r\nHost: other\r\n",
            b"Content-Length: 2\nX: y\r\n",
            b"Content-Length: 2\r\n X: folded\r\n",
            b"Content-Length: 2\r\nExpect: 100-continue\r\n",
            b"Content-Length: 2\r\nSealwright-Person: a\r\nSealwright-Person: b\r\n",
        )
    ]
    taken = 0
    for head in heads:
        found = quick_head(head, len(head))
        if found is not None:
            taken += 1
            assert measured_head(head) == found.length
    assert taken == 2  # the two plain ones


@pytest.mark.parametrize("line", _UNUSUAL)
def test_unusual_heads_are_left_to_the_application(line: str) -> None:
    head = (
        b"POST /a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer x\r\nContent-Type: application/json\r\n"
        + line.encode()
        + b"\r\nContent-Length: 2\r\n\r\n"
    )
    assert quick_head(head, len(head)) is None
