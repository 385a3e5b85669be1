"""The counts, shares and shortfalls are those one finds by hand."""

import json
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from sealwright.data import DataSpec
from sealwright.data.diversity import DiversitySpec, measure_diversity
from sealwright.kernel import InvalidInput

SEX = {"female": 0.51, "male": 0.49}


def spec_of(attributes: list[Any], shares: dict[str, Any] | None = None, **more: Any) -> DiversitySpec:
    reference = {"source": "Made up for this test", "date": "2024", "shares": shares} if shares else None
    return DiversitySpec.model_validate({"attributes": attributes, "reference": reference, **more})


def test_german_credit_by_sex_and_age(german_rows: pa.Table, german_contract: DataSpec) -> None:
    """310 women and 690 men; 190 are under 26 (counted with another tool, and in the page about the data)."""
    shares = {"sex": SEX, "age": {"under 26": 10, "26 and over": 90}}
    report = measure_diversity(german_rows, spec_of(["sex", {"age": [26]}], shares), german_contract)
    women, men = report.margin("sex").groups
    assert (women.of, women.rows, women.share, women.reference) == (("female",), 310, 0.31, 0.51)
    assert women.ratio == pytest.approx(0.31 / 0.51)
    assert (women.state, men.state) == ("under", "enough")
    # 0.8 x 0.51 = 0.408: (408 - 310) / 0.592 = 165.5; to the reference: (510 - 310) / 0.49 = 408.2
    assert (women.to_minimum, women.to_limit, women.to_reference) == (0, 166, 409)
    assert (women.outcomes, women.rate) == ({"bad": 109, "good": 201}, 201 / 310)
    young, old = report.margin("age").groups
    assert (young.rows, old.rows, young.state) == (190, 810, "enough")
    fit = report.margin("sex").fit
    assert fit is not None
    assert fit.statistic == pytest.approx((310 - 510) ** 2 / 510 + (690 - 490) ** 2 / 490)
    gap = report.margin("sex").outcome
    assert gap is not None
    assert (gap.lowest, gap.highest, round(gap.gap, 4)) == ("female", "male", 0.0748)
    assert gap.p == pytest.approx(0.01697, abs=1e-5)  # chi-square 5.697 with one degree of freedom
    (plan,) = report.proposals.collect
    assert dict(plan.rows) == {("female",): 166}


def test_the_census_by_race_and_disability_is_what_polars_counts(
    census_rows: pa.Table, census_contract: DataSpec
) -> None:
    spec = spec_of(["RAC1P", "DIS", "SEX", {"AGEP": [18, 65]}], depth=3)
    report = measure_diversity(census_rows, spec, census_contract)
    frame: Any = pl.from_arrow(census_rows.select(["RAC1P", "DIS", "SEX", "AGEP", "employed"]))
    band = (
        pl.when(pl.col("AGEP") < 18).then(pl.lit("under 18")).when(pl.col("AGEP") < 65).then(pl.lit("18 to under 65"))
    )
    frame = frame.with_columns(
        pl.col("RAC1P", "DIS", "SEX").cast(pl.String), AGEP=band.otherwise(pl.lit("65 and over"))
    )
    assert len(report.margins) == 4 + 6 + 4
    for margin in report.margins:
        count = (pl.len().alias("rows"), (pl.col("employed") == "1").sum().alias("good"))
        want = {tuple(row[:-2]): row[-2:] for row in frame.group_by(margin.attributes).agg(*count).rows()}
        assert {group.of: (group.rows, group.outcomes["1"]) for group in margin.groups if group.rows} == want
        assert margin.known == 68_785
    assert [group.rows for group in report.margin("DIS").groups] == [9_330, 59_455]
    assert report.margin("DIS").groups[0].rate == pytest.approx(1_667 / 9_330)
    races = [56_119, 4_134, 71, 1, 57, 4_273, 22, 2_271, 1_837]
    assert [group.rows for group in report.margin("RAC1P").groups] == races


def test_small_cells_of_special_columns_are_in_the_report_and_not_in_what_is_shown(
    census_rows: pa.Table, census_contract: DataSpec
) -> None:
    report = measure_diversity(census_rows.slice(0, 3000), spec_of(["RAC1P", "DIS"]), census_contract)
    small = [(m, g) for m in report.margins for g in m.groups if 0 < g.rows < 5]
    assert small
    assert all(group.hidden for _, group in small)
    shown = json.loads(json.dumps(report.to_json(), allow_nan=False))
    for margin in shown["margins"]:
        rows = [group["rows"] for group in margin["groups"]]
        assert not [count for count in rows if count is not None and 0 < count < 5]
        assert rows.count(None) != 1 or margin["known"] is None
        for group in margin["groups"]:
            if group["hidden"]:
                assert {value for name, value in group.items() if name not in {"group", "reference", "hidden"}} == {
                    None
                }
            if group["outcomes"] is not None:
                assert not [count for count in group["outcomes"].values() if 0 < count < 5]
    plans = {tuple(plan["attributes"]): plan for plan in shown["proposals"]["collect"]}
    assert plans["RAC1P",]["in_all"] is None
    assert all(group["rows"] is None for group in plans["RAC1P",]["rows"])


