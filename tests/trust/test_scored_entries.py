"""One root in one entry proves each row of a batch, at its own place, and nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.kernel import VerificationFailed
from sealwright.trust import (
    DECISION,
    SCORED,
    RowTree,
    batch_of,
    leaf_hash,
    new_batch,
    row_leaf,
    row_salt,
    scored_detail,
)
from sealwright.trust.ledger_entry import Leaf
from sealwright.trust.scored_entries import row_in_batch

BATCH, SECRET = "scr_" + "5a" * 12, b"s" * 32


def leaf_at(place: int, *, batch: str = BATCH) -> bytes:
    salt = row_salt(SECRET, place)
    return row_leaf(decision=f"{batch}_{place}", request=b'{"age":%d}' % place, answer=b'{"label":"good"}', salt=salt)


def entry_over(leaves: list[bytes], **changes: Any) -> tuple[Leaf, RowTree]:
    tree = RowTree([leaf_hash(leaf) for leaf in leaves])
    detail = scored_detail(
        batch=BATCH, job="job_1", model="credit", first=1, last=len(leaves), rows=len(leaves), refused=0, root=tree.root
    )
    fields: dict[str, Any] = {"action": SCORED, "detail": detail | changes.pop("detail", {}), **changes}
    return Leaf(actor="", at="", i=3, prev="", subject="sha256:" + "0" * 64, **fields), tree


@given(st.integers(1, 300), st.data())
def test_every_row_of_a_batch_of_any_size_is_proved_and_at_no_other_place(rows: int, data: st.DataObject) -> None:
    leaves = [leaf_at(place) for place in range(rows)]
    entry, tree = entry_over(leaves)
    place, other = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, rows - 1))
    said = row_in_batch(entry, leaves[place], tree.path(place).encode())
    assert (said["decision"], said["model"]) == (f"{BATCH}_{place}", "credit")
    if place != other:
        for row, path in ((place, other), (other, place)):
            with pytest.raises(VerificationFailed):
                row_in_batch(entry, leaves[row], tree.path(path).encode())


@given(st.data())
def test_any_flipped_bit_of_row_or_path_is_refused(data: st.DataObject) -> None:
    leaves = [leaf_at(place) for place in range(11)]
    entry, tree = entry_over(leaves)
    parts = [bytearray(leaves[4]), bytearray(tree.path(4).encode())]
    part = data.draw(st.sampled_from(parts))
    at = data.draw(st.integers(0, len(part) - 1))
    part[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(VerificationFailed):
        row_in_batch(entry, bytes(parts[0]), bytes(parts[1]))


def test_a_row_that_names_another_batch_or_place_is_refused_though_it_is_under_the_root() -> None:
    """Whoever writes the ledger could put it there."""
    other = new_batch()
    leaves = [leaf_at(0), leaf_at(1, batch=other), leaf_at(0)]
    entry, tree = entry_over(leaves)
    row_in_batch(entry, leaves[0], tree.path(0).encode())
    for place in (1, 2):
        with pytest.raises(VerificationFailed, match="another batch, or stands at another place"):
            row_in_batch(entry, leaves[place], tree.path(place).encode())


@pytest.mark.parametrize("changes", [{"action": DECISION}, {"detail": {"rows": "3"}}, {"detail": {"root": "abc"}}])
def test_an_entry_of_no_batch_proves_no_row(changes: dict[str, Any]) -> None:
    leaves = [leaf_at(place) for place in range(3)]
    entry, tree = entry_over(leaves, **changes)
    with pytest.raises(VerificationFailed, match="of no batch"):
        row_in_batch(entry, leaves[0], tree.path(0).encode())


def test_each_row_has_a_salt_of_its_own_and_its_id_says_where_it_stands() -> None:
    assert len({row_salt(SECRET, place) for place in range(1000)}) == 1000
    assert batch_of(f"{BATCH}_17") == (BATCH, 17)
    for name in ("dec_1", BATCH, f"{BATCH}_017", f"{BATCH}_", f"{BATCH}_1_2", f"x{BATCH}_1"):
        assert batch_of(name) is None
