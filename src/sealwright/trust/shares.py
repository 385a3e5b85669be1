"""Shares of the root secret as lines of text that people can keep on paper, read out and type again.

    sealwright-share-1:ws_01k…:3-of-5-needs-3:a1b2c3d4e5f60718:K7QD-…-…:9F3C-21AB

Workspace, which of how many and how many are needed, the set it belongs to, the share (base32, RFC 4648), a checksum.
Answers: is this line whole, do these lines belong together, and is what they give the secret that was split?
Does not answer: does that secret open a workspace? `root_recovery` tries.

What is split is the secret with a tag (16 bytes of SHA-256 over secret, set and workspace), so a wrong share that was
made to look right is noticed, and says nothing about the secret to whoever holds too few.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sealwright.kernel import InvalidInput, SealwrightError, VerificationFailed, check_name
from sealwright.trust.shamir import MOST_SHARES, combine, split

__all__ = ["Share", "check_together", "join_shares", "make_shares", "read_share"]

_SECRET, _TAG, _SET = 32, 16, 8
_MARK = "sealwright-share-1"
_LINE = re.compile(
    rf"{_MARK}:(?P<workspace>[a-z0-9._-]{{1,64}}):(?P<index>[1-9][0-9]?[0-9]?)-of-(?P<count>[1-9][0-9]?[0-9]?)"
    r"-needs-(?P<needed>[1-9][0-9]?[0-9]?):(?P<set>[0-9a-f]{16}):(?P<value>[A-Z2-7-]{20,140}):(?P<check>[0-9A-F]{4}-[0-9A-F]{4})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One share. Any `needed` of its set give the root secret; keep each with another person."""

    workspace: str
    index: int
    count: int
    needed: int
    set_id: str  # 16 hex digits, drawn for each split
    value: bytes = field(repr=False)

    def line(self) -> str:
        """The share as text."""
        body = self._body()
        return f"{body}:{_check(body)}"

    def _body(self) -> str:
        text = base64.b32encode(self.value).decode().rstrip("=")
        groups = "-".join(text[at : at + 4] for at in range(0, len(text), 4))
        place = f"{self.index}-of-{self.count}-needs-{self.needed}"
        return f"{_MARK}:{self.workspace}:{place}:{self.set_id}:{groups}"


def make_shares(
    secret: bytes, workspace: str, *, needed: int, count: int, random: Callable[[int], bytes] = secrets.token_bytes
) -> tuple[Share, ...]:
    """A new set of shares of a 32-byte secret.

    Raises
    ------
    InvalidInput
        Numbers that make no sense (`shamir.split`), or another length.
    """
    if len(secret) != _SECRET:
        raise InvalidInput(f"A root secret is {_SECRET} bytes.")
    set_id = random(_SET).hex()
    values = split(secret + _tag(secret, set_id, workspace), needed, count, random=random)
    return tuple(
        Share(workspace=workspace, index=index, count=count, needed=needed, set_id=set_id, value=value)
        for index, value in values.items()
    )


def read_share(line: str) -> Share:
    """The share in a line of text; spaces around it, and small letters in its last parts, are forgiven.

    Raises
    ------
    InvalidInput
        Not a share, or a character of it is wrong. The message never repeats it.
    """
    head, parts = line.strip().split(":")[:4], line.strip().split(":")[4:]
    found = _LINE.fullmatch(":".join([*head, *(part.strip().upper() for part in parts)]))
    if found is None:
        raise InvalidInput(
            "This is not a share as we wrote it. A line begins with sealwright-share-1: and has six parts."
        )
    body = found[0].rpartition(":")[0]
    if not hmac.compare_digest(_check(body), found["check"]):
        raise InvalidInput(
            f"Share {found['index']} of {found['count']} has a wrong character somewhere: its checksum does not match.\n"
            "Compare it with the paper or file it came from, letter by letter."
        )
    text = found["value"].replace("-", "")
    try:
        value = base64.b32decode(text + "=" * (-len(text) % 8))
        index, count, needed = (int(found[name]) for name in ("index", "count", "needed"))
        share = Share(
            workspace=check_name(found["workspace"], what="workspace"),
            index=index,
            count=count,
            needed=needed,
            set_id=found["set"],
            value=value,
        )
    except (binascii.Error, SealwrightError):
        raise InvalidInput("This is not a share as we wrote it.") from None
    if share.line() != found[0] or not 1 <= index <= count <= MOST_SHARES or not 2 <= needed <= count:
        raise InvalidInput("This is not a share as we wrote it.")
    return share


def check_together(shares: Sequence[Share]) -> tuple[str, str, int]:
    """Workspace, set and number needed, if these are enough shares of one set.

    Raises
    ------
    InvalidInput
        Too few, one twice, or of different sets.
    """
    sets = {(one.workspace, one.set_id, one.needed, one.count) for one in shares}
    if len(sets) != 1:
        described = ", ".join(sorted(f"set {set_id[:8]}… of {workspace}" for workspace, set_id, _, _ in sets))
        raise InvalidInput(
            f"These shares do not belong together: {described or 'there are none'}. Use those of one set."
        )
    workspace, set_id, needed, _ = sets.pop()
    if len({one.index for one in shares}) != len(shares):
        raise InvalidInput("One share was given twice; it counts once. Bring another one.")
    if len(shares) < needed:
        raise InvalidInput(f"{needed} shares of this set are needed, and {len(shares)} were given.")
    return workspace, set_id, needed


def join_shares(shares: Sequence[Share]) -> bytes:
    """The root secret of `needed` or more shares of one set.

    Raises
    ------
    InvalidInput
        Too few, one twice, or of different sets.
    VerificationFailed
        One of them was made up: what they give is not what was split.
    """
    workspace, set_id, needed = check_together(shares)
    by_index = {one.index: one.value for one in shares}
    first = dict(list(by_index.items())[:needed])
    whole = combine(first)
    secret, tag = whole[:_SECRET], whole[_SECRET:]
    extra = all(combine(first, at=index) == value for index, value in by_index.items())
    if not hmac.compare_digest(tag, _tag(secret, set_id, workspace)) or not extra:
        raise VerificationFailed(
            "These shares do not give the secret that was split: at least one of them was made up or changed.\n"
            "Try with other shares of the set; the wrong one is in every group that fails.",
            link="share",
        )
    return secret


def _tag(secret: bytes, set_id: str, workspace: str) -> bytes:
    return hashlib.sha256(
        b"sealwright share v1\0" + bytes.fromhex(set_id) + workspace.encode() + b"\0" + secret
    ).digest()[:_TAG]


def _check(body: str) -> str:
    digest = hashlib.sha256(body.encode()).hexdigest().upper()
    return f"{digest[:4]}-{digest[4:8]}"
