"""What is said over a signer's socket: four bytes of length (big endian), then one MessagePack value.

Answers: which requests and replies exist, and how long may they be?
Does not answer: what is signed. A request never says "sign these bytes": it names a branch, and the signer reads what
it is given as what that branch signs, or refuses.

No message carries a private key, in either direction. Unknown fields are refused on both sides.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = [
    "MOST_BYTES",
    "MOST_BYTES_OF_PREDICT",
    "PREFIX",
    "Adopt",
    "Behind",
    "Done",
    "Failed",
    "Hello",
    "Join",
    "Look",
    "Looked",
    "Narrow",
    "No",
    "Ready",
    "Renew",
    "Renewed",
    "Reply",
    "Request",
    "Sign",
    "SignHead",
    "SignPromise",
    "Signature",
    "Step",
    "StepAfter",
    "Take",
    "encode",
    "read_reply",
    "read_request",
]

PREFIX = 4
MOST_BYTES = 16 << 20  # a statement of ten thousand subjects is 2 MB
MOST_BYTES_OF_PREDICT = 64 << 10  # a tree head with a proof is 3 KB at most

_Branch = Annotated[str, Meta(max_length=32)]
_Origin = Annotated[str, Meta(max_length=200)]
_Origins = Annotated[list[_Origin], Meta(min_length=1, max_length=1000)]
_KeyId = Annotated[str, Meta(max_length=64)]
_Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]


class _Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """One value, with its kind in it."""


class Hello(_Message, frozen=True):
    """Which workspace, and which keys?"""


class Sign(_Message, frozen=True):
    """Sign `data` as what `branch` signs, with `keys`: one of the branch, then one of each branch that signs beside it;
    none named: those in use.

    All of them in one request: it is judged once, so there is no moment at which one signature exists and the other is
    refused. `shown` is what must be shown with it: the gate's decision, for a pointer.
    """

    branch: _Branch
    data: bytes
    keys: Annotated[list[_KeyId], Meta(max_length=4)] = []
    shown: bytes = b""


class SignHead(_Message, frozen=True):
    """Sign a tree head: the note text in `data`.

    `path` shows that it extends the tree of `since` leaves (RFC 9162 section 2.1.4). `note` is the newest checkpoint
    that was published, so that a signer without memory of this log knows where it was.
    """

    branch: _Branch
    data: Annotated[bytes, Meta(max_length=1024)]
    since: Annotated[int, Meta(ge=0)]
    path: Annotated[list[_Hash], Meta(max_length=64)]
    note: Annotated[bytes, Meta(max_length=16 << 10)] = b""
    key: _KeyId = ""  # the one in use


class SignPromise(_Message, frozen=True):
    """Sign a promise of a decision log: the note text in `data` (`trust.promises`). `key`: one of the branch."""

    data: Annotated[bytes, Meta(max_length=1024)]
    key: _KeyId = ""  # the one in use


class Narrow(_Message, frozen=True):
    """From now on this connection may only have tree heads of these logs signed, by "decision-checkpoints"."""

    origins: _Origins


class Adopt(_Message, frozen=True):
    """Serve the socket that comes with this message, too: narrowed to `origins` from its first word on."""

    origins: _Origins


class Join(_Message, frozen=True):
    """Serve the socket that comes with this message, too, as wide as this one: what waits there holds nothing up here."""


class Renew(_Message, frozen=True):
    """Make a new key for `branch`, and keep it until it is taken. `at`: the place file of the device or service it goes to."""

    branch: _Branch
    at: Annotated[str, Meta(max_length=4096)] = ""


class Take(_Message, frozen=True):
    """Put the key to use that was made last, and is called `key`."""

    key: _KeyId


class Look(_Message, frozen=True):
    """Where is the key of each branch that has one elsewhere? `ask`: and does it answer?"""

    ask: bool = False


class StepAfter(_Message, frozen=True):
    """Show the signed step to the trust root after number `number`."""

    number: Annotated[int, Meta(ge=0)]


class Ready(_Message, frozen=True):
    """What the signer holds: for each branch the ids of its keys, the one in use first."""

    workspace: str
    keys: dict[str, list[str]]


class Renewed(_Message, frozen=True):
    """The public half of the key that was made, the number of the trust root that will list it, and where it is."""

    pem: str
    number: int
    place: str = ""  # in words; empty: in a file


class Looked(_Message, frozen=True):
    """By branch: where its key is, in words, and what is wrong with it there."""

    places: dict[str, str]
    wrong: dict[str, str]


class Step(_Message, frozen=True):
    """A signed step, and the list of revoked keys as the newest authority signs it; empty where there is none."""

    link: bytes = b""
    key_list: bytes = b""


class Signature(_Message, frozen=True):
    """The signature that was asked for, and those beside it."""

    signature: bytes
    beside: list[bytes] = []


class Behind(_Message, frozen=True):
    """This log's newest signed head has `size` leaves; show that the tree extends that one."""

    size: int


class Done(_Message, frozen=True):
    """It was done."""


class No(_Message, frozen=True):
    """It was refused: a stable word, a sentence for people, and, where a number is too low, the one it has to exceed."""

    reason: str
    message: str
    at: int = 0


class Failed(_Message, frozen=True):
    """The signer cannot start, and ends: an error's code, its sentence and its link."""

    code: str
    message: str
    link: str = ""


Request = Hello | Sign | SignHead | SignPromise | Renew | Take | StepAfter | Look | Narrow | Adopt | Join
Reply = Ready | Signature | Renewed | Step | Looked | Behind | Done | No | Failed

_ENCODER = msgspec.msgpack.Encoder()
_REQUESTS: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_REPLIES: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def encode(message: Request | Reply) -> bytes:
    """One message as it goes over the socket, its length in front."""
    body = _ENCODER.encode(message)
    return len(body).to_bytes(PREFIX, "big") + body


def read_request(body: bytes) -> Request | None:
    """The request in a body; None for anything else."""
    try:
        return _REQUESTS.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def read_reply(body: bytes) -> Reply | None:
    """The reply in a body; None for anything else."""
    try:
        return _REPLIES.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
