"""A long ledger verified on all cores: pieces of it are read by worker processes, and joined here in order.

Answers: the same as `Walk`, sooner. A worker checks every line of its piece as `Walk` does, and hands back what joins it
to the pieces beside it: the digest it begins from and ends with, its times, its leaf hashes. The tree, the signed roots and
the joints are checked here. Whatever does not fit makes it give up (`GaveUp`); `Walk` then goes through the whole ledger
alone and says where it breaks, so a failure reads the same either way.

Does not answer: is it worth it? `verify_ledger` asks for it from some size on.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from sealwright.engines import Compute, Do, Material, Processes, Serial, Work, cores, serve
from sealwright.kernel import Progress, SealwrightError, VerificationFailed, silent
from sealwright.trust.ledger_entry import MOST_LINE_BYTES, check_attachment, is_erased, read_leaf
from sealwright.trust.ledger_packed import open_entries
from sealwright.trust.ledger_walk import CLOCK_SET_BACK, Heads, Walk
from sealwright.trust.notes import Checkpoint, open_checkpoint
from sealwright.trust.public_keys import PublicKey

__all__ = ["PIECES", "GaveUp", "notes_hold", "walk_pieces"]

_PIECE_BYTES = 8 << 20
_NOTES = 2000  # checkpoints in one job
_INDEX = re.compile(rb',"i":([0-9]{1,18}),"prev":"')  # where the first line of a piece says it stands


class GaveUp(Exception):
    """Something does not fit, or no worker could be started."""


class _Task(msgspec.Struct):
    path: str = ""
    start: int = 0
    end: int = 0
    notes: list[bytes] = []
    keys: list[str] = []  # PEM
    origin: str = ""


class _Piece(msgspec.Struct):
    first: int
    count: int
    previous: str  # digest its first entry names
    last: str  # digest of its last leaf
    begins: str
    ends: str
    begins_with: str  # action of its first entry
    hashes: bytes
    attachments: int
    erased: int
    remarks: list[str]


# ---- in this process


def walk_pieces(path: Path, heads: Heads, progress: Progress = silent) -> Walk:
    """A `Walk` that has gone to the end of the ledger at `path`.

    Raises
    ------
    GaveUp
        Anything at all does not fit.
    """
    walk = Walk((), heads)
    try:
        whole = _whole(path)
        walk.torn = path.stat().st_size - whole
        jobs = [msgspec.msgpack.encode(task) for task in _tasks(path, whole)]
        sizes = iter(sorted(heads.roots))
        due = next(sizes, None)
        for place, piece in enumerate(_in_order(jobs)):
            _join(walk, piece)
            at = 0
            while due is not None and due <= piece.first + piece.count:
                at = _grow(walk, piece, at, due - piece.first)
                walk.compare(due)
                due = next(sizes, None)
            _grow(walk, piece, at, piece.count)
            progress("verifying the ledger", (place + 1) / len(jobs))
    except (SealwrightError, OSError, msgspec.MsgspecError) as error:
        raise GaveUp from error
    if due is not None:
        raise GaveUp
    return walk


def notes_hold(records: Sequence[bytes], keys: Sequence[PublicKey]) -> bool:
    """Whether all of these are checkpoints of one log, signed by one of `keys`. False does not say which is not."""
    parts = [list(records[start : start + _NOTES]) for start in range(0, len(records), _NOTES)]
    pems = [key.pem for key in keys]
    try:
        origin = Checkpoint.parse_note(records[0]).origin
        jobs = [msgspec.msgpack.encode(_Task(notes=part, keys=pems, origin=origin)) for part in parts]
        for _ in _engine().map(PIECES, {}, jobs):
            pass
    except (SealwrightError, OSError):
        return False
    return True


def _engine() -> Compute:
    """On one core the pieces are read here, which still is quicker than line by line."""
    return Processes(cores()) if cores() > 1 else Serial()


def _join(walk: Walk, piece: _Piece) -> None:
    """Check that a piece follows what was walked so far, and take over its end."""
    if (piece.first, piece.previous) != (walk.index, walk.previous):
        raise VerificationFailed("A piece does not follow the one before.")
    if piece.begins < walk.at:
        if piece.begins_with != CLOCK_SET_BACK:
            raise VerificationFailed("A piece begins before the one before ended.")
        walk.remarks.append(f"entry {piece.first}: the clock was set back from {walk.at} to {piece.begins}")
    elif piece.begins_with.startswith("ledger."):
        walk.remarks.append(f"entry {piece.first}: {piece.begins_with} at {piece.begins}")
    walk.remarks += piece.remarks
    walk.attachments += piece.attachments
    walk.erased += piece.erased
    walk.previous, walk.at, walk.index = piece.last, piece.ends, piece.first + piece.count


def _grow(walk: Walk, piece: _Piece, start: int, end: int) -> int:
    if end > start:
        walk.add_leaves([piece.hashes[at : at + 32] for at in range(32 * start, 32 * end, 32)])
    return max(start, end)


def _in_order(jobs: Sequence[bytes]) -> Iterator[_Piece]:
    """The pieces in the order of the ledger, whichever worker is done first."""
    early: dict[int, bytes] = {}
    due = 0
    for position, answer in _engine().map(PIECES, {}, jobs):
        early[position] = answer
        while due in early:
            yield msgspec.msgpack.decode(early.pop(due), type=_Piece)
            due += 1


def _whole(path: Path) -> int:
    """Bytes up to and with the last newline."""
    with open_entries(path) as stream:
        end = stream.seek(0, os.SEEK_END)
        at = end
        while at > max(0, end - MOST_LINE_BYTES):
            start = max(0, at - (1 << 16))
            stream.seek(start)
            found = stream.read(at - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            at = start
    if at:
        raise VerificationFailed("The last line is longer than any entry.")
    return 0


def _tasks(path: Path, whole: int) -> Iterator[_Task]:
    """Pieces that begin and end with lines."""
    start = 0
    with open_entries(path) as stream:
        while start < whole:
            end = min(start + _PIECE_BYTES, whole)
            if end < whole:
                stream.seek(end - 1)
                end += len(stream.readline(MOST_LINE_BYTES)) - 1
            yield _Task(path=str(path), start=start, end=end)
            start = end


# ---- in a worker


def _prepare(_material: Material) -> Do:
    def do(job: bytes) -> bytes:
        task = msgspec.msgpack.decode(job, type=_Task)
        if task.notes:
            keys = [PublicKey.from_pem(pem) for pem in task.keys]
            for note in task.notes:
                open_checkpoint(note, keys, task.origin)
            return b""
        return msgspec.msgpack.encode(_read(Path(task.path), task.start, task.end))

    return do


def _read(path: Path, start: int, end: int) -> _Piece:
    """Check the lines of one piece as `Walk` does, from whatever its first entry says it follows."""
    with open_entries(path) as stream:
        stream.seek(start)
        data = stream.read(end - start)
    named = _INDEX.search(data, 0, data.find(b"\n") + 1)
    if len(data) != end - start or not data.endswith(b"\n") or named is None:
        raise VerificationFailed("This is no piece of a ledger.")
    first = index = int(named[1])
    lines = data.split(b"\n")
    lines.pop()
    opening = read_leaf(lines[0].partition(b"\t")[0], first)
    previous, at = opening.prev, opening.at
    hashes: list[bytes] = []
    remarks: list[str] = []
    attachments = erased = 0
    sha256 = hashlib.sha256
    for line in lines:
        text, tab, tail = line.partition(b"\t")
        leaf = read_leaf(text, index)
        if leaf.prev != previous or len(line) >= MOST_LINE_BYTES:
            raise VerificationFailed("An entry does not follow the one before.")
        if leaf.at < at:
            if leaf.action != CLOCK_SET_BACK:
                raise VerificationFailed("An entry is dated before the one before it.")
            remarks.append(f"entry {index}: the clock was set back from {at} to {leaf.at}")
        elif index > first and leaf.action.startswith("ledger."):
            remarks.append(f"entry {index}: {leaf.action} at {leaf.at}")
        check_attachment(leaf, tab + tail, index)
        if tab:
            attachments += not is_erased(tail)
            erased += is_erased(tail)
        previous, at = "sha256:" + sha256(text).hexdigest(), leaf.at
        hashes.append(sha256(b"\x00" + text).digest())
        index += 1
    return _Piece(
        first=first, count=index - first, previous=opening.prev, last=previous, begins=opening.at, ends=at,
        begins_with=opening.action, hashes=b"".join(hashes), attachments=attachments, erased=erased, remarks=remarks,
    )  # fmt: skip


PIECES = Work(module="sealwright.trust.ledger_pieces", prepare=_prepare)
"""One job: the lines of a piece, or the signatures of some checkpoints."""

if __name__ == "__main__":
    serve(PIECES.prepare)
