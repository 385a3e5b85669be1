"""Nothing stays past its limit silently: it goes, or a hold keeps it, or its missing limit is named."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.data.basis import BasisSpec, ColumnGroup, ground_of
from sealwright.data.retention import Hold, Holds, Stored, judge, limit_of, past_limit
from sealwright.engines import Database
from sealwright.kernel import Conflict, FixedClock, InvalidInput, NotFound
from sealwright.trust import Ledger

TODAY = date(2026, 3, 2)
SNAPSHOT = "sha256:" + "5" * 64
OTHER = "sha256:" + "6" * 64


def stored(limit: date | None, digest: str = SNAPSHOT) -> Stored:
    return Stored(kind="snapshot", digest=digest, project="credit", stored_on=date(2020, 1, 1), limit=limit)


def hold(**changes: object) -> Hold:
    given: dict[str, object] = {
        "id": "hold_1", "project": "credit", "scope": "project", "target": "", "reason": "Case 12/26", "held_by": "dora",
        "since": datetime(2026, 1, 1, tzinfo=UTC), "until": None, "lifted_at": None,
    }  # fmt: skip
    return Hold(**{**given, **changes})  # type: ignore[arg-type]


def groups(**columns: dict[str, object]) -> list[ColumnGroup]:
    spec = BasisSpec.model_validate(
        {
            "dataset": "d", "controller": {"name": "Bank"},
            "source": {"from": "x", "collected_from": "2019-06-30"}, "columns": columns,
        }
    )  # fmt: skip
    return [ColumnGroup(columns=(name,), classes=("personal",), ground=ground_of(spec, name)) for name in columns]


def test_a_limit_counts_from_collection_or_from_ingest_as_it_says() -> None:
    ingested = date(2020, 1, 1)
    assert limit_of(groups(a={"retention": {"keep": "3 years"}}), ingested) == (date(2022, 6, 30), "")
    from_ingest = {"retention": {"keep": "3 years", "counts_from": "ingested"}}
    assert limit_of(groups(a=from_ingest), ingested) == (date(2023, 1, 1), "")


def test_of_several_limits_in_one_snapshot_the_earliest_holds() -> None:
    found = groups(a={"retention": {"keep": "3 years"}}, b={"retention": {"keep": "8 months"}}, c={})
    assert limit_of(found, date(2020, 1, 1)) == (date(2020, 2, 29), "")


def test_a_limit_nobody_stated_is_named() -> None:
    limit, note = limit_of(groups(a={}, b={}, c={}, d={}), TODAY)
    assert limit is None
    assert note == "data.basis states no retention for a, b, c and 1 more columns"
    assert limit_of([], TODAY) == (None, "no basis on file")


def test_the_last_day_is_still_in_time() -> None:
    assert judge([stored(TODAY)], [], TODAY)[0].verdict == "keep"
    (late,) = judge([stored(TODAY - timedelta(days=1))], [], TODAY)
    assert (late.verdict, late.days_left) == ("dispose", -1)


@pytest.mark.parametrize(
    ("changes", "keeps"),
    [
        ({}, True),
        ({"scope": "snapshot", "target": SNAPSHOT}, True),
        ({"scope": "subject", "target": "sub_" + "a" * 32}, True),
        ({"scope": "snapshot", "target": OTHER}, False),
        ({"project": "other"}, False),
        ({"until": TODAY}, True),
        ({"until": TODAY - timedelta(days=1)}, False),
        ({"lifted_at": datetime(2026, 2, 1, tzinfo=UTC)}, False),
    ],
)
def test_a_hold_keeps_what_it_is_about_while_it_stands(changes: dict[str, object], keeps: bool) -> None:
    (found,) = judge([stored(date(2025, 1, 1))], [hold(**changes)], TODAY)
    assert found.verdict == ("held" if keeps else "dispose")
    assert found.is_past
    assert bool(past_limit([found])) is not keeps


def test_a_hold_shortens_nothing() -> None:
    (found,) = judge([stored(date(2030, 1, 1))], [hold()], TODAY)
    assert (found.verdict, found.held_by) == ("keep", ("hold_1",))


limits = st.one_of(st.none(), st.dates(date(2020, 1, 1), date(2030, 1, 1)))


@given(st.lists(limits), st.booleans())
def test_everything_is_judged_once_and_nothing_past_its_limit_is_kept_without_a_hold(
    found: list[date | None], held: bool
) -> None:
    items = [stored(limit, f"sha256:{place:064x}") for place, limit in enumerate(found)]
    judged = judge(items, [hold()] if held else [], TODAY)
    assert sorted(one.item.digest for one in judged) == [one.digest for one in items]
    for one in judged:
        past = one.item.limit is not None and one.item.limit < TODAY
        assert (one.verdict == "no_limit") == (one.item.limit is None)
        assert (one.verdict in {"dispose", "held"}) == past
        assert past <= (one.verdict == ("held" if held else "dispose"))
    assert len(past_limit(judged)) == sum(one.verdict in {"dispose", "no_limit"} for one in judged)


@pytest.fixture
def holds(db: Database, ledger: Ledger, clock: FixedClock) -> Holds:
    return Holds(db, ledger, clock)


def test_a_hold_is_on_record_from_its_reason_to_its_end(holds: Holds, ledger: Ledger) -> None:
    first = holds.add("credit", reason="Case 12/26 at the county court", by="dora", until=date(2026, 12, 31))
    second = holds.add("credit", scope="snapshot", target=SNAPSHOT, reason="Audit of the year", by="dora")
    assert {one.id for one in holds.standing()} == {first.id, second.id}
    holds.lift(first.id, reason="The case was settled", by="dora")
    assert [one.id for one in holds.standing()] == [second.id]
    assert {one.id for one in holds.all()} == {first.id, second.id}
    assert [one.action for one in ledger.entries()] == ["hold.added", "hold.added", "hold.lifted"]
    with pytest.raises(Conflict, match="was lifted on 2026-03-02"):
        holds.lift(first.id, reason="The case was settled", by="dora")
    with pytest.raises(NotFound, match="no hold"):
        holds.lift("hold_9", reason="The case was settled", by="dora")


def test_a_hold_ends_with_its_last_day(holds: Holds, clock: FixedClock) -> None:
    holds.add("credit", reason="Case 12/26 at the county court", by="dora", until=date(2026, 3, 5))
    clock.advance(timedelta(days=3, hours=14))
    assert len(holds.standing()) == 1
    clock.advance(timedelta(hours=2))
    assert holds.standing() == []


def test_a_person_on_hold_is_not_erased(holds: Holds) -> None:
    anna, bert = "sub_" + "a" * 32, "sub_" + "b" * 32
    holds.add("credit", scope="subject", target=anna, reason="Case 12/26 at the county court", by="dora")
    assert len(holds.on_person("credit", anna)) == 1
    assert holds.on_person("credit", bert) == []
    assert holds.on_person("other", anna) == []
    holds.add("credit", reason="Case 13/26 at the county court", by="dora")
    assert len(holds.on_person("credit", bert)) == 1


def test_what_cannot_be_a_hold_is_refused(holds: Holds) -> None:
    with pytest.raises(InvalidInput, match="Say why"):
        holds.add("credit", reason="wait", by="dora")
    with pytest.raises(InvalidInput, match="over already"):
        holds.add("credit", reason="Case 12/26 at the county court", by="dora", until=date(2026, 3, 1))
    for scope, target in (("project", SNAPSHOT), ("snapshot", "x"), ("subject", "Anna Muster")):
        with pytest.raises(InvalidInput):
            holds.add("credit", scope=scope, target=target, reason="Case 12/26 at the county court", by="dora")  # type: ignore[arg-type]
