"""What the branch "authority" signs when it is asked: lists of revoked keys. Steps between trust roots it signs for nobody.

Answers: may this list be signed after the one before?
Does not answer: should that key be revoked? Whoever asks was allowed to.

A step from one trust root to the next is made by the signer itself, with a key that it made itself (`renewal`): so no
program that holds its socket can put a key of its own into the trust root.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sealwright.kernel import SealwrightError
from sealwright.trust.key_revocation import KEY_REVOCATION_TYPE, KeyRevocations, heed, list_in
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.memory_keys import KeyMemory
from sealwright.trust.signing.rules_statements import payload_in, statement_in
from sealwright.trust.statements import Statement
from sealwright.trust.trust_root import TrustRoot

__all__ = ["heeding", "key_list_let_through"]


@contextmanager
def key_list_let_through(data: bytes, trust_root: TrustRoot, memory: KeyMemory) -> Iterator[None]:
    """Inside, `data` is signed if it is the next list of revoked keys. It is remembered, on disk, when the block ends; not
    if it could not be signed.

    Raises
    ------
    SignerRefused
        "authority.type", "keys.malformed" or "keys.dropped"; "memory.…" where the list before cannot be known.
    """
    statement = statement_in(data)
    if statement.predicate_type != KEY_REVOCATION_TYPE:
        raise SignerRefused(
            "authority.type",
            f"The branch 'authority' does not sign statements of type {statement.predicate_type[:100]!r} for others.",
        )
    listed = _read(statement, trust_root)
    with memory.change() as kept:
        if kept.payload:
            before = list_in(Statement(kept.payload), trust_root)
            if list(listed.keys.items())[: before.sequence] != list(before.keys.items()):
                raise SignerRefused(
                    "keys.dropped",
                    f"A list of {before.sequence} revoked keys was signed before; this one does not begin with it.\n"
                    "A revoked key stays revoked. Restore the newest key-revocations.json.",
                )
        yield
        kept.payload = payload_in(data)


def heeding(trust_root: TrustRoot, memory: KeyMemory) -> TrustRoot:
    """The trust root without the keys that were withdrawn as compromised."""
    payload = memory.newest()
    return heed(trust_root, list_in(Statement(payload), trust_root)) if payload else trust_root


def _read(statement: Statement, trust_root: TrustRoot) -> KeyRevocations:
    try:
        return list_in(statement, trust_root)
    except SealwrightError as error:
        raise SignerRefused("keys.malformed", f"This is not a list of revoked keys: {str(error)[:200]}") from None
