"""A person who is left out is in no ingest and in no export, until they ask to come back; an erased one never is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.data.requests import (
    SuppressedInExport,
    Suppressions,
    check_export,
    keep_mask,
)
from sealwright.engines import Database
from sealwright.kernel import FixedClock, InvalidInput, NotFound, Refused, VerificationFailed
from sealwright.trust import Ledger

ANNA, BERT, CORA = ("sub_" + letter * 32 for letter in "abc")
KINDS = ("restrict", "object", "opt_out", "erased")


@pytest.fixture
def suppressions(db: Database, ledger: Ledger, clock: FixedClock) -> Suppressions:
    return Suppressions(db, ledger, clock)


def test_who_is_suppressed_is_left_out_of_this_project_only(suppressions: Suppressions) -> None:
    suppressions.suppress("credit", ANNA, "restrict", by="dora", request="req_1")
    suppressions.suppress("credit", ANNA, "opt_out", by="door", origin="gpc")
    suppressions.suppress("other", BERT, "object", by="dora")
    assert suppressions.suppressed("credit") == {ANNA: {"restrict", "opt_out"}}
    assert suppressions.suppressed("other") == {BERT: {"object"}}
    assert {one.origin for one in suppressions.of_subject("credit", ANNA)} == {"request", "gpc"}


def test_suppressing_twice_is_one_suppression(suppressions: Suppressions, ledger: Ledger) -> None:
    first = suppressions.suppress("credit", ANNA, "object", by="dora")
    assert suppressions.suppress("credit", ANNA, "object", by="dora").id == first.id
    assert [one.action for one in ledger.entries()] == ["subject.suppressed"]


def test_who_asks_to_come_back_is_let_in_and_the_past_stays_on_record(suppressions: Suppressions) -> None:
    suppressions.suppress("credit", ANNA, "opt_out", by="dora")
    with pytest.raises(InvalidInput, match="in a few words why"):
        suppressions.lift("credit", ANNA, "opt_out", reason="ok", by="dora")
    suppressions.lift("credit", ANNA, "opt_out", reason="She asked for it by letter", by="dora")
    assert suppressions.suppressed("credit") == {}
    (past,) = suppressions.of_subject("credit", ANNA)
    assert past.lifted_at is not None
    with pytest.raises(NotFound, match="No suppression of kind opt_out"):
        suppressions.lift("credit", ANNA, "opt_out", reason="She asked for it by letter", by="dora")


def test_an_erasure_is_never_lifted(suppressions: Suppressions) -> None:
    suppressions.suppress("credit", ANNA, "erased", by="dora")
    with pytest.raises(Refused, match="does not come back"):
        suppressions.lift("credit", ANNA, "erased", reason="She asked for it by letter", by="dora")
    with pytest.raises(InvalidInput, match="left out as"):
        suppressions.suppress("credit", ANNA, "forgotten", by="dora")  # type: ignore[arg-type]


def test_an_export_with_one_suppressed_person_does_not_leave(suppressions: Suppressions) -> None:
    suppressions.suppress("credit", BERT, "opt_out", by="door", origin="gpc")
    assert check_export([ANNA, CORA], suppressions.suppressed("credit")) == 2
    with pytest.raises(SuppressedInExport, match="2 rows of this export") as stopped:
        check_export([ANNA, BERT, BERT], suppressions.suppressed("credit"))
    assert stopped.value.counts == {"opt_out": 2}
    assert stopped.value.exit_code == 3


def test_the_strictest_reason_names_the_row() -> None:
    mask, reasons = keep_mask(
        np.array([ANNA, BERT, CORA, ""]), {ANNA: {"opt_out", "erased"}, BERT: {"opt_out", "restrict"}}
    )
    assert mask.tolist() == [False, False, True, True]
    assert reasons.tolist() == ["suppressed_erased", "suppressed_restrict", "", ""]


@given(
    st.lists(st.sampled_from([ANNA, BERT, CORA])),
    st.dictionaries(st.sampled_from([ANNA, BERT, CORA]), st.sets(st.sampled_from(KINDS))),
)
def test_a_row_stays_exactly_if_nothing_stands_against_its_person(rows: list[str], out: dict[str, set[str]]) -> None:
    mask, reasons = keep_mask(rows, out)
    assert mask.tolist() == [not out.get(one) for one in rows]
    assert [not reason for reason in reasons] == mask.tolist()


def test_a_row_taken_out_of_the_table_is_missed(suppressions: Suppressions, db: Database) -> None:
    suppressions.suppress("credit", ANNA, "erased", by="dora")
    suppressions.suppress("credit", BERT, "object", by="dora")
    assert suppressions.compare() == 2
    with db.write() as tx:
        tx.run("DELETE FROM suppressions WHERE subject = :subject", subject=ANNA)
    with pytest.raises(VerificationFailed, match="differ in 1 rows"):
        suppressions.compare()
