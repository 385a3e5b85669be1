"""A section of a page says when not every row was looked at."""

from typing import Any

import pytest

from sealwright.oversight.report.sections import section_of


def _suite(**rows: int) -> dict[str, Any]:
    return {"findings": [], "figures": [], "not_performed": [], "rows": rows}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((250, 250, 750, 750), ""),
        ((250, 250, 0, 0), ""),
        ((250_000, 100_000, 0, 0), "Predictions were made for 100,000 of the 250,000 test rows, drawn by lot;"),
        ((250_000, 100_000, 750_000, 100_000), "test rows and 100,000 of the 750,000 training rows, drawn by lot;"),
    ],
)
def test_a_sample_is_called_a_sample(rows: tuple[int, int, int, int], words: str) -> None:
    names = ("test", "test_judged", "train", "train_judged")
    said = section_of("performance", _suite(**dict(zip(names, rows, strict=True))))["sampled"]
    assert words in said
    assert bool(said) == bool(words)
