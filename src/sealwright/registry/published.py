"""The files that serving processes watch: one pointer per channel, one revocation list.

Answers: do they hold the newest signed bytes, and if not, may they be brought up to date?
Does not answer: what is newest. The database says, after it was compared with the ledger.
A file never goes back: one that is newer than the database means that the database is an old copy.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from sealwright.engines import Row
from sealwright.kernel import InvalidInput, VerificationFailed, private_folder, read_limited, write_atomically
from sealwright.registry.pointer import read_pointer, verify_revocations
from sealwright.registry.recovery import DatabaseOlder
from sealwright.trust import TrustRoot, verify_statement

__all__ = ["Published"]

_MOST_POINTER = 1 << 20  # bytes
_MOST_LIST = 16 << 20


class Published:
    """The pointer files and the revocation list of one home."""

    def __init__(self, home: Path, trust_root: TrustRoot) -> None:
        self._pointers, self._list, self._trust_root = home / "pointers", home / "revocations.json", trust_root

    def pointer(self, project: str, channel: str) -> bytes:
        """The published pointer of a place.

        Raises
        ------
        VerificationFailed
            There is none, though something was promoted there.
        """
        path = self._path(project, channel)
        if not path.is_file() or path.is_symlink():
            raise VerificationFailed(
                f"The pointer file of {project}/{channel} is missing. Promote the version again.", link="pointer"
            )
        return read_limited(path, _MOST_POINTER)

    def put_pointers(self, newest: Sequence[Row], *, behind: bool, repaired: Callable[[str], None]) -> None:
        """Bring every pointer file to the newest pointer of its place.

        Parameters
        ----------
        newest : rows
            Of `store.newest_pointers`.
        behind : bool
            True where the last change may not have reached the files yet, so that they may be one step old.
        repaired : callable
            Told the name of a file that held something it should not have held, before it is replaced.

        Raises
        ------
        DatabaseOlder
            A file is newer than the database.
        VerificationFailed
            A file holds another pointer with the same sequence.
        """
        for row in newest:
            path = self._path(row["project"], row["channel"])
            private_folder(path.parent)
            wanted, sequence = row["envelope"].encode("utf-8"), row["sequence"]
            found = self._found(path, _MOST_POINTER)
            if found == wanted:
                continue
            there = self._sequence(found, lambda data: read_pointer(data, self._trust_root).sequence)
            self._compare(f"{row['project']}/{row['channel']}", there, sequence)
            if not (behind and self._is_before(found, wanted)):
                repaired(f"pointers/{row['project']}/{row['channel']}.json")
            write_atomically(path, wanted)

    def put_revocations(
        self, envelope: bytes, sequence: int, *, behind: bool, first: bool, repaired: Callable[[str], None]
    ) -> None:
        """Bring the revocation list to `envelope`. An empty list that is there already stays, and so does the same list:
        unless another key signs releases now. Then it is signed anew, for who no longer believes the old one.

        Parameters
        ----------
        first : bool
            True before anything was ever published, when there is no list yet.
        Others
            As `put_pointers`.

        Raises
        ------
        DatabaseOlder, VerificationFailed
            As `put_pointers`.
        """
        found = self._found(self._list, _MOST_LIST)
        if found == envelope:
            return
        there = self._sequence(found, lambda data: verify_revocations(data, self._trust_root).sequence)
        if found is not None and there == sequence and (sequence == 0 or self._same(found, envelope)):
            if not self._by_the_key_in_use(found):
                write_atomically(self._list, envelope)
            return
        self._compare("revocations", -1 if found is None else there, sequence)
        if not (first and found is None) and not (behind and found is not None and there == sequence - 1):
            repaired("revocations.json")
        write_atomically(self._list, envelope)

    def _same(self, found: bytes, envelope: bytes) -> bool:
        """Whether two verified lists are one statement, whoever signed it."""
        return len({verify_revocations(data, self._trust_root).digest for data in (found, envelope)}) == 1

    def _by_the_key_in_use(self, data: bytes) -> bool:
        try:
            verify_statement(data, [self._trust_root.in_use("releases")])
        except VerificationFailed:
            return False
        return True

    def _path(self, project: str, channel: str) -> Path:
        return self._pointers / project / f"{channel}.json"

    def _found(self, path: Path, most: int) -> bytes | None:
        """What is there; None for nothing. A link or something huge counts as damage, which is replaced."""
        if not path.is_symlink() and not path.exists():
            return None
        try:
            return read_limited(path, most)
        except InvalidInput:
            return b""

    def _sequence(self, data: bytes | None, read: Callable[[bytes], int]) -> int:
        """The sequence of signed bytes; 0 for nothing, -1 for bytes that do not verify."""
        if data is None:
            return 0
        try:
            return read(data)
        except VerificationFailed:
            return -1

    def _is_before(self, found: bytes | None, wanted: bytes) -> bool:
        """Whether a file holds what stood before `wanted`, signed; nothing before the first."""
        previous = read_pointer(wanted, self._trust_root).previous
        if found is None or previous is None:
            return found is None and previous is None
        try:
            return read_pointer(found, self._trust_root).digest == previous
        except VerificationFailed:
            return False

    def _compare(self, place: str, there: int, sequence: int) -> None:
        if there > sequence:
            raise DatabaseOlder(
                f"The published file of {place} has sequence {there}, the database ends at {sequence}: an old database was put back.\n"
                "Restore the newest database; nothing is changed until then.",
                link="database",
            )
        if there == sequence and sequence > 0:
            raise VerificationFailed(
                f"Two different statements with sequence {sequence} exist for {place}; one of them is a fork.\n"
                "Somebody else may hold the release key. Compare both, and rotate the key.",
                link="pointer",
            )
