"""Header blocks are read as RFC 7541 writes them: its own examples (appendix C), and no bytes that make the reader fail otherwise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.serving.grpc.hpack import HeaderDecoder, HeadersRefused, literal

_PLAIN = [  # C.3: three requests on one connection, without the Huffman code
    ("828684410f7777772e6578616d706c652e636f6d", ":method GET|:scheme http|:path /|:authority www.example.com"),
    (
        "828684be58086e6f2d6361636865",
        ":method GET|:scheme http|:path /|:authority www.example.com|cache-control no-cache",
    ),
    (
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
        ":method GET|:scheme https|:path /index.html|:authority www.example.com|custom-key custom-value",
    ),
]
_SQUEEZED = [  # C.4: the same, with it
    ("828684418cf1e3c2e5f23a6ba0ab90f4ff", _PLAIN[0][1]),
    ("828684be5886a8eb10649cbf", _PLAIN[1][1]),
    ("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", _PLAIN[2][1]),
]


@pytest.mark.parametrize("blocks", [_PLAIN, _SQUEEZED], ids=["plain", "huffman"])
def test_the_examples_of_the_specification_are_read(blocks: list[tuple[str, str]]) -> None:
    decoder = HeaderDecoder(most_bytes=1000)
    for block, headers in blocks:
        expected = [tuple(part.split(" ", 1)) for part in headers.split("|")]
        assert [(name.decode(), value.decode()) for name, value in decoder.read(bytes.fromhex(block))] == expected


def test_the_table_forgets_the_oldest_when_it_is_full() -> None:
    """C.5 has a table of 256 bytes; ours holds 4096."""
    decoder = HeaderDecoder(most_bytes=100_000)
    for number in range(200):
        name = b"x-%03d" % number
        decoder.read(b"\x40" + bytes([len(name)]) + name + b"\x0a" + b"v" * 10)  # 47 bytes an entry
    assert decoder.read(b"\xbe") == [(b"x-199", b"v" * 10)]
    with pytest.raises(HeadersRefused):
        decoder.read(b"\xff\x40")  # place 191: long gone


def test_one_entry_repeated_does_not_unfold_without_end() -> None:
    """The HPACK bomb, CVE-2016-6581."""
    decoder = HeaderDecoder(most_bytes=16_384)
    decoder.read(b"\x40\x01x\x7f\xa1\x1e" + b"y" * 4000)
    assert len(decoder.read(b"\xbe" * 4)) == 4
    with pytest.raises(HeadersRefused):
        decoder.read(b"\xbe" * 5)


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=200), st.binary(max_size=300)), max_size=6))
def test_what_is_written_is_read(headers: list[tuple[bytes, bytes]]) -> None:
    block = b"".join(literal(name, value) for name, value in headers)
    assert HeaderDecoder(most_bytes=10_000).read(block) == headers


@settings(max_examples=500)
@given(st.binary(max_size=60))
def test_no_bytes_fail_otherwise_than_by_being_refused(block: bytes) -> None:
    decoder = HeaderDecoder(most_bytes=500)
    try:
        found = decoder.read(block)
    except HeadersRefused:
        return
    assert sum(len(name) + len(value) + 32 for name, value in found) <= 500


@pytest.mark.parametrize(
    "block",
    ["80", "be", "ff8080808001", "3fe21f", "823fe11f", "418cf1e3c2e5f23a6ba0ab90f4", "4184ffffffff", "418118", "41821fff", "40", "410f77"],
    ids=["zero", "absent", "long-number", "table-too-large", "resize-late", "short", "end-of-code", "zeros-at-the-end", "too-many-ones", "cut", "cut-text"],
)  # fmt: skip
def test_a_block_that_breaks_a_rule_is_refused(block: str) -> None:
    with pytest.raises(HeadersRefused):
        HeaderDecoder(most_bytes=1000).read(bytes.fromhex(block))
