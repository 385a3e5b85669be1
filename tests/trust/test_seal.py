"""What is sealed opens only whole, in its place, with its key; no plaintext comes from anything else."""

import io
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.kernel import InvalidInput, VerificationFailed
from sealwright.trust import RecordSealer, open_sealed, open_sealed_file, open_stream, seal, seal_file, seal_stream
from sealwright.trust.sealing import derive_key

KEY, OTHER = b"k" * 32, b"o" * 32
CHUNK = 1 << 20
HEADER = 7 + 32


def sealed_stream(data: bytes, aad: bytes = b"place") -> bytes:
    writer = io.BytesIO()
    assert seal_stream(KEY, io.BytesIO(data), writer, aad) == len(data)
    return writer.getvalue()


def opened_stream(data: bytes, key: bytes = KEY, aad: bytes = b"place") -> bytes:
    writer = io.BytesIO()
    size = open_stream(key, io.BytesIO(data), writer, aad)
    assert size == len(writer.getvalue())
    return writer.getvalue()


# ---- key derivation


def test_keys_are_derived_as_rfc_5869_appendix_a_1() -> None:
    found = derive_key(b"\x0b" * 22, salt=bytes(range(13)), info=bytes(range(0xF0, 0xFA)), length=42)
    assert found.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"


def test_keys_are_derived_as_rfc_5869_appendix_a_3() -> None:
    found = derive_key(b"\x0b" * 22, info=b"", length=42)
    assert found.hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"


# ---- small records


@given(st.binary(max_size=300), st.binary(max_size=40))
def test_a_record_opens_with_its_key_in_its_place(data: bytes, aad: bytes) -> None:
    sealed = seal(KEY, data, aad=aad)
    assert len(sealed) == len(data) + 29
    assert open_sealed(KEY, sealed, aad=aad) == data


def test_the_same_record_never_looks_the_same_t54() -> None:
    assert len({seal(KEY, b"x", aad=b"") for _ in range(100)}) == 100


def test_records_sealed_together_share_no_nonce_and_open_only_in_their_own_places_t54() -> None:
    sealer, places = RecordSealer(KEY), [b"place %d" % at for at in range(50)]
    together = [*sealer.seal_all([b"same"] * 50, aads=places), *sealer.seal_all([b"same"] * 50, aads=places)]
    assert len({sealed[1:13] for sealed in together}) == 100
    assert all(
        open_sealed(KEY, sealed, aad=place) == b"same" for sealed, place in zip(together, places * 2, strict=True)
    )
    with pytest.raises(VerificationFailed):
        open_sealed(KEY, together[0], aad=places[1])
    with pytest.raises(ValueError, match="shorter"):
        sealer.seal_all([b"same"] * 2, aads=places[:1])
    assert sealer.seal_all([], aads=[]) == []


@given(st.binary(max_size=60), st.data())
@settings(deadline=None)
def test_any_flipped_bit_of_a_record_is_refused_t54(plain: bytes, data: st.DataObject) -> None:
    sealed = seal(KEY, plain, aad=b"a")
    at, bit = data.draw(st.integers(0, len(sealed) - 1)), data.draw(st.integers(0, 7))
    with pytest.raises(VerificationFailed):
        open_sealed(KEY, sealed[:at] + bytes([sealed[at] ^ 1 << bit]) + sealed[at + 1 :], aad=b"a")


def test_a_record_elsewhere_or_with_another_key_is_refused_t54() -> None:
    sealed = seal(KEY, b"data", aad=b"decisions/1")
    for key, aad in ((KEY, b"decisions/2"), (KEY, b""), (OTHER, b"decisions/1")):
        with pytest.raises(VerificationFailed, match="does not open"):
            open_sealed(key, sealed, aad=aad)
    for length in range(len(sealed)):
        with pytest.raises(VerificationFailed):
            open_sealed(KEY, sealed[:length], aad=b"decisions/1")
    with pytest.raises(VerificationFailed):
        open_sealed(KEY, sealed + b"\0", aad=b"decisions/1")


@pytest.mark.parametrize("key", [b"", b"k" * 16, b"k" * 31, b"k" * 33])
def test_a_key_of_another_size_is_refused(key: bytes) -> None:
    for use in (
        lambda: seal(key, b"", aad=b""),
        lambda: open_sealed(key, b"", aad=b""),
        lambda: seal_stream(key, io.BytesIO(), io.BytesIO(), b""),
    ):
        with pytest.raises(InvalidInput, match="32 bytes"):
            use()


# ---- streams


