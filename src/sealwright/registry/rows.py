"""What rows of the database say, after comparing them with the signed bytes they hold.

Answers: which pointers and revocations were signed, in which order, and does a row agree with them?
Does not answer: are rows missing at the end? The ledger tells (`recovery`).
"""

from collections.abc import Sequence

from sealwright.engines import Row
from sealwright.kernel import VerificationFailed
from sealwright.registry.model import PointerFacts, RevocationList
from sealwright.registry.pointer import read_pointer, verify_revocations
from sealwright.trust import TrustRoot

__all__ = ["pointer_of", "pointers_of", "revocations_of"]


def pointer_of(row: Row, trust_root: TrustRoot) -> PointerFacts:
    """The pointer of one row.

    Raises
    ------
    VerificationFailed
        The envelope does not verify, or a column says something else.
    """
    facts = read_pointer(row["envelope"].encode("utf-8"), trust_root)
    signed = (facts.project, facts.channel, facts.sequence, facts.package, facts.number)
    if signed != tuple(row[name] for name in ("project", "channel", "sequence", "package", "number")):
        raise _changed(row)
    return facts


def pointers_of(rows: Sequence[Row], trust_root: TrustRoot) -> list[PointerFacts]:
    """The pointers of one place, oldest first, each naming the one before.

    Their sequences rise, and may skip a number: that of a pointer which was signed, and which a crash or a full disk kept
    from the ledger.

    Raises
    ------
    VerificationFailed
        A row was changed, removed or put in another order.
    """
    found: list[PointerFacts] = []
    for row in rows:
        facts = pointer_of(row, trust_root)
        last = found[-1] if found else None
        if facts.previous != (last and last.digest) or facts.sequence <= (last.sequence if last else 0):
            raise _changed(row)
        found.append(facts)
    return found


def revocations_of(rows: Sequence[Row], trust_root: TrustRoot) -> RevocationList | None:
    """The newest revocation list, None if nothing was revoked.

    Raises
    ------
    VerificationFailed
        It does not verify, or the rows name other packages.
    """
    if not rows:
        return None
    newest = verify_revocations(rows[-1]["envelope"].encode("utf-8"), trust_root)
    told = {(row["package"], row["sequence"]) for row in rows}
    if told != {(item.package, item.sequence) for item in newest.packages.values()}:
        raise VerificationFailed(
            "The revocations in the database are not those that were signed.\n"
            "Restore the database from the newest backup.",
            link="revocations",
        )
    return newest


def _changed(row: Row) -> VerificationFailed:
    place = f"{row['project']}/{row['channel']}"
    return VerificationFailed(
        f"Pointer {row['sequence']} of {place} in the database is not the one that was signed there.\n"
        "Restore the database from the newest backup.",
        link=f"pointer {row['sequence']}",
    )
