"""A snapshot is known by everything it was made from, however far back and wherever the rows came from since."""

from collections.abc import Callable
from typing import Any

import pytest

from sealwright.data import Snapshot
from sealwright.data.dp import lineage_of, marks_of
from sealwright.data.manifest import Derivation, Manifest
from sealwright.kernel import NotFound


@pytest.fixture
def line(take_in: Callable[..., Snapshot], contract: Callable[..., Any]) -> dict[str, Manifest]:
    """Three manifests, each made from the one before, each with a source of its own."""
    first = take_in("x,y\n1,true\n2,false\n", contract({"x": {"type": "integer"}})).signed
    found = {"sha256:" + "0" * 64: first}
    for place in "12":
        derivation = Derivation(kind="append", parents=[list(found)[-1]], removed=0, added=2)
        source = first.source.model_copy(update={"digest": "sha256:" + place * 64})
        found["sha256:" + place * 64] = first.model_copy(update={"derivation": derivation, "source": source})
    return found


def test_everything_a_snapshot_was_made_from_is_a_mark_of_it(line: dict[str, Manifest]) -> None:
    first, second, third = line
    marks = set(marks_of("loans", lineage_of(third, line.__getitem__)))
    assert {f"snapshot/{digest}" for digest in (first, second, third)} < marks
    assert {f"source/{manifest.source.digest}" for manifest in line.values()} < marks
    assert "project/loans" in marks


def test_siblings_share_a_mark_through_what_both_were_made_from(line: dict[str, Manifest]) -> None:
    first, second, third = line
    sibling = line[third].model_copy(
        update={"derivation": Derivation(kind="delete", parents=[second], removed=1, added=0)}
    )
    one = marks_of("a", lineage_of(third, line.__getitem__))
    other = marks_of("b", lineage_of("sibling", {**line, "sibling": sibling}.__getitem__))
    assert f"snapshot/{first}" in set(one) & set(other)


def test_a_lineage_that_cannot_be_followed_is_an_error_and_not_a_shorter_lineage(line: dict[str, Manifest]) -> None:
    first, _, third = line

    def find(digest: str) -> Manifest:
        if digest == first:
            raise NotFound("gone")
        return line[digest]

    with pytest.raises(NotFound):
        lineage_of(third, find)
