"""What the signer must not forget about certificates: when the last one ends that each CA of ours signed.

Until then the key of a CA that was replaced is kept, to sign its revocation lists; afterwards it is destroyed.
"""

from datetime import datetime
from pathlib import Path

import msgspec

from sealwright.kernel import from_rfc3339, rfc3339
from sealwright.trust.signing.memory_file import MemoryFile

__all__ = ["CertificateMemory"]

_MOST_BYTES = 1 << 20


class Issued(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The file: by key id of a CA, when the last of its certificates ends."""

    format: int = 1
    ends: dict[str, str] = {}


class CertificateMemory:
    """The file `certificates.json` in a private folder."""

    def __init__(self, folder: Path) -> None:
        self._file = MemoryFile(
            folder,
            "certificates",
            Issued,
            most_bytes=_MOST_BYTES,
            danger="a CA could be ended while its certificates still hold",
        )

    def remember(self, key_id: str, ends: datetime) -> None:
        """On disk before this returns: this CA signed a certificate that ends then. Raises as `MemoryFile.change`."""
        with self._file.change() as kept:
            known = kept.ends.get(key_id)
            if known is None or from_rfc3339(known) < ends:
                kept.ends[key_id] = rfc3339(ends)

    def ends(self, key_id: str) -> datetime | None:
        """When the last certificate of this CA ends; None where it signed none. Raises as `MemoryFile.read`."""
        found = self._file.read().ends.get(key_id)
        return None if found is None else from_rfc3339(found)
