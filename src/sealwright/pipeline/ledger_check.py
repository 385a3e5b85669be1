"""A ledger and its anchors, verified together: whole, signed, and the one that others were shown.

Answers: does this ledger hold, and do witnesses, authorities and checkpoints kept elsewhere agree with it?
Does not answer: is what the entries say true?
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sealwright.kernel import Progress, VerificationFailed, rfc3339, silent
from sealwright.trust import (
    AnchorStore,
    Checkpoint,
    LedgerReport,
    PublicKey,
    TimestampAuthority,
    TrustRoot,
    WitnessPolicy,
    check_anchors,
    verify_ledger,
)

__all__ = ["LedgerChecked", "check_ledger", "keys_of_log"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerChecked:
    """What held."""

    report: LedgerReport
    cosigned: int = 0  # entries that enough witnesses have seen
    cosigned_at: datetime | None = None
    stamped_at: datetime | None = None
    against: Sequence[int] = field(default=())  # sizes of the checkpoints that were kept elsewhere

    def to_json(self) -> dict[str, Any]:
        report = self.report
        return {
            "log": report.origin,
            "entries": report.size,
            "root": report.root,
            "checkpoints": report.checkpoints,
            "cosigned": self.cosigned,
            "cosigned_at": rfc3339(self.cosigned_at) if self.cosigned_at else None,
            "stamped_at": rfc3339(self.stamped_at) if self.stamped_at else None,
            "against": list(self.against),
            "checked": report.checked,
            "not_checked": report.not_checked,
            "remarks": report.remarks,
        }


def check_ledger(
    folder: Path,
    trust_root: TrustRoot,
    *,
    now: datetime,
    against: Sequence[bytes] = (),
    policy: WitnessPolicy | None = None,
    authorities: Sequence[TimestampAuthority] = (),
    most_age: timedelta | None = None,
    every_signature: bool = True,
    progress: Progress = silent,
) -> LedgerChecked:
    """Verify the ledger in `folder` with everything the reader brings. Needs no key and no workspace.

    Parameters
    ----------
    against : sequence of bytes
        Checkpoints of it that were kept elsewhere.
    policy, authorities, most_age
        As `check_anchors`.

    Raises
    ------
    VerificationFailed
        Something does not hold; `link` names the first.
    """
    origin, keys = keys_of_log(folder, trust_root)
    anchored = check_anchors(
        AnchorStore(folder), keys, origin, policy=policy, authorities=authorities, now=now, most_age=most_age
    )
    report = verify_ledger(
        folder,
        keys,
        origin,
        witnessed=[*against, *anchored.witnessed],
        every_signature=every_signature,
        progress=progress,
    )
    return LedgerChecked(
        report=replace(report, checked=[*report.checked, *anchored.checked]),
        cosigned=anchored.cosigned.size if anchored.cosigned else 0,
        cosigned_at=anchored.cosigned_at,
        stamped_at=anchored.stamped_at,
        against=[Checkpoint.parse_note(note).size for note in against],
    )


def keys_of_log(folder: Path, trust_root: TrustRoot) -> tuple[str, tuple[PublicKey, ...]]:
    """Which log lies in `folder` by its own word, and the keys that may sign for it.

    Raises
    ------
    VerificationFailed
        It has no checkpoint, or names a log this workspace does not have.
    """
    try:
        with (folder / "checkpoints.log").open("rb") as stream:
            origin = stream.readline(1024).rstrip(b"\n").decode()
    except (OSError, UnicodeDecodeError):
        raise VerificationFailed(
            f"{folder / 'checkpoints.log'} is missing or unreadable: this is not a whole ledger.",
            link="checkpoints.log",
        ) from None
    prefix = f"sealwright/{trust_root.workspace}/"
    if origin == f"{prefix}ledger":
        return origin, trust_root.keys_of("checkpoints")
    if origin.startswith(f"{prefix}decisions/"):
        return origin, trust_root.keys_of("decision-checkpoints")
    raise VerificationFailed(
        f"The log in {folder} calls itself {origin[:100]!r}; {trust_root.workspace} has no such log.",
        link="checkpoints.log",
    )
