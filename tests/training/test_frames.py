"""A frame is read back as it was written, and anything else is refused."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.kernel import InvalidInput
from sealwright.training.frames import frame, parse_frame, read_frame
from sealwright.training.packed import Packed

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@given(
    header=st.dictionaries(names.filter(lambda n: n != "bodies"), st.integers(-(2**53), 2**53) | names),
    bodies=st.dictionaries(names, st.binary(max_size=300), max_size=5),
)
@settings(max_examples=60, deadline=None)
def test_what_was_framed_is_read_back(header: dict[str, object], bodies: dict[str, bytes]) -> None:
    data = b"".join(bytes(piece) for piece in frame(header, bodies))
    for found, parts in (parse_frame(data), read_frame(io.BytesIO(data))):
        assert {name: value for name, value in found.items() if name != "bodies"} == header
        assert {name: bytes(part) for name, part in parts.items()} == bodies


@given(data=st.binary(max_size=400))
def test_random_bytes_are_no_frame(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_frame(data)
    with pytest.raises(InvalidInput):
        read_frame(io.BytesIO(data))


@given(cut=st.integers(min_value=1, max_value=200))
def test_a_cut_frame_and_a_longer_one_are_refused(cut: int) -> None:
    data = b"".join(bytes(piece) for piece in frame({"a": 1}, {"b": bytes(100)}))
    with pytest.raises(InvalidInput):
        parse_frame(data[: max(0, len(data) - cut)])
    with pytest.raises(InvalidInput, match="follow the end"):
        parse_frame(data + b"x")


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"{}",
        b'{"bodies":[["a",-1]]}',
        b'{"bodies":[["a",1.5]]}',
        b'{"bodies":[["a",true]]}',
        b'{"bodies":[["a",0],["a",0]]}',
        b'{"bodies":[["a",99999999999]]}',
        b'{"bodies":[],"bodies":[]}',
        b'{"bodies":[],"x":NaN}',
        b'{"bodies":[],"x":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_a_header_that_lies_is_refused(header: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_frame(b"SWTRAIN1" + len(header).to_bytes(8, "little") + header)


def test_a_header_longer_than_memory_is_refused_before_it_is_read() -> None:
    with pytest.raises(InvalidInput):
        parse_frame(b"SWTRAIN1" + (1 << 62).to_bytes(8, "little"))
    with pytest.raises(InvalidInput, match="too long"):
        read_frame(io.BytesIO(b"SWTRAIN1" + (1 << 62).to_bytes(8, "little")))


def test_packed_rows_cross_the_pipe_unchanged() -> None:
    packed = Packed(
        numbers=np.array([[1.5, np.nan], [0.0, -2.0]], dtype=np.float32),
        codes=np.array([[1], [0]], dtype=np.int32),
        levels=(("", "ä"),),
    )
    described, bodies = packed.to_wire("rows")
    back = Packed.from_wire("rows", described, {name: bytearray(body) for name, body in bodies.items()})
    assert np.array_equal(back.numbers, packed.numbers, equal_nan=True)
    assert back.strings().tolist() == [["ä"], [""]]
    bodies["rows.codes"] = memoryview(np.array([5, 0], dtype="<i4")).cast("B")
    with pytest.raises(InvalidInput, match="outside its list"):
        Packed.from_wire("rows", described, {name: bytearray(body) for name, body in bodies.items()})
