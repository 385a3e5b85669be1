"""Large blobs, sealed in chunks: the STREAM construction over AES-256-GCM.

Answers: can a file of any size be encrypted in constant memory so that a flipped bit, a cut, a
swapped, repeated or added chunk, another header or another place is refused? Yes.
Does not answer: is this the newest blob? A signed manifest or the ledger does.

Layout: magic "SWBLOB" || version 0x01 || 32-byte salt, then chunks of 1 MiB plaintext + 16-byte tag.
File key = HKDF-SHA256(key, salt, info = magic || version); nonce = 11-byte chunk counter || last flag;
every chunk authenticates SHA-256(header || caller's aad). The last chunk is empty only in an empty blob.
Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance, CRYPTO 2015, section 7 (eprint.iacr.org/2015/189).
"""

import hashlib
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sealwright.kernel import InvalidInput, VerificationFailed, fsync_folder
from sealwright.trust.sealing import derive_key

__all__ = ["open_sealed_file", "open_stream", "seal_file", "seal_stream"]

_MAGIC = b"SWBLOB\x01"
_SALT = 32
_TAG = 16
_CHUNK = 1 << 20
_MOST_CHUNKS = 1 << 32  # 4 PiB; the GCM limit for one key


def seal_stream(key: bytes, reader: BinaryIO, writer: BinaryIO, aad: bytes) -> int:
    """Encrypt everything `reader` gives into `writer`.

    Parameters
    ----------
    key : 32 bytes
        From `Keyring.key`. Each blob gets its own key from it.
    aad : bytes
        Where the blob belongs. Not stored; `open_stream` needs the same.

    Returns
    -------
    int
        Bytes of plaintext sealed.
    """
    header = _MAGIC + os.urandom(_SALT)
    cipher, context = _cipher(key, header, aad)
    writer.write(header)
    total, number, chunk = 0, 0, _exactly(reader, _CHUNK)
    while True:
        following = _exactly(reader, _CHUNK) if len(chunk) == _CHUNK else b""
        writer.write(cipher.encrypt(_nonce(number, last=not following), chunk, context))
        total, number = total + len(chunk), number + 1
        if not following:
            return total
        chunk = following


def open_stream(key: bytes, reader: BinaryIO, writer: BinaryIO, aad: bytes) -> int:
    """Decrypt what `seal_stream` wrote.

    Every chunk is authentic before it reaches `writer`, but a cut blob shows only at its end:
    throw away what was written when this raises. `open_sealed_file` does so by itself.

    Returns
    -------
    int
        Bytes of plaintext written.

    Raises
    ------
    VerificationFailed
        Another key or `aad`, or any byte changed, missing, moved or added.
    """
    header = _exactly(reader, len(_MAGIC) + _SALT)
    if len(header) != len(_MAGIC) + _SALT or not header.startswith(_MAGIC):
        raise VerificationFailed("This is not a sealed blob of a version we know. It was cut or changed.")
    cipher, context = _cipher(key, header, aad)
    total, number, chunk = 0, 0, _exactly(reader, _CHUNK + _TAG)
    while True:
        following = _exactly(reader, _CHUNK + _TAG) if len(chunk) == _CHUNK + _TAG else b""
        try:
            plain = cipher.decrypt(_nonce(number, last=not following), chunk, context)
        except InvalidTag:
            raise VerificationFailed(
                f"Chunk {number} of the sealed blob does not open: another key or place, or the blob was cut or changed."
            ) from None
        if not plain and number:
            raise VerificationFailed("The sealed blob ends in an empty chunk, which we never write.")
        writer.write(plain)
        total, number = total + len(plain), number + 1
        if not following:
            return total
        chunk = following


def seal_file(key: bytes, source: Path, target: Path, *, aad: bytes) -> int:
    """Seal the file `source` as `target` (0600), which appears complete or not at all; bytes sealed."""
    return _between(source, target, lambda reader, writer: seal_stream(key, reader, writer, aad))


def open_sealed_file(key: bytes, source: Path, target: Path, *, aad: bytes) -> int:
    """Open the sealed file `source` as `target` (0600): whole and authentic, or not there at all.

    Raises
    ------
    VerificationFailed
        As `open_stream`; no plaintext stays on disk.
    """
    return _between(source, target, lambda reader, writer: open_stream(key, reader, writer, aad))


def _between(source: Path, target: Path, copy: Callable[[BinaryIO, BinaryIO], int]) -> int:
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.draft")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with source.open("rb") as reader, os.fdopen(handle, "wb") as writer:
            total = copy(reader, writer)
            writer.flush()
            os.fsync(writer.fileno())
        draft.replace(target)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    fsync_folder(target.parent)
    return total


def _cipher(key: bytes, header: bytes, aad: bytes) -> tuple[AESGCM, bytes]:
    if len(key) != 32:
        raise InvalidInput(f"A sealing key is 32 bytes; got {len(key)}.")
    file_key = derive_key(key, salt=header[len(_MAGIC) :], info=_MAGIC)
    return AESGCM(file_key), hashlib.sha256(header + aad).digest()


def _nonce(number: int, *, last: bool) -> bytes:
    if number >= _MOST_CHUNKS:
        raise InvalidInput("A blob this large cannot be sealed in one piece. Split it.")
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _exactly(reader: BinaryIO, size: int) -> bytes:
    """`size` bytes, fewer only at the end; a pipe may give them in pieces."""
    piece = reader.read(size)
    if len(piece) == size or not piece:
        return piece
    pieces, missing = [piece], size - len(piece)
    while missing and (piece := reader.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)
