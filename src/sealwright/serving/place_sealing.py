"""What stands sealed beside entries of a decision ledger, and which key opens it.

A record is sealed under a key of its kind, project, channel and day, because one key may seal 2**32 records and no more
(NIST SP 800-38D, section 8.3). Channel and day stand in front of it: "live/2026-11-22", a newline, the record.
"""

import contextlib
from collections.abc import Sequence

from sealwright.kernel import VerificationFailed
from sealwright.trust import RecordSealer, derive_key, open_sealed

__all__ = ["PlaceSealer", "opened_at_its_place"]

_LONGEST_PLACE = 128  # bytes: a channel of 64, a day, a newline


class PlaceSealer:
    """Seals records of one kind ("decision", "shadow", …) of one project, channel and day."""

    __slots__ = ("_head", "_sealer")

    def __init__(self, key: bytes, kind: str, project: str, place: str) -> None:
        """`place`: channel and day, as "live/2026-11-27"."""
        self._head = place.encode() + b"\n"
        self._sealer = RecordSealer(_key_of(key, kind, project, place))

    def seal(self, plain: bytes, name: str) -> bytes:
        """The attachment; `name` is the id that its entry names."""
        (sealed,) = self.seal_all([plain], [name])
        return sealed

    def seal_all(self, plain: Sequence[bytes], names: Sequence[str]) -> list[bytes]:
        """The attachments of several entries, each with its name."""
        head = self._head
        sealed = self._sealer.seal_all(plain, aads=[head + name.encode() for name in names])
        return [head + one for one in sealed]


def opened_at_its_place(attachment: bytes, keys: Sequence[bytes], *, kind: str, project: str, name: str) -> bytes:
    """What `PlaceSealer.seal` sealed, by whichever key sealed it: the record does not say.

    Parameters
    ----------
    keys : sequence of bytes
        keyring.key("decisions", DECISION_KEY_PURPOSE) of each version there is, the newest first.

    Raises
    ------
    VerificationFailed
        None of them opens it.
    """
    place, newline, sealed = attachment[:_LONGEST_PLACE].partition(b"\n")
    sealed += attachment[_LONGEST_PLACE:]
    where, aad = place.decode("ascii", "replace"), place + newline + name.encode()
    derived = [_key_of(key, kind, project, where) for key in keys]
    for key in derived[:-1]:
        with contextlib.suppress(VerificationFailed):
            return open_sealed(key, sealed, aad=aad)
    return open_sealed(derived[-1], sealed, aad=aad)


def _key_of(key: bytes, kind: str, project: str, place: str) -> bytes:
    return derive_key(key, info=f"sealwright {kind} record/{project}/{place}".encode())