def test_missing_values_are_a_line_of_their_own_and_not_a_group(german_contract: DataSpec) -> None:
    table = pa.table(
        {"sex": ["female", None, "male", None, "male"], "age": [20, 30, None, None, 50], "outcome": ["good"] * 5}
    )
    report = measure_diversity(table, spec_of(["sex", {"age": [26]}], {"sex": SEX}), german_contract)
    sexes, ages, crossed = report.margins
    assert (sexes.known, sexes.missing, ages.missing, crossed.known, crossed.missing) == (3, 2, 2, 2, 3)
    assert [group.of for group in sexes.groups] == [("female",), ("male",)]
    assert sexes.groups[0].share == pytest.approx(1 / 3)


def test_who_is_absent_is_told_apart_from_what_may_not_exist(german_contract: DataSpec) -> None:
    table = pa.table({"sex": ["male"] * 40, "age": [20] * 40, "outcome": ["good", "bad"] * 20})
    report = measure_diversity(
        table, spec_of(["sex", {"age": [26]}], {"sex": {**SEX, "diverse": 0.001, "male": 0.489}}), german_contract
    )
    states = {group.of: group.state for margin in report.margins for group in margin.groups}
    assert states["female",] == states["diverse",] == states["26 and over",] == "absent"
    assert states["female", "under 26"] == "empty"
    assert states["male", "under 26"] == "enough"


def test_chance_is_told_apart_from_a_shortfall(german_contract: DataSpec) -> None:
    """3 of 10 is no sign of too few women; 300 of 1,000 is. Nor is one of many groups low by chance."""
    few = pa.table({"sex": ["female"] * 3 + ["male"] * 7, "outcome": ["good"] * 10})
    many = pa.concat_tables([few] * 100)
    states = [
        measure_diversity(table, spec_of(["sex"], {"sex": SEX}, at_least=1), german_contract)
        .margin("sex")
        .groups[0]
        .state
        for table in (few, many)
    ]
    assert states == ["unsure", "under"]


def test_made_up_rows_stand_for_nobody(german_rows: pa.Table, german_contract: DataSpec) -> None:
    columns = ["sex", "age", "outcome"]
    real = german_rows.select(columns)
    more = pa.table({"sex": ["female"] * 200, "age": [30] * 200, "outcome": ["good"] * 200}).cast(real.schema)
    spec = spec_of(["sex"], {"sex": SEX})
    before = measure_diversity(real, spec, german_contract)
    after = measure_diversity(pa.concat_tables([real, more]), spec, german_contract, synthetic=200)
    assert after.synthetic == 200
    assert after.margins == before.margins


def test_crossed_shares_give_the_plain_ones_and_must_agree_with_them(
    german_rows: pa.Table, german_contract: DataSpec
) -> None:
    crossed = {"under 26 x female": 6, "26 and over x female": 45, "under 26 x male": 5, "26 and over x male": 44}
    report = measure_diversity(german_rows, spec_of(["sex", {"age": [26]}], {"age x sex": crossed}), german_contract)
    assert [group.reference for group in report.margin("sex").groups] == [0.51, 0.49]
    assert [group.reference for group in report.margin("age").groups] == [0.11, 0.89]
    assert {g.of: g.reference for g in report.margin("sex", "age").groups}["female", "under 26"] == 0.06
    with pytest.raises(InvalidInput, match="contradicts itself"):
        both = {"age x sex": crossed, "sex": {"female": 0.3, "male": 0.7}}
        measure_diversity(german_rows, spec_of(["sex", {"age": [26]}], both), german_contract)


def test_columns_that_make_no_groups_are_refused(german_rows: pa.Table, german_contract: DataSpec) -> None:
    with pytest.raises(InvalidInput, match="Give cut points"):
        measure_diversity(german_rows, spec_of(["age"]), german_contract)
    with pytest.raises(InvalidInput, match="not a number"):
        measure_diversity(german_rows, spec_of([{"sex": [1]}]), german_contract)
    with pytest.raises(InvalidInput, match="which the rows do not have"):
        measure_diversity(german_rows.drop(["sex"]), spec_of(["sex"]), german_contract)
    with pytest.raises(InvalidInput, match="the groups are: under 26, 26 and over"):
        measure_diversity(
            german_rows, spec_of([{"age": [26]}], {"age": {"under 25": 1, "26 and over": 9}}), german_contract
        )
    with pytest.raises(InvalidInput, match="no rows"):
        measure_diversity(german_rows.slice(0, 0), spec_of(["sex"]), german_contract)


def test_the_order_of_rows_does_not_matter(german_rows: pa.Table, german_contract: DataSpec) -> None:
    spec = spec_of(["sex", {"age": [26, 40]}], {"sex": SEX})
    shuffled = german_rows.take(pa.array(np.random.default_rng(2).permutation(1000)))
    assert measure_diversity(shuffled, spec, german_contract) == measure_diversity(german_rows, spec, german_contract)
