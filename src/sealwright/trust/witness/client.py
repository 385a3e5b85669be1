"""Asking a witness for its cosignature: what a log does with a new checkpoint.

Answers: did this witness cosign, and if it had seen less or more than we thought, what then?
Does not answer: when to ask. `pipeline` does that, on time and on count.
"""

import re
import ssl
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from sealwright.kernel import InvalidInput, OperationFailed, SealwrightError, VerificationFailed
from sealwright.trust.notes import Checkpoint
from sealwright.trust.witness.cosignature import WitnessKey, with_cosignatures
from sealwright.trust.witness.protocol import MOST_BYTES, SIZE_TYPE, TEXT_TYPE, AddCheckpoint

__all__ = ["Answer", "Post", "WitnessDisagrees", "ask_witness", "check_address", "post"]

_SECONDS = 10.0
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,17})\n")
_TRIES = 3  # another program may submit at the same time; then the size moves under us

Answer = tuple[int, str, bytes]  # status, content type, body
Post = Callable[[str, str, bytes], Answer]  # address, content type, body


class WitnessDisagrees(VerificationFailed):
    """A witness saw another history of this log, or more of it, than there is here."""

    code = "witness.disagrees"


def ask_witness(
    address: str,
    key: WitnessKey,
    note: bytes,
    consistency: Callable[[int], Sequence[bytes]],
    *,
    old: int = 0,
    send: "Post | None" = None,
) -> bytes:
    """The checkpoint `note` with the cosignature of one witness on it.

    Parameters
    ----------
    address : str
        The witness's submission prefix, e.g. "http://10.0.0.7:7475".
    key : WitnessKey
        Whose cosignature is believed.
    consistency : callable
        The consistency path from so many entries to `note`; raises `InvalidInput` if the log has fewer.
    old : int
        The size the witness cosigned last, as far as known; a wrong guess costs one round.

    Raises
    ------
    WitnessDisagrees
        It has cosigned more entries than this log has, or another tree: the log was cut off, restored or forked.
    OperationFailed
        It cannot be reached, does not know the log, or does not answer in this protocol. Try again later.
    VerificationFailed
        Its answer carries no cosignature by `key` that holds.
    """
    head = Checkpoint.parse_note(note)
    send = send or post
    for _ in range(_TRIES):
        if old > head.size:
            raise _cut_off(key.name, head, old)
        request = AddCheckpoint(old, tuple(consistency(old)), note)
        status, kind, body = send(f"{address.rstrip('/')}/add-checkpoint", TEXT_TYPE, request.to_bytes())
        if status == 200:
            return with_cosignatures(note, body, [key])
        known = _SIZE.fullmatch(body) if status == 409 and kind.partition(";")[0] == SIZE_TYPE else None
        if known is None:
            raise _declined(key.name, head, status, body)
        if int(known[1]) == old:
            raise WitnessDisagrees(
                f"The witness {key.name} cosigned another tree of {old} entries of {head.origin}: the history was forked.\n"
                "Stop writing to this ledger, keep its folder, and compare: sealwright ledger verify --against FILE",
                link=f"witness {key.name} at size {old}",
            )
        old = int(known[1])
    raise OperationFailed(f"The witness {key.name} was asked by others at the same time. Try again.")


def check_address(address: str) -> str:
    """Return an address we may post to.

    Raises
    ------
    InvalidInput
        Not http:// or https:// with a host, or with a name, a question or a fragment in it.
    """
    parts = urlsplit("")
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or parts.username or parts.query or parts.fragment or not address.isascii() or len(address) > 500:
        raise InvalidInput(
            f"{address[:80]!r} is not an address. Give one like https://witness.example or http://10.0.0.7:7475."
        )
    return address


def post(address: str, kind: str, body: bytes) -> Answer:
    """POST to an address somebody configured on purpose: bounded, no redirect followed, ten seconds.

    Raises
    ------
    OperationFailed
        It cannot be reached, or it answers more than we take.
    """
    parts = urlsplit(check_address(address))
    host = parts.hostname or ""
    connection: HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        connection = HTTPSConnection(host, parts.port or 443, timeout=_SECONDS, context=context)
    else:
        connection = HTTPConnection(host, parts.port or 80, timeout=_SECONDS)
    try:
        connection.request("POST", parts.path or "/", body=body, headers={"Content-Type": kind})
        answer = connection.getresponse()
        data = answer.read(MOST_BYTES + 1)
        found = (answer.status, answer.headers.get("Content-Type", ""), data)
    except (OSError, HTTPException, ValueError) as error:
        raise OperationFailed(f"{parts.scheme}://{parts.netloc} cannot be reached: {error}.") from None
    finally:
        connection.close()
    if len(data) > MOST_BYTES:
        raise OperationFailed(f"{parts.scheme}://{parts.netloc} answers more than {MOST_BYTES:,} bytes.")
    return found


def _cut_off(name: str, head: Checkpoint, seen: int) -> WitnessDisagrees:
    return WitnessDisagrees(
        f"The witness {name} has cosigned {seen} entries of {head.origin}; here are {head.size}: the end was cut off, or an"
        " older state was restored.\nRestore the newest state. If it is lost, tell everybody who holds receipts.",
        link=f"witness {name} at size {seen}",
    )


def _declined(name: str, head: Checkpoint, status: int, body: bytes) -> SealwrightError:
    words = "".join(c if c.isprintable() else "?" for c in body[:200].decode("utf-8", "replace").strip())
    if status == 422:
        return WitnessDisagrees(
            f"The witness {name} finds that {head.origin} does not extend what it cosigned: {words}",
            link=f"witness {name} at size {head.size}",
        )
    return OperationFailed(f"The witness {name} answered {status}: {words}")
