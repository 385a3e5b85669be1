"""Do the anchors of a ledger hold, and what do they show? Offline, with the keys and certificates the reader brings.

Answers: which checkpoints did witnesses I trust cosign, and which did an authority I trust stamp, and when?
Does not answer: are the entries those checkpoints were over? Hand `witnessed` to `verify_ledger`, which compares.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sealwright.kernel import VerificationFailed, rfc3339
from sealwright.trust.notes import Checkpoint, open_checkpoint
from sealwright.trust.public_keys import PublicKey
from sealwright.trust.witness.anchor_store import AnchorStore
from sealwright.trust.witness.cosignature import Cosigned, WitnessPolicy, cosignatures_of
from sealwright.trust.witness.timestamps import TimestampAuthority, verify_timestamp

__all__ = ["Anchored", "check_anchors"]


@dataclass(slots=True)
class Anchored:
    """What the anchors of one ledger amount to."""

    witnessed: list[bytes] = field(default_factory=list)  # checkpoints for `verify_ledger`
    checked: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    cosigned: Checkpoint | None = None  # the largest the policy is satisfied with
    cosigned_at: datetime | None = None
    stamped_at: datetime | None = None  # of the largest stamped checkpoint


def check_anchors(
    store: AnchorStore,
    keys: Sequence[PublicKey],
    origin: str,
    *,
    policy: WitnessPolicy | None,
    authorities: Sequence[TimestampAuthority] = (),
    now: datetime,
    most_age: timedelta | None = None,
) -> Anchored:
    """Verify what lies beside a ledger.

    Parameters
    ----------
    keys : sequence of PublicKey
        That may sign for the log `origin`.
    policy : WitnessPolicy, optional
        How many of which witnesses must have cosigned some checkpoint; left out: cosignatures are not looked at.
    authorities : sequence of TimestampAuthority
        Whose time stamps count; each that is named must have stamped some checkpoint.
    most_age : timedelta, optional
        How old the newest word of an anchor may be: against a ledger frozen at an old state.

    Raises
    ------
    VerificationFailed
        Too few witnesses, no time stamp, one that does not hold, or none that is new enough.
    """
    found = Anchored()
    if policy is not None:
        _cosignatures(store, keys, origin, policy, now, found)
    for authority in authorities:
        _stamps(store, keys, origin, authority, found)
    newest = max((at for at in (found.cosigned_at, found.stamped_at) if at is not None), default=None)
    if most_age is not None and (newest is None or now - newest > most_age):
        raise VerificationFailed(
            f"The newest word of an anchor is of {rfc3339(newest) if newest else 'never'}; asked for is one of the last "
            f"{most_age.total_seconds() / 3600:g} hours. The ledger may be an old state.",
            link="anchors",
        )
    return found


def _cosignatures(
    store: AnchorStore, keys: Sequence[PublicKey], origin: str, policy: WitnessPolicy, now: datetime, found: Anchored
) -> None:
    notes = [note for note in store.cosigned() if cosignatures_of(note, policy.keys)]
    heads = [open_checkpoint(note, keys, origin) for note in notes]
    found.witnessed += notes
    failed: VerificationFailed | None = None
    for note, head in zip(notes, heads, strict=True):
        try:
            said = policy.check(note, now=now)
        except VerificationFailed as error:
            failed = failed or error
            continue
        found.cosigned, found.cosigned_at = head, said[-policy.need].at  # so many have said so since
        found.checked.append(_words(said, policy, head))
        return
    raise failed or VerificationFailed(
        "No checkpoint of this ledger carries a cosignature of the witnesses you named. Ask the witness itself for what it"
        " saw, and compare: sealwright witness show --origin … > FILE; sealwright ledger verify --against FILE",
        link="anchors/cosigned",
    )


def _words(said: Sequence[Cosigned], policy: WitnessPolicy, head: Checkpoint) -> str:
    who = ", ".join(f"{one.witness} at {rfc3339(one.at)}" for one in said)
    return f"{len(said)} of {len(policy.keys)} witnesses ({policy.need} needed) cosigned {head.size:,} entries: {who}"


def _stamps(
    store: AnchorStore, keys: Sequence[PublicKey], origin: str, authority: TimestampAuthority, found: Anchored
) -> None:
    short = authority.fingerprint.removeprefix("sha256:")[:16]
    mine = [one for one in store.stamps() if one.authority == short]
    if not mine:
        raise VerificationFailed(
            f"No time stamp by the authority {authority.fingerprint[:23]}… lies beside this ledger.",
            link="anchors/timestamps",
        )
    times = []
    for one in mine:
        head = open_checkpoint(one.note, keys, origin)
        try:
            times.append((head.size, verify_timestamp(one.token, one.note, authority)))
        except VerificationFailed as error:
            raise VerificationFailed(f"{error}", link=f"time stamp at size {one.size}") from None
        found.witnessed.append(one.note)
    for (larger, later), (smaller, earlier) in itertools.pairwise(times):
        if later < earlier:
            raise VerificationFailed(
                f"{smaller} entries were stamped at {rfc3339(earlier)}, {larger} before that, at {rfc3339(later)}.",
                link=f"time stamp at size {larger}",
            )
    found.stamped_at = max(times[0][1], found.stamped_at or times[0][1])
    found.checked.append(
        f"{len(times):,} time stamps by {authority.fingerprint[:23]}…: {times[0][0]:,} entries existed at {rfc3339(times[0][1])}"
    )
