"""The list of revoked keys on disk, and the mark of the highest one ever seen here.

The list lies open beside the packages (key-revocations.json), for whoever serves or verifies; the mark lies with the
keys. A list that is missing or older than the mark is refused: nobody can take a revocation back by removing a file.
Restoring both from one old backup passes here; the ledger, where every revocation is an entry, shows it.
"""

from datetime import datetime
from pathlib import Path

from sealwright.kernel import InvalidInput, VerificationFailed, read_limited, write_atomically
from sealwright.trust.key_revocation import KeyRevocations, no_revocations, verify_key_revocations
from sealwright.trust.trust_root import TrustRoot

__all__ = ["KEY_LIST", "KeyListFile"]

KEY_LIST = "key-revocations.json"
_MARK = "revocations.mark"
_MOST_BYTES = 1 << 20


class KeyListFile:
    """The list of one workspace."""

    def __init__(self, home: Path) -> None:
        self._file, self._mark = home / KEY_LIST, home / "keys" / _MARK

    def read(self, trust_root: TrustRoot, *, now: datetime) -> KeyRevocations:
        """The list, not older than the highest seen; empty where nothing was ever revoked.

        Raises
        ------
        VerificationFailed, KeyListOlder
            It is missing, older, or not signed by the authority of this workspace.
        """
        seen = self._seen()
        if not self._file.exists() and seen == 0:
            return no_revocations(now)
        try:
            data = read_limited(self._file, _MOST_BYTES)
        except InvalidInput as error:
            raise VerificationFailed(
                f"List {seen} of revoked keys was seen here and cannot be read: {error}\nRestore {KEY_LIST}.",
                link=KEY_LIST,
            ) from None
        found = verify_key_revocations(data, trust_root, at_least=seen)
        if found.sequence > seen:
            write_atomically(self._mark, str(found.sequence).encode())
        return found

    def put(self, data: bytes, trust_root: TrustRoot) -> KeyRevocations:
        """Put a newer list in place; the mark follows it.

        Raises
        ------
        VerificationFailed, KeyListOlder
            As `read`; nothing was changed.
        """
        found = verify_key_revocations(data, trust_root, at_least=self._seen())
        write_atomically(self._file, data, mode=0o644)
        write_atomically(self._mark, str(found.sequence).encode())
        return found

    def _seen(self) -> int:
        if not self._mark.exists():
            return 0
        text = read_limited(self._mark, 32).decode("ascii", "replace")
        if not text.isdecimal():
            raise VerificationFailed(
                f"keys/{_MARK} does not hold a number. Restore the keys folder.", link=f"keys/{_MARK}"
            )
        return int(text)
