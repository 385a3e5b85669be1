"""Going through a ledger's entries once, in order, and stopping at the first that is not what was signed."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from sealwright.kernel import VerificationFailed
from sealwright.trust.ledger_entry import FIRST_PREVIOUS, check_attachment, is_erased, read_leaf
from sealwright.trust.ledger_file import lines_of
from sealwright.trust.merkle import Frontier
from sealwright.trust.notes import Checkpoint, open_checkpoint
from sealwright.trust.public_keys import PublicKey

__all__ = ["CLOCK_SET_BACK", "WITNESSED", "Heads", "Walk", "first_broken_link"]

CLOCK_SET_BACK = "ledger.clock_set_back"  # the only action whose entry may be earlier than the one before it
WITNESSED = "witnessed checkpoint"

_CHUNK = 4096  # entries hashed into the tree at once


def first_broken_link(entries: Path, heads: Sequence[Checkpoint]) -> VerificationFailed:
    """The failure that names the first place where `entries` departs from the verified `heads`."""
    known = Heads((), None)
    for head in heads:
        known.roots[head.size] = (head.root, "checkpoint")
    try:
        Walk(lines_of(entries), known).to_the_end()
    except VerificationFailed as error:
        return error
    return VerificationFailed("The ledger's entries changed while they were read. Open it again.", link="entries.log")


# ---- the checkpoints


class Heads:
    """The roots the tree must have, by size. The same size with another root is a fork."""

    def __init__(self, keys: Sequence[PublicKey], origin: str | None) -> None:
        self._keys, self._origin = keys, origin
        self.roots: dict[int, tuple[bytes, str]] = {}
        self.witnessed: list[int] = []
        self.largest = Checkpoint("", -1, b"")

    def add_record(self, note: bytes, place: int, *, signed: bool) -> None:
        """Take the record at `place` of checkpoints.log."""
        head = self.add(note, f"checkpoint {place}", signed=signed)
        if head.size < self.largest.size:
            raise VerificationFailed(
                f"Checkpoint {place} stands after one for {self.largest.size} entries: they are out of order.",
                link=f"checkpoint {place}",
            )
        self.largest = head

    def add(self, note: bytes, label: str, *, signed: bool = True) -> Checkpoint:
        try:
            head = open_checkpoint(note, self._keys, self._origin) if signed else Checkpoint.parse_note(note)
        except VerificationFailed as error:
            raise VerificationFailed(f"The {label} of the ledger does not hold: {error}", link=label) from None
        self._origin = self._origin or head.origin
        if head.origin != self._origin:
            raise VerificationFailed(f"The {label} belongs to another log, {head.origin[:200]!r}.", link=label)
        known, first = self.roots.setdefault(head.size, (head.root, label))
        if known != head.root:
            raise VerificationFailed(
                f"Two checkpoints for {head.size} entries have different roots ({first}, {label}): the history was forked.",
                link=f"{label} at size {head.size}",
            )
        return head


# ---- the entries


class Walk:
    """Goes through the entries once, in order, and raises at the first that does not fit."""

    def __init__(self, lines: Iterable[bytes], heads: Heads) -> None:
        self._lines = iter(lines)
        self._heads = heads
        self._frontier = Frontier()
        self.previous, self.at = FIRST_PREVIOUS, ""  # digest and time of the last entry
        self._waiting: list[bytes] = []  # leaf hashes not yet in the tree
        self._confirmed = 0  # entries whose root was signed
        self.index = 0
        self.attachments = self.erased = 0
        self.torn = 0
        self.remarks: list[str] = []

    def to_the_end(self) -> None:
        sizes = sorted(self._heads.roots)
        for size in sizes:
            while self.index < size:
                if not self._take():
                    raise self._cut_off(size)
            self.compare(size)
        while self._take():
            pass

    def _take(self) -> bool:
        """Read one entry; False at the end."""
        line = next(self._lines, b"")
        if not line.endswith(b"\n"):
            self.torn = len(line)
            return False
        index, line = self.index, line[:-1]
        text, tab, tail = line.partition(b"\t")
        leaf = read_leaf(text, index)
        if leaf.prev != self.previous:
            guilty = index if self._confirmed == index else index - 1
            raise VerificationFailed(
                f"Entry {index} names another predecessor than the entry before it: entry {guilty} was changed.",
                link=f"entry {guilty}",
            )
        if leaf.at < self.at:
            if leaf.action != CLOCK_SET_BACK:
                raise VerificationFailed(f"Entry {index} is dated before entry {index - 1}.", link=f"entry {index}")
            self.remarks.append(f"entry {index}: the clock was set back from {self.at} to {leaf.at}")
        elif leaf.action.startswith("ledger."):
            self.remarks.append(f"entry {index}: {leaf.action} at {leaf.at}")
        check_attachment(leaf, tab + tail, index)
        if tab:
            self.attachments += not is_erased(tail)
            self.erased += is_erased(tail)
        self.previous, self.at = "sha256:" + hashlib.sha256(text).hexdigest(), leaf.at
        self._waiting.append(hashlib.sha256(b"\x00" + text).digest())
        self.index += 1
        if len(self._waiting) == _CHUNK:
            self._settle()
        return True

    def _settle(self) -> None:
        if self._waiting:
            self._frontier = self._frontier.extend(self._waiting).frontier()
            self._waiting.clear()

    def add_leaves(self, hashes: Sequence[bytes]) -> None:
        """Grow the tree by leaf hashes of entries that were checked elsewhere (`ledger_pieces`)."""
        self._frontier = self._frontier.extend(hashes).frontier()

    def compare(self, size: int) -> None:
        """Raise unless the tree as it is has the root that was signed for `size` entries."""
        self._settle()
        root, label = self._heads.roots[size]
        if self._frontier.root() == root:
            self._confirmed = size
            return
        if label == WITNESSED:
            raise VerificationFailed(
                f"A checkpoint kept elsewhere signed another history of the first {size} entries: the ledger was "
                f"rewritten or forked between entries {self._confirmed} and {size - 1}.",
                link=f"witnessed checkpoint at size {size}",
            )
        first, last = self._confirmed, size - 1
        link = f"entry {last}" if first == last else f"entries {first} to {last}"
        raise VerificationFailed(f"The {label} signed something else for {link}: changed since.", link=link)

    def _cut_off(self, size: int) -> VerificationFailed:
        label = self._heads.roots[size][1]
        link = f"{label} at size {size}" if label == WITNESSED else f"entry {self.index}"
        return VerificationFailed(
            f"The ledger ends before entry {self.index}, but a {label} was signed for {size} entries: "
            "its end was cut off or an older state was restored.",
            link=link,
        )
