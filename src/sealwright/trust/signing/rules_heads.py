"""What the branches "checkpoints" and "decision-checkpoints" sign: heads of our own logs, each extending the one before.

Answers: is this the head of a log that this branch signs, and does it contradict nothing that was signed for it?
Does not answer: are the entries under it true? Whoever writes the log answers for those.

Two heads of one log that do not extend each other would be two histories. The newest head signed is on disk before its
signature leaves, so there is no moment, crash or second signer between the two.
"""

import re
from collections.abc import Callable, Sequence

from sealwright.kernel import InvalidInput, SealwrightError, VerificationFailed, check_name
from sealwright.trust.merkle import EMPTY_ROOT, verify_consistency
from sealwright.trust.notes import Checkpoint, check_origin, open_checkpoint
from sealwright.trust.promises import BatchPromise
from sealwright.trust.public_keys import PublicKey
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.memory_heads import Heads
from sealwright.trust.signing.messages import SignHead

__all__ = ["HeadBehind", "check_origin_of", "promised_origin", "sign_next_head"]

_LOGS = ("ledger", "control")  # what was done in the workspace; what the control server refused at its door
_DECISIONS = re.compile(r"sealwright/(?P<workspace>[^/]+)/decisions/(?P<project>[^/]+)/(?P<channel>[^/]+)")


class HeadBehind(Exception):
    """The proof starts from another head than the newest one signed, which has `size` leaves."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(size)


def check_origin_of(branch: str, origin: str, workspace: str) -> None:
    """Return if `branch` signs heads of the log `origin`.

    Raises
    ------
    SignerRefused
        "checkpoint.origin".
    """
    if branch == "checkpoints" and origin in {f"sealwright/{workspace}/{name}" for name in _LOGS}:
        return
    match = _DECISIONS.fullmatch(origin)
    if branch == "decision-checkpoints" and match is not None and match["workspace"] == workspace:
        try:
            check_origin(origin)
            check_name(match["project"], what="project")
            check_name(match["channel"], what="channel")
        except InvalidInput:
            pass
        else:
            return
    raise SignerRefused("checkpoint.origin", f"The branch {branch!r} does not sign for a log {origin[:120]!r}.")


def promised_origin(data: bytes) -> str:
    """The log whose promise a note text is.

    Raises
    ------
    SignerRefused
        "promise.malformed".
    """
    try:
        promise = BatchPromise.parse(data.decode("ascii"))
    except (SealwrightError, UnicodeDecodeError):
        promise = None
    if promise is None or promise.text().encode() != data:
        raise SignerRefused("promise.malformed", "This is not the text of a promise of a log.")
    return promise.origin


def sign_next_head(
    asked: SignHead, *, workspace: str, keys: Sequence[PublicKey], heads: Heads, sign: Callable[[bytes], bytes]
) -> bytes:
    """The signature over a head that extends the newest one signed, which is remembered first.

    A published head says where a log was only to a signer that remembers nothing of it: another may have made it, with a
    key that leaked. Beside a memory it can refuse, and lets nothing through. `keys` are those whose heads count.

    Raises
    ------
    SignerRefused
        "checkpoint.malformed", "checkpoint.origin", "checkpoint.smaller", "checkpoint.contradicts", "checkpoint.note" or
        "checkpoint.unknown_past"; "memory.…" where the newest head cannot be known.
    HeadBehind
        The proof in `asked` starts elsewhere.
    """
    head = _head_in(asked.data)
    check_origin_of(asked.branch, head.origin, workspace)
    with heads.of(head.origin) as memory:
        published = _published(asked.note, head.origin, keys, memory.head)
        last = memory.head or published
        for signed in (memory.head, published):
            _refuse_older(head, signed)
        if head != last:
            _refuse_unless_shown(head, last, asked)
        if head != memory.head:
            memory.remember(head)
        return sign(asked.data)


def _head_in(data: bytes) -> Checkpoint:
    try:
        head = Checkpoint.parse(data.decode("ascii"))
    except (SealwrightError, UnicodeDecodeError):
        head = None
    if head is None or head.text().encode() != data:
        raise SignerRefused("checkpoint.malformed", "This is not the text of a checkpoint (c2sp.org/tlog-checkpoint).")
    return head


def _published(note: bytes, origin: str, keys: Sequence[PublicKey], remembered: Checkpoint | None) -> Checkpoint | None:
    """The head that was published, unless a newer one is remembered. One that none of `keys` signed counts for nothing, and
    is refused where it is all there is."""
    if not note:
        return None
    try:
        published = open_checkpoint(note, keys, origin)
    except VerificationFailed as error:
        if remembered is not None:
            return None  # as of a log that rested while its key was withdrawn
        raise SignerRefused(
            "checkpoint.note",
            f"No head of the log {origin} is remembered, and the published checkpoint does not verify: {error}\n"
            "Restore keys/signed from the newest backup of the keys folder.",
        ) from None
    if remembered is None or published.size > remembered.size:
        return published
    if published.size == remembered.size and published != remembered:
        raise _contradicts(published, remembered)
    return None


def _refuse_older(head: Checkpoint, signed: Checkpoint | None) -> None:
    """Refuse what is smaller than a head that was signed, or as large and another."""
    if signed is None:
        return
    if head.size < signed.size:
        raise SignerRefused(
            "checkpoint.smaller",
            f"A head of {signed.size} entries was signed for {head.origin}; one of {head.size} is an older history.\n"
            "An old copy of the log was put back. Restore the newest one.",
        )
    if head.size == signed.size and head != signed:
        raise _contradicts(head, signed)


def _refuse_unless_shown(head: Checkpoint, last: Checkpoint | None, asked: SignHead) -> None:
    """Refuse unless the proof shows that `head` extends `last`, or begins a log."""
    if last is None:
        if (head.size, head.root) != (0, EMPTY_ROOT):
            raise SignerRefused(
                "checkpoint.unknown_past",
                f"No head of the log {head.origin} is remembered, and none was shown that we signed. A log begins empty.",
            )
        return
    if asked.since != last.size:
        raise HeadBehind(last.size)
    try:
        verify_consistency(last.size, head.size, asked.path, last.root, head.root)
    except VerificationFailed:
        raise _contradicts(head, last) from None


def _contradicts(head: Checkpoint, last: Checkpoint) -> SignerRefused:
    return SignerRefused(
        "checkpoint.contradicts",
        f"The head of {head.size} entries does not extend the one of {last.size} that was signed for {head.origin}.\n"
        "Two histories of one log are never signed. Restore the newest copy of the log.",
    )
