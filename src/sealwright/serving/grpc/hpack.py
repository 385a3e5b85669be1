"""Header blocks of HTTP/2, read: RFC 7541. Written are only blocks that need no table (`literal`).

Answers: which headers does this block hold? Does not answer: may they stand there; the connection asks that.

One decoder a connection, because the blocks of one share a table. The table is bounded by what we announce, a block by its
caller; a block that breaks a rule ends the connection, for the two tables cannot agree any more.
"""

from collections import deque
from functools import cache

from sealwright.serving.problems import BadRequest

__all__ = ["HeaderDecoder", "HeadersRefused", "literal"]

TABLE_BYTES = 4096
"""The largest dynamic table: the default of RFC 9113, so nothing has to be agreed on."""

_OVERHEAD = 32  # bytes an entry counts beyond its text, RFC 7541 section 4.1
_STATIC: tuple[tuple[bytes, bytes], ...] = tuple(
    (name.encode(), value.replace("_", " ").encode())
    for name, _, value in (
        entry.partition("=")
        for entry in (
            ":authority :method=GET :method=POST :path=/ :path=/index.html :scheme=http :scheme=https :status=200 :status=204 "
            ":status=206 :status=304 :status=400 :status=404 :status=500 accept-charset accept-encoding=gzip,_deflate "
            "accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control "
            "content-disposition content-encoding content-language content-length content-location content-range "
            "content-type cookie date etag expect expires from host if-match if-modified-since if-none-match if-range "
            "if-unmodified-since last-modified link location max-forwards proxy-authenticate proxy-authorization range "
            "referer refresh retry-after server set-cookie strict-transport-security transfer-encoding user-agent vary via "
            "www-authenticate"
        ).replace("\n", "").split()
    )
)  # fmt: skip
# RFC 7541 appendix B: the bits of each symbol's code, 0 to 256, as digits to the base 36. The code is canonical: they suffice.
_BITS = (
    "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f565"
    "65666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmp"
    "qqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu"
)


class HeadersRefused(BadRequest):
    """A header block that cannot be read."""

    code = "http2.headers"


def literal(name: bytes, value: bytes) -> bytes:
    """A header that enters no table and is not compressed."""
    return b"\x00" + _length(len(name)) + name + _length(len(value)) + value


class HeaderDecoder:
    """Reads the blocks of one connection, in their order."""

    def __init__(self, *, most_bytes: int) -> None:
        """`most_bytes`: of one block's headers, counted as RFC 9113 does."""
        self._most = most_bytes
        self._table: deque[tuple[bytes, bytes]] = deque()
        self._size, self._limit = 0, TABLE_BYTES

    def read(self, block: bytes) -> list[tuple[bytes, bytes]]:
        """The headers.

        Raises
        ------
        HeadersRefused
            A block that is cut off, larger than allowed, or speaks of an entry that is not there.
        """
        found: list[tuple[bytes, bytes]] = []
        at = size = 0
        try:
            while at < len(block):
                first = block[at]
                if 0x20 <= first < 0x40:
                    if found:
                        raise HeadersRefused
                    at = self._resize(block, at)
                    continue
                header, at = self._header(block, at, first)
                size += len(header[0]) + len(header[1]) + _OVERHEAD
                if size > self._most:
                    raise HeadersRefused
                found.append(header)
        except IndexError:
            raise HeadersRefused from None
        return found

    def _header(self, block: bytes, at: int, first: int) -> tuple[tuple[bytes, bytes], int]:
        if first >= 0x80:
            place, at = _number(block, at, 7)
            return self._entry(place), at
        kept = first >= 0x40
        place, at = _number(block, at, 6 if kept else 4)
        if place:
            name = self._entry(place)[0]
        else:
            name, at = self._text(block, at)
        value, at = self._text(block, at)
        if kept:
            self._keep(name, value)
        return (name, value), at

    def _text(self, block: bytes, at: int) -> tuple[bytes, int]:
        squeezed = block[at] >= 0x80
        length, at = _number(block, at, 7)
        end = at + length
        if end > len(block) or length > self._most:
            raise HeadersRefused
        raw = block[at:end]
        return (_unsqueezed(raw) if squeezed else raw), end

    def _entry(self, place: int) -> tuple[bytes, bytes]:
        if not place:
            raise HeadersRefused
        return _STATIC[place - 1] if place <= len(_STATIC) else self._table[place - len(_STATIC) - 1]

    def _keep(self, name: bytes, value: bytes) -> None:
        self._table.appendleft((name, value))
        self._size += len(name) + len(value) + _OVERHEAD
        self._evict()

    def _resize(self, block: bytes, at: int) -> int:
        self._limit, at = _number(block, at, 5)
        if self._limit > TABLE_BYTES:
            raise HeadersRefused
        self._evict()
        return at

    def _evict(self) -> None:
        while self._size > self._limit:
            name, value = self._table.pop()
            self._size -= len(name) + len(value) + _OVERHEAD


def _number(block: bytes, at: int, bits: int) -> tuple[int, int]:
    """An integer with a prefix of so many bits, and where it ends; at most three bytes follow the first."""
    most = (1 << bits) - 1
    value = block[at] & most
    at += 1
    if value < most:
        return value, at
    for shift in (0, 7, 14):
        byte = block[at]
        at += 1
        value += (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise HeadersRefused


def _length(count: int) -> bytes:
    """The length of a text that is not compressed."""
    if count < 127:
        return bytes([count])
    rest, told = count - 127, bytearray([127])
    while rest >= 128:
        told.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*told, rest])


def _unsqueezed(raw: bytes) -> bytes:
    """Text in the Huffman code, four bits at a time."""
    steps, state, text = _steps(), 0, bytearray()
    whole = True
    for byte in raw:
        for half in (byte >> 4, byte & 15):
            step = steps[state][half]
            if step is None:
                raise HeadersRefused
            state, symbol, whole = step
            if symbol >= 0:
                text.append(symbol)
    if not whole:
        raise HeadersRefused  # what is left over must be fewer than eight bits, all ones
    return bytes(text)


@cache
def _steps() -> list[list[tuple[int, int, bool] | None]]:
    """For each place in the code's tree and each four bits: the next place, a symbol or -1, and whether text may end there.

    A code has at least five bits, so four of them end at most one symbol.
    """
    children: list[list[int]] = [[0, 0]]  # of a place, by the next bit; a symbol s stands as -1 - s
    for symbol, (length, code) in enumerate(_codes()):
        at = 0
        for bit in range(length - 1, 0, -1):
            side = code >> bit & 1
            if not children[at][side]:
                children.append([0, 0])
                children[at][side] = len(children) - 1
            at = children[at][side]
        children[at][code & 1] = -1 - symbol
    ends = [0]  # places that up to seven ones lead to
    while len(ends) < 8:
        ends.append(children[ends[-1]][1])
    return [[_step(children, at, half, ends) for half in range(16)] for at in range(len(children))]


def _step(children: list[list[int]], at: int, half: int, ends: list[int]) -> tuple[int, int, bool] | None:
    symbol = -1
    for bit in (8, 4, 2, 1):
        at = children[at][1 if half & bit else 0]
        if at < 0:
            symbol, at = -1 - at, 0
            if symbol == 256:
                return None  # the end of the code never stands in a text
    return at, symbol, at in ends


def _codes() -> list[tuple[int, int]]:
    """Length and code of each symbol."""
    lengths = [int(digit, 36) for digit in _BITS]
    found, code, before = [(0, 0)] * len(lengths), 0, 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(lengths)):
        code <<= length - before
        found[symbol], before = (length, code), length
        code += 1
    return found
