"""Checking a ledger from outside: with its files, its public keys and nothing else.

Answers: is this the history that was signed, entry by entry, and if not, where does it first break?
Does not answer: is what the entries say true, and is this the history that others were shown? For the second, compare
with a checkpoint that was kept elsewhere (`witnessed`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sealwright.kernel import InvalidInput, Progress, Refused, VerificationFailed, read_limited, silent
from sealwright.trust.ledger_file import LedgerPaths, checkpoint_records, lines_of
from sealwright.trust.ledger_pieces import GaveUp, notes_hold, walk_pieces
from sealwright.trust.ledger_walk import WITNESSED, Heads, Walk
from sealwright.trust.merkle import verify_consistency
from sealwright.trust.notes import Checkpoint, open_checkpoint
from sealwright.trust.public_keys import PublicKey

__all__ = ["LedgerReport", "verify_extension", "verify_ledger"]

_MOST_CHECKPOINT = 256 * 1024
_LARGE_BYTES, _MANY_RECORDS = 32 << 20, 5000  # from here on it pays to start workers (0.4 s)


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What was found out about a ledger, and what was not.

    `size` entries are covered by the newest checkpoint; `root` is that checkpoint's, in hex.
    """

    size: int
    root: str
    checkpoints: int
    origin: str
    checked: list[str]
    not_checked: list[str]
    remarks: list[str] = field(default_factory=list)  # allowed, but worth a look: recoveries, a clock set back


def verify_ledger(
    ledger: Path | Mapping[str, bytes],
    keys: Sequence[PublicKey],
    origin: str | None = None,
    *,
    witnessed: Sequence[bytes] = (),
    every_signature: bool = True,
    workers: bool | None = None,
    progress: Progress = silent,
) -> LedgerReport:
    """Check a whole ledger: every entry, the chain, every checkpoint, every attachment.

    Parameters
    ----------
    ledger : Path or mapping
        Its folder, or the bytes of "entries.log", "checkpoints.log" and, if there, "checkpoint".
    keys : sequence of PublicKey
        Keys that may sign its checkpoints: `TrustRoot.keys_of("checkpoints")`.
    origin : str, optional
        The log that is expected; by default the one its checkpoints name.
    witnessed : sequence of bytes
        Signed checkpoints of the same log that were kept elsewhere. They must be part of this history.
    every_signature : bool
        False checks the signature of the newest checkpoint only (the roots of all are still compared).
    workers : bool, optional
        Whether worker processes help; left out: for a large folder. The outcome is the same.

    Raises
    ------
    VerificationFailed
        Something does not hold; `link` names the first broken link, such as "entry 17".
    Refused
        `keys` is empty: nothing would be verified.

    Notes
    -----
    About 9 us an entry and 0.1 ms a checkpoint, shared by the cores there are. Memory does not grow with the entries, but with the checkpoints
    (about 0.7 kB each).
    """
    if not keys:
        raise Refused("No key to verify with was given, so nothing can be verified. Pass the ledger's public keys.")
    # (1) The checkpoints: well formed, one log, signed, none contradicting another.
    files = _files(ledger)
    records, torn = checkpoint_records(files.checkpoints)
    if not records:
        raise VerificationFailed("The ledger has no checkpoint, so nothing in it is signed.", link="checkpoints.log")
    heads = Heads(keys, origin)
    shared = _share(ledger, len(records), workers)
    progress("reading the checkpoints", 0.0)
    known_good = shared and every_signature and notes_hold(records, keys)
    for place, record in enumerate(records):
        heads.add_record(record, place, signed=not known_good and (every_signature or place == len(records) - 1))
    newest, after = heads.largest, len(records)
    if files.checkpoint is not None and heads.add(files.checkpoint, "checkpoint").size > newest.size:
        raise VerificationFailed(
            "The file checkpoint is newer than all of checkpoints.log: records were removed from its end.",
            link="checkpoints.log",
        )
    for note in witnessed:
        heads.witnessed.append(heads.add(note, WITNESSED).size)
    # (2) The entries: each canonical, numbered, chained, and the tree over them the one that was signed.
    walk = _walk(ledger, files, heads, progress, shared=shared)
    # (3) What that amounts to.
    signed = after if every_signature else 1
    checked = [
        f"{newest.size:,} entries are canonical JSON, numbered without a gap, each naming the digest of the one before",
        f"{after:,} checkpoints of {newest.origin}: the root of each is that of the tree at its size, so none contradicts another",
        f"{signed:,} checkpoint signatures by {len(keys)} trusted key(s)",
        f"{walk.attachments:,} attachments have the digest their entry names",
    ]
    checked += [f"the history contains the checkpoint kept elsewhere for {size:,} entries" for size in heads.witnessed]
    return LedgerReport(
        size=newest.size,
        root=newest.root.hex(),
        checkpoints=after,
        origin=newest.origin,
        checked=checked,
        not_checked=_not_checked(walk, newest, heads.witnessed, after - signed, torn),
        remarks=walk.remarks,
    )


