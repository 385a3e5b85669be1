"""What a shadow would have answered, beside what was answered: sealed, one ledger entry for each decision that was copied.

Answers: do the two agree on each row, and by how much do their scores differ?
Does not answer: which is right. Nobody was answered by the shadow.

Like the decision's own record it is readable with the workspace's decision key only, and is erased with it; the entry in
clear holds the decision's id, the arm and how it went.
"""

import msgspec

from sealwright.kernel import InvalidInput, VerificationFailed
from sealwright.serving.place_sealing import PlaceSealer, opened_at_its_place
from sealwright.serving.told import Told
from sealwright.trust import Entry, LedgerEntry

__all__ = ["SHADOW", "ShadowRecord", "ShadowSealer", "read_shadow"]

SHADOW = "shadow"
"""The action of a shadow's ledger entry."""


class ShadowRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One decision, answered twice."""

    decision: str
    project: str
    arm: str
    number: int
    package: str  # the shadow's
    sequence: int
    answered_by: str  # package whose answer was given
    told: list[Told]  # that answer, row by row
    shadow: list[Told] = []  # nothing where the shadow failed
    failed: str = ""  # "refused": outside its contract; "failed": it could not run
    milliseconds: float = 0.0  # reading, packing and running

    @property
    def agreed(self) -> int:
        """Rows with the same label, or the same value to six digits."""
        return sum(_same(one, other) for one, other in zip(self.told, self.shadow, strict=False))


class ShadowSealer:
    """Makes the entries of one day, with one key."""

    def __init__(self, key: bytes, project: str, place: str) -> None:
        """`place`: channel and day, as "live/2026-11-27"."""
        self._sealer = PlaceSealer(key, "shadow", project, place)

    def entry(self, record: ShadowRecord) -> Entry:
        sealed = self._sealer.seal(_ENCODER.encode(record), record.decision)
        detail = {
            "arm": record.arm,
            "decision": record.decision,
            "model": record.project,
            "outcome": record.failed or "compared",
        }
        return Entry(action=SHADOW, subject=record.package, detail=detail, attachment=sealed, actor="predict")


def read_shadow(entry: LedgerEntry, *keys: bytes) -> ShadowRecord:
    """Open what an entry holds, and check that it is what the entry speaks of.

    Parameters
    ----------
    keys : bytes
        As for `read_decision`: of each version there is, the newest first.

    Raises
    ------
    InvalidInput
        Not such an entry, or its record was erased.
    VerificationFailed
        It does not open, or does not match the entry.
    """
    if entry.action != SHADOW or entry.attachment is None:
        raise InvalidInput(f"Entry {entry.index} holds no record of a shadow; it may have been erased.")
    said = entry.detail
    project, decision = str(said.get("model", "")), str(said.get("decision", ""))
    link = f"entry {entry.index}"
    try:
        plain = opened_at_its_place(entry.attachment, keys, kind="shadow", project=project, name=decision)
        record = _DECODER.decode(plain)
    except msgspec.MsgspecError:
        raise VerificationFailed("The record of a shadow cannot be read.", link=link) from None
    told = (record.decision, record.project, record.arm, record.package)
    if told != (said.get("decision"), said.get("model"), said.get("arm"), entry.subject):
        raise VerificationFailed("The record of a shadow and its ledger entry do not agree.", link=link)
    return record


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(ShadowRecord)


def _same(one: Told, other: Told) -> bool:
    if one.value is not None and other.value is not None:
        return abs(one.value - other.value) <= 1e-6 * max(1.0, abs(one.value))
    return one.label == other.label
