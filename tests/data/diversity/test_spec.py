"""What a project file may say about diversity, and what a reference file may hold."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from sealwright.data import DataSpec
from sealwright.data.diversity import DiversitySpec, read_reference
from sealwright.kernel import InvalidInput

WHERE = {"source": "Census table 1", "date": 2022}


def spec_of(**more: Any) -> DiversitySpec:
    return DiversitySpec.model_validate({"attributes": ["sex", {"age": [26, 40]}], **more})


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"attributes": ["sex", "sex"]}, "named twice"),
        ({"attributes": [{"age": [40, 26]}]}, "ascending"),
        ({"attributes": ["sex x age"]}, "between crossed attributes"),
        ({"reference": {**WHERE}}, "give either `shares`, or `file` and `count`"),
        ({"reference": {**WHERE, "file": "a.csv"}}, "give either"),
        ({"reference": {"date": "2022", "shares": {"sex": {"a": 1, "b": 1}}}}, "source"),
        ({"reference": {**WHERE, "shares": {"sex": {"a": 0.4, "b": 0.4}}}}, "add up to 0.8"),
        ({"reference": {**WHERE, "shares": {"sex": {"a": -1, "b": 2}}}}, "zero or more"),
        ({"reference": {**WHERE, "shares": {"sxe": {"a": 0.5, "b": 0.5}}}}, "Did you mean 'sex'"),
        ({"reference": {**WHERE, "shares": {"sex x age": {"a": 0.5, "b": 0.5}}}}, "a level for each attribute"),
        ({"depth": 1, "reference": {**WHERE, "shares": {"sex x age": {"a x b": 1, "b x b": 1}}}}, "at most 1"),
        ({"at_leats": 3}, "Extra inputs"),
    ],
)
def test_a_mistake_in_the_block_is_told(more: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        spec_of(**more)


def test_the_contract_refuses_attributes_that_it_does_not_keep() -> None:
    columns = {
        "sex": {"type": "category", "categories": ["f", "m"], "role": "ignore"},
        "pay": {"type": "integer"},
        "y": {"type": "boolean"},
    }
    with pytest.raises(ValidationError, match=r"data\.diversity names 'sex', which is not among the columns"):
        DataSpec.model_validate(
            {
                "source": "x.csv",
                "target": "y",
                "positive": "true",
                "columns": columns,
                "diversity": {"attributes": ["sex"]},
            }
        )


def test_published_shares_that_are_rounded_are_brought_to_one() -> None:
    found = read_reference(spec_of(reference={**WHERE, "shares": {"sex": {"f": 0.51, "m": 0.48}}}))
    assert found is not None
    assert sum(found.shares["sex",].values()) == 1
    assert float(found.shares["sex",]["f",]) == pytest.approx(0.51 / 0.99)
    assert found.date == "2022"


def test_a_file_of_counts_by_all_attributes_gives_every_margin(tmp_path: Path) -> None:
    people = {"sex": ["f", "f", "m", "m"], "age": [20, 45, 20, 45], "people": [10, 40, 15, 35]}
    pq.write_table(pa.table(people), tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text(
        "sex,age,people\nf,under 26,10\nf,40 and over,40\nm,under 26,15\nm,40 and over,35\n"
    )
    for name in ("a.parquet", "a.csv"):
        found = read_reference(spec_of(reference={**WHERE, "file": name, "count": "people"}), tmp_path)
        assert found is not None
        assert {"".join(k): float(v) for k, v in found.shares["sex",].items()} == {"f": 0.5, "m": 0.5}
        assert float(found.shares["age",]["under 26",]) == 0.25
        assert float(found.shares["sex", "age"]["m", "40 and over"]) == 0.35


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("sex,age,n\nf,20,1\n", "no column 'people'"),
        ("other,people\nf,1\n", "none of the columns"),
        ("sex,people\nf,-1\n", "zero or more"),
        ("sex,people\n,1\n", "empty cell"),
        ("sex,people\nf,0\n", "counts nobody"),
        ("\x00", "cannot be read"),
    ],
)
def test_a_file_that_is_no_reference_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InvalidInput, match=why):
        read_reference(spec_of(reference={**WHERE, "file": "a.csv", "count": "people"}), tmp_path)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_reference(spec_of(reference={**WHERE, "file": "b.csv", "count": "people"}), tmp_path)