def verify_extension(
    old: bytes, new: bytes, path: Sequence[bytes], keys: Sequence[PublicKey], origin: str | None
) -> tuple[Checkpoint, Checkpoint]:
    """Check that the signed checkpoint `new` only added entries to `old` (what a witness does before it cosigns).

    Raises
    ------
    VerificationFailed
        One is not signed by `keys` for `origin`, or their histories differ: a fork.
    """
    before = open_checkpoint(old, keys, origin)
    after = open_checkpoint(new, keys, before.origin)
    verify_consistency(before.size, after.size, path, before.root, after.root)
    return before, after


# ---- alone or with workers


def _share(ledger: Path | Mapping[str, bytes], records: int, workers: bool | None) -> bool:
    if isinstance(ledger, Mapping):
        return False
    if workers is not None:
        return workers
    entries = LedgerPaths(ledger).entries
    large = entries.exists() and entries.stat().st_size >= _LARGE_BYTES
    return large or records >= _MANY_RECORDS


def _walk(
    ledger: Path | Mapping[str, bytes], files: "_Files", heads: Heads, progress: Progress, *, shared: bool
) -> Walk:
    """Go through the entries to the end, or raise at the first that does not fit."""
    if shared and isinstance(ledger, Path):
        try:
            return walk_pieces(LedgerPaths(ledger).entries, heads, progress)
        except GaveUp:
            progress("looking for where it breaks", 0.0)
    walk = Walk(files.entries, heads)
    walk.to_the_end()
    return walk


# ---- the files


@dataclass(frozen=True, slots=True)
class _Files:
    entries: Iterable[bytes]
    checkpoints: bytes
    checkpoint: bytes | None


def _files(ledger: Path | Mapping[str, bytes]) -> _Files:
    if isinstance(ledger, Mapping):
        for name in ("entries.log", "checkpoints.log"):
            if name not in ledger:
                raise VerificationFailed(f"{name} is missing: this is not a whole ledger.", link=name)
        return _Files(_split_lines(ledger["entries.log"]), ledger["checkpoints.log"], ledger.get("checkpoint"))
    paths = LedgerPaths(ledger)
    try:
        # The checkpoints first: a ledger that is being written may grow, and more entries than checkpoints is honest.
        newest = read_limited(paths.checkpoint, _MOST_CHECKPOINT) if paths.checkpoint.exists() else None
        data = paths.checkpoints.read_bytes()
    except FileNotFoundError:
        raise VerificationFailed(
            f"{paths.checkpoints} is missing: not a whole ledger.", link="checkpoints.log"
        ) from None
    except InvalidInput as error:
        raise VerificationFailed(str(error), link="checkpoint") from None
    return _Files(lines_of(paths.entries), data, newest)


def _split_lines(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        end = data.find(b"\n", at) + 1 or len(data)
        yield data[at:end]
        at = end


def _not_checked(
    walk: Walk, newest: Checkpoint, witnessed: Sequence[int], unsigned_checkpoints: int, torn: int
) -> list[str]:
    lines = []
    if not witnessed:
        lines.append(
            "whether the end was removed together with its checkpoints, or others were shown another history: "
            "no checkpoint kept elsewhere was given to compare with"
        )
    elif max(witnessed) < newest.size:
        lines.append(
            f"whether others were shown another history after entry {max(witnessed) - 1}: nothing witnessed it"
        )
    if walk.index > newest.size:
        lines.append(f"entries {newest.size} to {walk.index - 1}: chained, but no checkpoint covers them yet")
    if walk.torn:
        lines.append(f"{walk.torn:,} bytes of an unfinished entry at the end; opening the ledger cuts and records them")
    if torn:
        lines.append(f"{torn:,} bytes of an unfinished checkpoint at the end of checkpoints.log")
    if unsigned_checkpoints:
        lines.append(f"the signatures of {unsigned_checkpoints:,} older checkpoints (their roots were compared)")
    if walk.erased:
        lines.append(f"{walk.erased:,} erased attachments, or moved ones: here only their digests remain")
    return [*lines, "whether what the entries say is true, and what sealed attachments contain"]
