"""Archives and files that are two things at once (T-44 to T-48), handed in wherever a file is taken.

No part unpacks an archive, and another test forbids it; here each hostile archive is given to every way in, and refused
whole: nothing is written anywhere, nothing grows, and no name in it is believed.
"""

import io
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sealwright.data import open_source
from sealwright.data.errors import SourceUnreadable
from sealwright.kernel import InvalidInput, SealwrightError, VerificationFailed
from sealwright.registry import ModelRefused, check_structure

OUT = ("../../escaped", "/tmp/escaped", "C:\\escaped", "..\\..\\escaped", "\\\\host\\share\\escaped", "a/../../escaped", "escaped\0.csv",
       "escaped.", "escaped ", "./../escaped", "~/escaped", "a/./b", "//escaped")  # fmt: skip
ROWS = b"a,b\n" + b"1,yes\n" * 40


def zipped(*members: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name) if how == zipfile.ZIP_STORED else name, data)
    return buffer.getvalue()


def tarred(*members: tarfile.TarInfo, mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for member in members:
            archive.addfile(member, io.BytesIO(ROWS) if member.isreg() else None)
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.mode = kind, link, mode
    found.size = len(ROWS) if kind == tarfile.REGTYPE else 0
    return found


def lying(declared: int) -> bytes:
    """A ZIP whose one member says it unpacks to `declared` bytes and unpacks to 4 MiB."""
    data = bytearray(zipped(("rows.csv", b"1," * (2 << 20))))
    central = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, 22, declared)
    struct.pack_into("<I", data, central + 24, declared)
    return bytes(data)


def overlapping() -> bytes:
    """Many names in the directory for the same bytes: small to send, endless to unpack."""
    one = zipped(("rows.csv", bytes(1 << 20)))
    central, end = one.rindex(b"PK\x01\x02"), one.rindex(b"PK\x05\x06")
    directory = one[central:end] * 2000
    tail = bytearray(one[end:])
    struct.pack_into("<HH", tail, 8, 2000, 2000)
    struct.pack_into("<I", tail, 12, len(directory))
    return one[:central] + directory + bytes(tail)


def disagreeing() -> bytes:
    """A name in the directory, another one before the bytes."""
    data = bytearray(zipped(("rows.csv", ROWS)))
    data[30:38] = b"evil.pkl"
    return bytes(data)


LEADING_OUT = {f"zip {name!r}": zipped((name, ROWS)) for name in OUT} | {
    f"tar {name!r}": tarred(member(name.replace("\0", "_"))) for name in OUT
}
ODD_MEMBERS = {
    "link out": tarred(member("l", tarfile.SYMTYPE, "/etc"), member("l/passwd")),
    "hard link": tarred(member("h", tarfile.LNKTYPE, "../../key")),
    "device": tarred(member("d", tarfile.CHRTYPE)),
    "block device": tarred(member("d", tarfile.BLKTYPE)),
    "pipe": tarred(member("p", tarfile.FIFOTYPE)),
    "set-uid": tarred(member("s", mode=0o4755)),
    "link in a zip": zipped(("link", b"/etc/passwd"), how=zipfile.ZIP_STORED),
}
COLLIDING = {
    "case": zipped(("rows.csv", ROWS), ("ROWS.csv", b"x")),
    "Unicode": zipped(("caf\u00e9.csv", ROWS), ("cafe\u0301.csv", b"x")),
    "tar twice": tarred(member("rows.csv"), member("rows.csv")),
}
GROWING = {
    "1000 to 1": zipped(("rows.csv", bytes(64 << 20))),
    "nested": zipped(("inner.zip", zipped(("rows.csv", bytes(16 << 20))))),
    "overlapping": overlapping(),
    "too small a size": lying(10),
    "too large a size": lying(0xFFFF_FFFE),
    "65,535 members": zipped(*((f"{at}", b"") for at in range(2000))) + b"PK\x05\x06" + b"\xff" * 18,
    "tar in gzip": tarred(member("../escaped"), mode="w:gz"),
    "gzip": zlib.compress(bytes(64 << 20), wbits=31),
}
TWO_THINGS = {
    "two directories": disagreeing(),
    "picture and archive": b"GIF89a" + bytes(20) + zipped(("rows.csv", ROWS)),
    "program and archive": b"#!/bin/sh\ntouch escaped\nexit\n" + zipped(("rows.csv", ROWS)),
    "table with an archive behind it": ROWS + zipped(("rows.csv", ROWS)),
    "page and archive": b"<html><script>1</script>" + zipped(("rows.csv", ROWS)),
    "archive twice": zipped(("rows.csv", ROWS)) + zipped(("rows.csv", b"other")),
}


def ways_in(home: Any, interface: Any) -> Iterator[tuple[str, type[SealwrightError], Callable[[Path], object]]]:
    """Where a file is taken, and how it must be refused: as a model, as data of each format, as what is to be verified."""
    yield "model", ModelRefused, lambda path: check_structure(path.read_bytes(), interface)
    for ending in (".csv", ".csv.gz", ".jsonl", ".parquet", ".arrow"):
        yield f"data {ending}", SourceUnreadable, lambda path, ending=ending: _rows(path, ending)  # type: ignore[misc]
    yield "verify", InvalidInput, lambda path: _command(home, "verify", path)


def _rows(path: Path, ending: str) -> None:
    named = path.with_name(f"given{ending}")
    named.write_bytes(path.read_bytes())
    try:
        for _ in open_source(named.name, path.parent).batches():
            pass
    finally:
        named.unlink()


def _command(home: Any, *arguments: object) -> None:
    done = home.inside(*arguments, expect=None)
    raise {2: InvalidInput, 4: VerificationFailed}[done.code](done.err)


def _resident(which: str) -> int:
    """Memory of this process in bytes: now (VmRSS), or at most (VmHWM)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(which))
    return int(line.split()[1]) * 1024


def _tree(root: Path) -> set[Path]:
    return set(root.rglob("*"))


@pytest.mark.parametrize(
    ("kind", "archives"),
    [
        pytest.param("t44", LEADING_OUT, id="paths that lead out"),
        pytest.param("t45", ODD_MEMBERS, id="links and devices"),
        pytest.param("t46", COLLIDING, id="names that collide"),
        pytest.param("t47", GROWING, id="that grow"),
        pytest.param("t48", TWO_THINGS, id="that are two things"),
    ],
)
def test_an_archive_is_refused_wherever_a_file_is_taken_t44_t45_t46_t47_t48(
    kind: str, archives: dict[str, bytes], empty_home: Any, interface: Any, tmp_path: Path
) -> None:
    empty_home.inside("workspace", "create", "--name", "Example Bank")
    given = tmp_path / "given"
    given.mkdir()
    for _, _, take in ways_in(empty_home, interface):  # so that loading libraries counts for nothing
        (given / "file").write_bytes(b"x")
        with pytest.raises(SealwrightError):
            take(given / "file")
    (given / "file").unlink()
    before = _tree(tmp_path)
    for name, data in archives.items():
        path = given / "file"
        path.write_bytes(data)
        for way, refusal, take in ways_in(empty_home, interface):
            Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
            before_it, begun = _resident("VmRSS"), time.monotonic()
            with pytest.raises(refusal):
                take(path)
            assert time.monotonic() - begun < 5, (kind, name, way)
            assert _resident("VmHWM") - before_it < 48 << 20, (kind, name, way)
        path.unlink()
    assert _tree(tmp_path) == before
    assert not Path("/tmp/escaped").exists()