@pytest.mark.parametrize("size", [0, 1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7])
def test_a_blob_of_any_size_comes_back(size: int) -> None:
    data = bytes(i % 251 for i in range(1000)) * (size // 1000 + 1)
    sealed = sealed_stream(data[:size])
    assert len(sealed) == HEADER + size + 16 * max(1, -(-size // CHUNK))
    assert opened_stream(sealed) == data[:size]


def test_a_pipe_that_gives_little_at_a_time_changes_nothing() -> None:
    class Trickle(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self.left = memoryview(data)

        def read(self, size: int = -1) -> bytes:
            piece, self.left = self.left[: min(size, 70_001)], self.left[min(size, 70_001) :]
            return bytes(piece)

    data = b"abc" * 400_000
    writer, plain = io.BytesIO(), io.BytesIO()
    seal_stream(KEY, Trickle(data), writer, b"")  # type: ignore[arg-type]
    open_stream(KEY, Trickle(writer.getvalue()), plain, b"")  # type: ignore[arg-type]
    assert plain.getvalue() == data


def test_two_blobs_share_no_bytes() -> None:
    one, two = sealed_stream(b"\0" * 64), sealed_stream(b"\0" * 64)
    assert one[HEADER:] != two[HEADER:]


BLOB = sealed_stream(b"p" * (2 * CHUNK + 50))
BORDERS = [HEADER, HEADER + CHUNK + 16, HEADER + 2 * (CHUNK + 16), len(BLOB)]


@pytest.mark.parametrize(
    "at", [*range(HEADER), *(b + d for b in BORDERS for d in (-17, -16, -1, 0, 1) if b + d < len(BLOB))]
)
def test_a_flipped_bit_anywhere_is_refused_t54(at: int) -> None:
    with pytest.raises(VerificationFailed):
        opened_stream(BLOB[:at] + bytes([BLOB[at] ^ 4]) + BLOB[at + 1 :])


@pytest.mark.parametrize("cut", [0, 1, 7, *BORDERS[:-1], *(b - 1 for b in BORDERS), *(b + 1 for b in BORDERS[:-1])])
def test_a_cut_blob_is_refused_t54(cut: int) -> None:
    with pytest.raises(VerificationFailed):
        opened_stream(BLOB[:cut])


def test_moved_repeated_added_and_dropped_chunks_are_refused_t54() -> None:
    header, one, two, last = BLOB[:HEADER], *(BLOB[a:b] for a, b in pairwise(BORDERS))
    others = [
        header + two + one + last,
        header + one + one + two + last,
        header + two + last,
        header + one + last,
        header + last,
        header + one + two + last + last,
        header + one + two + two,
        BLOB + b"\0",
        BLOB + BLOB,
    ]
    for other in others:
        with pytest.raises(VerificationFailed):
            opened_stream(other)


def test_another_header_key_or_place_is_refused_t54() -> None:
    other = sealed_stream(b"p" * 50)
    with pytest.raises(VerificationFailed):
        opened_stream(other[:HEADER] + BLOB[HEADER:])
    for key, aad in ((OTHER, b"place"), (KEY, b"elsewhere"), (KEY, b"")):
        with pytest.raises(VerificationFailed, match="Chunk 0"):
            opened_stream(BLOB, key, aad)


def test_an_empty_last_chunk_is_not_a_second_spelling() -> None:
    """A full chunk followed by an empty one would be another blob with the same content."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from sealwright.trust import stream

    header = BLOB[:HEADER]
    cipher, context = stream._cipher(KEY, header, b"place")
    assert isinstance(cipher, AESGCM)
    full = cipher.encrypt(stream._nonce(0, last=False), b"p" * CHUNK, context)
    empty = cipher.encrypt(stream._nonce(1, last=True), b"", context)
    with pytest.raises(VerificationFailed, match="empty chunk"):
        opened_stream(header + full + empty)


# ---- files


def test_a_file_is_sealed_and_opened_whole(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"secret" * 1000)
    assert seal_file(KEY, tmp_path / "plain", tmp_path / "sealed", aad=b"a") == 6000
    assert b"secret" not in (tmp_path / "sealed").read_bytes()
    assert open_sealed_file(KEY, tmp_path / "sealed", tmp_path / "again", aad=b"a") == 6000
    assert (tmp_path / "again").read_bytes() == b"secret" * 1000
    assert {p.stat().st_mode & 0o777 for p in (tmp_path / "sealed", tmp_path / "again")} == {0o600}


def test_no_plaintext_of_a_cut_file_stays_on_disk_t54(tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(BLOB[: BORDERS[2]])
    (tmp_path / "again").write_bytes(b"older")
    with pytest.raises(VerificationFailed):
        open_sealed_file(KEY, tmp_path / "cut", tmp_path / "again", aad=b"place")
    assert (tmp_path / "again").read_bytes() == b"older"
    assert {path.name for path in tmp_path.iterdir()} == {"cut", "again"}
