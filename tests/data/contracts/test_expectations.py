"""Expectation suites come in and go out by the structure that Great Expectations 1.x documents and keeps.

Its library is no dependency of ours; the exported suite runs in an environment of its own that has it.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sealwright.data.contracts import Contract, check_contract, export_contract, import_contract
from sealwright.kernel import InvalidInput


def expect(kind: str, **kwargs: Any) -> dict[str, Any]:
    return {"type": f"expect_{kind}", "kwargs": kwargs, "meta": {}, "severity": "critical"}


def suite(*expectations: Mapping[str, Any]) -> dict[str, Any]:
    """As `suite.to_json_dict()` writes it, version 1.24."""
    meta = {"great_expectations_version": "1.24.1"}
    return {"name": "s", "id": None, "expectations": list(expectations), "meta": meta, "notes": None}


EVERY = suite(
    expect("table_columns_to_match_ordered_list", column_list=["i", "f", "k", "t", "start", "end"]),
    expect("table_row_count_to_be_between", min_value=1, max_value=1000),
    expect("column_values_to_be_of_type", column="i", type_="int64"),
    expect("column_values_to_not_be_null", column="i"),
    expect("column_values_to_be_unique", column="i"),
    expect("column_values_to_be_between", column="i", min_value=0.0, max_value=9.0, strict_min=True),
    expect("column_values_to_be_in_type_list", column="f", type_list=["FLOAT", "DOUBLE"]),
    expect("column_values_to_be_between", column="f", max_value=1, mostly=0.9),
    expect("column_values_to_be_in_set", column="k", value_set=["a", "b"]),
    expect("column_values_to_match_regex", column="t", regex="^[a-z]+$"),
    expect("column_value_lengths_to_be_between", column="t", min_value=2, max_value=4),
    expect("column_values_to_not_be_in_set", column="t", value_set=["no"]),
    expect("column_values_to_be_of_type", column="start", type_="DATE"),
    expect("column_values_to_be_between", column="end", min_value="2024-01-01"),
    expect("column_pair_values_a_to_be_greater_than_b", column_A="end", column_B="start", or_equal=True),
    expect("compound_columns_to_be_unique", column_list=["k", "t"], ignore_row_if="any_value_is_missing"),
)


def test_every_expectation_we_know_becomes_a_rule() -> None:
    found = import_contract(EVERY)
    assert found.left_out == ()
    assert found.contract.plain() == {
        "columns": {
            "i": {"type": "integer", "max": 9, "unique": True, "above": 0},
            "f": {"type": "number", "nullable": True, "max": 1, "at_most_share": 0.1},
            "k": {"type": "category", "nullable": True, "categories": ["a", "b"]},
            "t": {
                "type": "text",
                "nullable": True,
                "none_of": ["no"],
                "pattern": "^[a-z]+$",
                "min_length": 2,
                "max_length": 4,
            },
            "start": {"type": "date", "nullable": True},
            "end": {"type": "date", "nullable": True, "min": "2024-01-01"},
        },
        "ordered": True,
        "unique": [["k", "t"]],
        "rows": {"min": 1, "max": 1000},
        "rules": [{"column": "end", "at_least": "start"}],
    }


@pytest.mark.parametrize(
    ("one", "column"),
    [
        (expect("column_to_exist", column="c"), {"type": "text", "nullable": True}),
        (expect("column_value_lengths_to_equal", column="c", value=3), {"min_length": 3, "max_length": 3}),
        (expect("column_values_to_be_in_set", column="c", value_set=[1, 2]), {"type": "number", "one_of": [1, 2]}),
        (expect("column_values_to_be_between", column="c", min_value=1), {"type": "number", "min": 1}),
        (expect("column_values_to_be_of_type", column="c", type_="BOOLEAN"), {"type": "boolean"}),
        (expect("column_values_to_be_of_type", column="c", type_="VARCHAR(20)"), {"type": "text"}),
        (expect("column_values_to_be_of_type", column="c", type_="DECIMAL(10, 2)"), {"type": "number"}),
        (expect("column_values_to_be_in_type_list", column="c", type_list=["int", "float"]), {"type": "number"}),
    ],
)
def test_what_one_expectation_says_of_a_column(one: Any, column: Mapping[str, Any]) -> None:
    plain = import_contract(suite(one)).contract.plain()["columns"]["c"]
    assert {"type": "text", "nullable": True, **column} == plain


def test_a_suite_of_an_older_version_is_read() -> None:
    old = {"expectation_suite_name": "s", "data_asset_type": None, "expectations": [
        {"expectation_type": "expect_column_values_to_be_between", "kwargs": {"column": "c", "min_value": 1}, "meta": {}}
    ]}  # fmt: skip
    assert import_contract(old).contract.columns["c"].min == 1


def test_what_a_contract_cannot_say_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "suite.json"
    path.write_text(
        json.dumps(
            suite(
                expect("column_to_exist", column="c"),
                expect("column_mean_to_be_between", column="c", min_value=1, max_value=2),
                expect("column_values_to_match_regex", column="c", regex="(?<!x)y"),
                expect("column_values_to_match_regex", column="c", regex="a"),
                expect("column_values_to_match_regex", column="c", regex="b"),
                expect("column_values_to_be_of_type", column="c", type_="GEOGRAPHY"),
                expect("column_values_to_be_between", column="c", min_value=1, row_condition='x=="y"'),
                {**expect("column_values_to_not_be_null", column="c"), "severity": "warning"},
                expect("column_pair_values_a_to_be_greater_than_b", column_A="c", column_B="d"),
                expect("multicolumn_sum_to_equal", column_list=["c", "d"], sum_total=3),
                {"kwargs": {}},
            )
        )
    )
    found = import_contract(path)
    said = "\n".join(found.left_out)
    for what in (
        *("column_mean", "(?<!x)y", "second pattern, b", "geography", "row_condition", "only warns", "c above d"),
        *("multicolumn_sum", "names no type"),
    ):
        assert what in said
    assert len(found.left_out) == 9
    assert found.contract.columns["c"].nullable


def test_different_shares_are_taken_as_the_strictest_and_said() -> None:
    found = import_contract(
        suite(
            expect("column_values_to_be_between", column="c", min_value=1, mostly=0.9),
            expect("column_values_to_be_unique", column="c", mostly=0.8),
            expect("column_values_to_be_between", column="d", min_value=1, mostly=0.5),
            expect("column_values_to_not_be_null", column="d"),
        )
    )
    assert (found.contract.columns["c"].at_most_share, found.contract.columns["d"].at_most_share) == (0.1, None)
    assert "\n".join(found.notes).count("the strictest counts") == 2


@pytest.mark.parametrize(
    "said", [{"expectations": []}, {"expectations": [expect("table_row_count_to_equal", value=1)]}]
)
def test_a_suite_about_no_column_is_refused(said: Any) -> None:
    with pytest.raises(InvalidInput, match="nothing about any column"):
        import_contract(said)


CONTRACT = import_contract(EVERY).contract


def test_out_and_back_is_the_same_contract() -> None:
    exported = export_contract(CONTRACT, "great-expectations")
    assert exported.left_out == ()
    said = json.loads(exported.text)
    assert set(said) == {"name", "expectations", "meta"}
    assert all(set(one) == {"type", "kwargs", "meta"} for one in said["expectations"])
    plain, again = CONTRACT.plain(), import_contract(said).contract.plain()
    assert plain["columns"].pop("start") == {"type": "date", "nullable": True}
    assert again["columns"].pop("start") == {"type": "text", "nullable": True}  # a suite names no type for dates
    assert plain.pop("rules")
    assert again == plain


def test_what_a_suite_cannot_say_is_listed() -> None:
    columns = {
        "a2": {"type": "integer"},
        "a": {"type": "integer", "nullable": True, "nulls": ["NA"], "required": False, "class": "special"},
        "b": {"type": "date", "none_of": ["2024-01-01"]},
        "t": {"type": "text", "pattern": r"\pL+"},
    }
    rules = [{"column": "a", "different_from": "a2"}]
    said = {"columns": columns, "rules": rules, "at_most_share": 0.5, "ordered": True}
    contract = Contract.model_validate(said)
    listed = "\n".join(export_contract(contract, "great-expectations").left_out)
    for what in ("a: nulls", "a: required", "a: class special", "b: none_of", "t: the pattern", "a different_from a2"):
        assert what in listed
    for what in ("other columns", "order of the columns", "at_most_share 0.5"):
        assert what in listed


_RUN = """
import json, logging, sys, warnings
warnings.simplefilter("ignore"); logging.disable(logging.CRITICAL)
import great_expectations as gx, pandas as pd
given = json.load(sys.stdin)
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False}
suite = context.suites.add(gx.ExpectationSuite(**given["suite"]))
batches = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
said = []
for rows in given["tables"]:
    frame = pd.DataFrame(rows)
    for name in ("start", "end"):
        frame[name] = pd.to_datetime(frame[name]).dt.date
    said.append(bool(batches.get_batch({"dataframe": frame}).validate(suite).success))
