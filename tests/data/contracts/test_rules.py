"""Every rule finds exactly what was planted: no breach missed, no good cell blamed, the rows named."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest

from sealwright.data.contracts import RULES, Contract, ContractReport, check_contract

GOOD = 1000
DAY = dt.date(2024, 1, 1)


def contract(columns: Mapping[str, Any], **more: Any) -> Contract:
    return Contract.model_validate({"columns": columns, **more})


def broken(report: ContractReport) -> dict[tuple[str, str], tuple[int, tuple[int, ...]]]:
    """What was found: (column, rule) -> how often, in which rows first."""
    assert {found.rule for found in report.breaches} <= set(RULES)
    return {(found.column, found.rule): (found.count, found.first_rows) for found in report.breaches}


def planted(good: list[Any], bad: list[Any], kind: Any = None) -> Any:
    """Good cells with each bad one at rows 10, 20, 30, …"""
    cells = list(good)
    for place, cell in enumerate(bad, start=1):
        cells[place * 10 - 1] = cell
    return pa.array(cells, kind)


WORDS = [f"AB{place:06d}" for place in range(GOOD)]
NUMBERS = [place / 8 for place in range(GOOD)]

PLANTED = [
    ({"type": "integer"}, list(range(GOOD)), [2**53 + 1, -(2**63)], "beyond_2_53", pa.int64()),
    ({"type": "integer"}, [float(n) for n in range(GOOD)], [1.5, -0.25], "not_an_integer", pa.float64()),
    ({"type": "integer"}, [str(n) for n in range(GOOD)], ["seven", "7e1", "0x10"], "not_an_integer", pa.string()),
    ({"type": "integer"}, list(range(GOOD)), [None, None], "null_not_allowed", pa.int32()),
    ({"type": "integer", "min": 0}, list(range(GOOD)), [-1, -7], "below_min", pa.int64()),
    ({"type": "integer", "max": 999}, list(range(GOOD)), [1000], "above_max", pa.int16()),
    ({"type": "integer", "above": -1}, list(range(GOOD)), [-1], "not_above", pa.int64()),
    ({"type": "integer", "below": 1000}, list(range(GOOD)), [1000], "not_below", pa.int64()),
    ({"type": "integer", "one_of": list(range(1000))}, list(range(GOOD)), [1001], "not_one_of", pa.int64()),
    ({"type": "integer", "none_of": [-1, -9]}, list(range(GOOD)), [-1, -9, -1], "one_of_refused", pa.int64()),
    ({"type": "number"}, NUMBERS, [float("nan"), float("inf")], "not_finite", pa.float64()),
    ({"type": "number"}, [str(n) for n in NUMBERS], ["1,5", "x"], "not_a_number", pa.string()),
    ({"type": "number"}, [str(n) for n in NUMBERS], ["1e999", "1e-999"], "beyond_double", pa.string()),
    ({"type": "number", "min": 0.0}, NUMBERS, [-1e-300], "below_min", pa.float64()),
    ({"type": "number", "above": 0}, [n + 1 for n in NUMBERS], [0.0, -0.0], "not_above", pa.float64()),
    ({"type": "number", "none_of": [0]}, [n + 1 for n in NUMBERS], [0.0, -0.0], "one_of_refused", pa.float64()),
    ({"type": "number", "one_of": [1, 2.5]}, [2.5] * GOOD, [2.4999], "not_one_of", pa.float32()),
    ({"type": "category", "categories": ["a", "b"]}, ["a", "b"] * 500, ["A", "a "], "not_in_categories", pa.string()),
    ({"type": "category", "categories": [1, 2]}, [1, 2] * 500, [3], "not_in_categories", pa.int64()),
    ({"type": "boolean"}, [True, False] * 500, [None], "null_not_allowed", pa.bool_()),
    ({"type": "boolean"}, [0, 1] * 500, [2, -1], "not_a_boolean", pa.int8()),
    ({"type": "date"}, ["2024-02-29"] * GOOD, ["2023-02-29", "x"], "not_a_date", pa.string()),
    ({"type": "date"}, [dt.datetime(2024, 1, 1)] * GOOD, [dt.datetime(2024, 1, 1, 5)], "has_time_of_day", None),  # noqa: DTZ001
    ({"type": "date", "min": "2024-01-01"}, [DAY] * GOOD, [dt.date(2023, 12, 31)], "below_min", pa.date32()),
    ({"type": "date", "below": "2024-01-02"}, [DAY] * GOOD, [dt.date(2024, 1, 2)], "not_below", pa.date32()),
    ({"type": "date", "one_of": ["2024-01-01"]}, [DAY] * GOOD, [dt.date(2024, 1, 2)], "not_one_of", pa.date32()),
    ({"type": "text", "pattern": "^[A-Z]{2}[0-9]{6}$"}, WORDS, ["ab000000", "AB0000001"], "pattern_not_found", None),
    ({"type": "text", "min_length": 3}, WORDS, ["ab", "µ\U0001f600"], "too_short", None),
    ({"type": "text", "max_length": 8}, WORDS, ["ABCDEFGHI"], "too_long", None),
    ({"type": "text", "one_of": WORDS}, WORDS, ["x"], "not_one_of", None),
    ({"type": "text", "none_of": ["", "x"]}, WORDS, ["x"], "one_of_refused", None),
    ({"type": "text"}, WORDS, [None, ""], "null_not_allowed", None),
    ({"type": "text", "unique": True}, WORDS, ["AB000000", "AB000999"][:1], "repeated", None),
    ({"type": "integer", "unique": True}, list(range(GOOD)), [0], "repeated", pa.int64()),
    ({"type": "number", "unique": True}, [n + 1 for n in NUMBERS], [1.0], "repeated", pa.float64()),
]


@pytest.mark.parametrize(("column", "good", "bad", "rule", "kind"), PLANTED)
def test_a_planted_breach_is_found_and_nothing_else(column: Any, good: Any, bad: Any, rule: str, kind: Any) -> None:
    wanted = contract({"c": column})
    clean = check_contract(pa.table({"c": pa.array(good, kind)}), wanted)
    assert (clean.passed, clean.breaches, clean.rows, clean.bad_rows) == (True, (), GOOD, 0)
    report = check_contract(pa.table({"c": planted(good, bad, kind)}), wanted)
    rows = tuple(10 * place for place in range(1, len(bad) + 1))
    assert broken(report) == {("c", rule): (len(bad), rows)}
    assert (report.passed, report.bad_rows) == (False, len(bad))


@pytest.mark.parametrize(("column", "good", "bad", "rule", "kind"), PLANTED)
def test_an_encoded_column_gets_the_same_answer(column: Any, good: Any, bad: Any, rule: str, kind: Any) -> None:
    plain = planted(good, bad, kind)
    wanted = contract({"c": column})
    encoded = check_contract(pa.table({"c": plain.dictionary_encode()}), wanted)
    assert broken(encoded) == broken(check_contract(pa.table({"c": plain}), wanted))


def test_every_rule_about_cells_is_planted_somewhere() -> None:
    elsewhere = {"column_missing", "column_unexpected", "column_unreadable", "columns_out_of_order"}
    elsewhere |= {"too_few_rows", "too_many_rows", "rule_broken", "breaks_rule", "ragged_row"}
    elsewhere |= {"not_json", "not_an_object", "repeated_key", "unknown_key", "nested_value", "nested_too_deep"}
    assert {rule for *_, rule, _ in PLANTED} | elsewhere == set(RULES)


def test_an_empty_cell_breaks_only_the_rule_about_empty_cells() -> None:
    column = {"type": "text", "nullable": True, "pattern": "x", "min_length": 1, "unique": True, "none_of": ["y"]}
    report = check_contract(pa.table({"c": pa.array([None, "", None, "x"])}), contract({"c": column}))
    assert report.passed


def test_a_cell_without_a_value_breaks_no_rule_about_values() -> None:
    cells = [float("-inf"), float("inf"), float("nan"), 1.0]
    column = {"type": "number", "above": 0, "below": 2, "one_of": [1], "none_of": [3]}
    report = check_contract(pa.table({"c": cells}), contract({"c": column}))
    assert broken(report) == {("c", "not_finite"): (3, (1, 2, 3))}


def test_characters_are_counted_not_bytes() -> None:
    table = pa.table({"c": ["äö", "\U0001f600\U0001f600"]})
    assert broken(check_contract(table, contract({"c": {"type": "text", "min_length": 3}}))) == {
        ("c", "too_short"): (2, (1, 2))
    }
    assert check_contract(table, contract({"c": {"type": "text", "min_length": 2, "max_length": 2}})).passed


def test_zero_and_minus_zero_are_one_value_of_a_key() -> None:
    table = pa.table({"a": [0.0, -0.0, 1.0], "b": ["x", "x", "x"]})
    columns = {"a": {"type": "number", "unique": True}, "b": {"type": "text"}}
    report = check_contract(table, contract(columns, unique=["a", "b"]))
    assert broken(report) == {("a", "repeated"): (1, (2,)), ("a + b", "repeated"): (1, (2,))}


def test_words_for_missing_are_missing() -> None:
    column = {"type": "integer", "nullable": True, "nulls": ["NA"], "min": 0}
    report = check_contract(pa.table({"c": ["1", "NA", "na", "-1"]}), contract({"c": column}))
    assert broken(report) == {("c", "not_an_integer"): (1, (3,)), ("c", "below_min"): (1, (4,))}


@pytest.mark.parametrize("rule", ["at_least", "above", "at_most", "below", "equal_to", "different_from"])
def test_two_columns_are_compared_in_every_row(rule: str) -> None:
    table = pa.table({"a": [1, 2, 2, 4, None, 9], "b": [1.0, 2.0, 3.0, 1.5, 5.0, 9.5]})
    wanted = contract(
        {"a": {"type": "integer", "nullable": True}, "b": {"type": "number"}}, rules=[{"column": "a", rule: "b"}]
    )
    held = {"at_least": "<", "above": "<=", "at_most": ">", "below": ">=", "equal_to": "!=", "different_from": "=="}
    rows = [
        place
        for place, (a, b) in enumerate(zip(*table.to_pydict().values(), strict=True), start=1)
        if a is not None and eval(f"a {held[rule]} b")
    ]
    assert broken(check_contract(table, wanted)) == {("a", "rule_broken"): (len(rows), tuple(rows))}


def test_dates_and_texts_are_compared_too_and_unreadable_cells_are_not() -> None:
    table = pa.table(
        {
            "start": ["2024-01-02", "2024-01-01", "x", ""],
            "end": ["2024-01-01", "2024-01-01", "2024-01-01", "2024-01-01"],
        }
    )
    dates = {name: {"type": "date", "nullable": True} for name in ("start", "end")}
    report = check_contract(table, contract(dates, rules=[{"column": "end", "at_least": "start"}]))
    assert broken(report) == {("end", "rule_broken"): (1, (1,)), ("start", "not_a_date"): (1, (3,))}
    texts = {name: {"type": "text", "nullable": True} for name in ("start", "end")}
    report = check_contract(table, contract(texts, rules=[{"column": "end", "equal_to": "start"}]))
    assert broken(report) == {("end", "rule_broken"): (2, (1, 3))}


def test_a_key_of_two_columns_repeats_only_as_a_whole() -> None:
    table = pa.table({"a": ["x", "x", "y", "x", None, None], "b": [1, 2, 1, 1, 1, 1]})
    columns = {"a": {"type": "text", "nullable": True}, "b": {"type": "integer"}}
    report = check_contract(table, contract(columns, unique=["a", "b"]))
    assert broken(report) == {("a + b", "repeated"): (1, (4,))}
    assert report.bad_rows == 1


def test_parts_of_a_key_do_not_run_together() -> None:
    table = pa.table({"a": ["ab", "a", ""], "b": ["c", "bc", "abc"]})
    columns = {name: {"type": "text", "nullable": True} for name in "ab"}
    assert check_contract(table, contract(columns, unique=["a", "b"])).passed


def test_columns_that_are_missing_or_unknown_are_breaches_with_a_hint_and_the_rest_is_checked() -> None:
    table = pa.table({"agee": [1], "b": [-1]})
    wanted = contract({"age": {"type": "integer"}, "b": {"type": "integer", "min": 0}})
    report = check_contract(table, wanted)
    assert [(found.column, found.rule) for found in report.breaches] == [
        ("age", "column_missing"),
        ("agee", "column_unexpected"),
        ("b", "below_min"),
    ]
    assert "'agee'" in report.breaches[0].expected
    assert report.checked == ("b",)


def test_other_columns_and_columns_that_need_not_be_there() -> None:
    wanted = contract(
        {
            "a": {"type": "integer"},
            "b": {"type": "integer", "required": False},
            "c": {"type": "text", "role": "ignore"},
        },
        other_columns="allowed",
    )
    assert check_contract(pa.table({"a": [1], "z": ["x"]}), wanted).passed
    assert check_contract(pa.table({"a": [1], "c": [[1]]}), wanted).passed


def test_the_order_of_columns_counts_where_the_contract_says_so() -> None:
    columns = {"a": {"type": "integer"}, "b": {"type": "integer"}}
    table = pa.table({"b": [1], "a": [1]})
    assert check_contract(table, contract(columns)).passed
    report = check_contract(table, contract(columns, ordered=True))
    assert broken(report) == {("", "columns_out_of_order"): (1, ())}


def test_too_few_and_too_many_rows() -> None:
    table = pa.table({"a": [1, 2, 3]})
    for limits, rule in (({"min": 4}, "too_few_rows"), ({"max": 2}, "too_many_rows")):
        report = check_contract(table, contract({"a": {"type": "integer"}}, rows=limits))
        assert broken(report) == {("", rule): (1, ())}
    assert check_contract(table, contract({"a": {"type": "integer"}}, rows={"min": 3, "max": 3})).passed


def test_a_limit_for_rows_lets_a_few_pass_and_no_more() -> None:
    table = pa.table({"a": [0] * 98 + [-1, -2], "b": [0] * 99 + [-1]})
    columns = {"a": {"type": "integer", "min": 0}, "b": {"type": "integer", "min": 0}}
    report = check_contract(table, contract(columns, at_most_share=0.02))
    assert (report.passed, report.bad_rows, len(report.breaches)) == (True, 2, 2)
    assert not check_contract(table, contract(columns, at_most_share=0.02), at_most_share=0.01).passed
    assert not check_contract(table, contract(columns)).passed


def test_a_column_with_a_limit_of_its_own_is_judged_by_it_alone() -> None:
    table = pa.table({"a": [0] * 98 + [-1, -2]})
    for limit, passed in ((0.02, True), (0.019, False)):
        report = check_contract(table, contract({"a": {"type": "integer", "min": 0, "at_most_share": limit}}))
        assert (report.passed, report.bad_rows, report.breaches[0].count) == (passed, 0, 2)