print(json.dumps(said))
"""


@pytest.mark.slow
def test_the_library_itself_gives_the_same_verdict(oracles: Path) -> None:
    good = {
        "i": list(range(1, 9)),
        "f": [0.5] * 8,
        "k": ["a", "b"] * 4,
        "t": ["ab", "cd", "ef", "gh", "ij", "kl", "mn", "op"],
    }
    good |= {"start": ["2024-01-01"] * 8, "end": ["2024-01-01"] * 8}
    changes: list[tuple[str, Any]] = [
        ("", None),
        ("i", 0),
        ("i", 10),
        ("i", 2),
        ("k", "c"),
        ("t", "AB"),
        ("t", "abcde"),
    ]
    changes += [("t", "no"), ("end", "2023-12-31"), ("end", "2024-06-01"), ("start", "2024-02-01"), ("f", 2.0)]
    tables = [{**good, name: [cell, *good[name][1:]]} if name else good for name, cell in changes]
    exported = json.loads(export_contract(CONTRACT, "great-expectations").text)
    done = subprocess.run(
        [oracles, "-c", _RUN],
        input=json.dumps({"suite": exported, "tables": tables}),
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    ours = [check_contract(pa.table(rows), CONTRACT).passed for rows in tables]
    assert ours.count(True) == 2
    assert json.loads(done.stdout.splitlines()[-1]) == ours
