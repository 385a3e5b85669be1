"""Tables of every kind a project may bring, and the interface that goes with each."""

import datetime as dt
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # before a library starts threads; as in the child
    os.environ.setdefault(_name, "1")

GERMAN_CREDIT = Path(__file__).parents[2] / "examples" / "german-credit" / "german_credit.csv"

Made = tuple[pa.Table, pa.Table, dict[str, Any]]


def make_rows(
    rows: int = 300,
    *,
    task: str = "binary",
    numbers: int = 3,
    strings: int = 2,
    special: bool = False,
    categories: int = 4,
    missing: float = 0.05,
    seed: int = 0,
    holdout: int = 120,
    scale: float = 1.0,
    decimals: int | None = None,
) -> Made:
    """Training table, hold-out features (with words and gaps training never saw) and interface."""
    random = np.random.default_rng(seed)
    total = rows + holdout
    columns: dict[str, Any] = {}
    listed: dict[str, list[dict[str, Any]]] = {"numbers": [], "strings": []}
    signal = np.zeros(total)
    for place in range(numbers):
        values = random.normal(size=total) * 10**place
        values = values if decimals is None else values.round(decimals)
        signal += values / 10**place / (place + 1)
        columns[f"n{place}"] = pa.array(values, mask=random.random(total) < missing)
        listed["numbers"].append({"name": f"n{place}", "type": "number", "nullable": True, "min": None, "max": None})
    for place in range(strings):
        codes = random.integers(0, categories, total)
        signal += (codes % 3) - 1
        words: list[str | None] = [f"word {code}" for code in codes]
        for row in np.flatnonzero(random.random(total) < missing):
            words[row] = None
        if holdout:
            words[-1] = "never seen in training"
        columns[f"s{place}"] = pa.array(words)
        listed["strings"].append(
            {"name": f"s{place}", "type": "category", "nullable": True, "categories": sorted({w for w in words if w})}
        )
    if special:
        flags, days = random.random(total) < 0.5, random.integers(-4_000, 20_000, total)
        signal += flags + days / 20_000
        columns["flag"] = pa.array(flags.tolist())
        columns["day"] = pa.array([dt.date(1970, 1, 1) + dt.timedelta(days=int(day)) for day in days])
        columns["whole"] = pa.array(random.integers(-5, 5, total))
        for name, kind in (("flag", "boolean"), ("day", "date"), ("whole", "integer")):
            listed["numbers"].append({"name": name, "type": kind, "nullable": False, "min": None, "max": None})
    noisy = signal + random.normal(size=total) * 0.5
    interface: dict[str, Any] = {
        "format": 1,
        "project": "test",
        "task": task,
        "target": "target",
        "positive": None,
        **listed,
    }
    if task == "regression":
        target: Any = pa.array(noisy * scale)
        interface |= {"classes": [], "outputs": {"value": {"width": 1}}}
    else:
        names = ["bad", "good"] if task == "binary" else ["high", "low", "middle"]
        edges = np.quantile(noisy, [1 / len(names) * step for step in range(1, len(names))])
        target = pa.array([names[code] for code in np.digitize(noisy, edges)])
        interface |= {"classes": names, "positive": "good" if task == "binary" else None}
        interface["outputs"] = {"probabilities": {"width": len(names)}}
    interface["order"] = list(columns)
    table = pa.table(columns)
    return table.slice(0, rows).append_column("target", target.slice(0, rows)), table.slice(rows), interface


def german() -> Made:
    """The bundled credit data: 750 rows to train on, 250 held out."""
    table = pyarrow.csv.read_csv(GERMAN_CREDIT)
    features = [name for name in table.column_names if name not in ("applicant_id", "sex", "outcome")]
    whole = [name for name in features if pa.types.is_integer(table.schema.field(name).type)]
    shown = {"nullable": False, "min": None, "max": None}
    interface = {
        "format": 1,
        "project": "german-credit",
        "task": "binary",
        "target": "outcome",
        "classes": ["bad", "good"],
        "positive": "good",
        "numbers": [{"name": name, "type": "integer", **shown} for name in whole],
        "strings": [
            {
                "name": name,
                "type": "category",
                "nullable": False,
                "categories": sorted(set(table.column(name).to_pylist())),
            }
            for name in features
            if name not in whole
        ],
        "order": features,
        "outputs": {"probabilities": {"width": 2}},
    }
    mixed = table.take(np.random.default_rng(7).permutation(1000))
    return mixed.slice(0, 750), mixed.slice(750).drop_columns(["outcome"]), interface


@pytest.fixture
def recipe_folder(tmp_path: Path) -> Callable[..., Path]:
    """A project folder with the given Python files."""

    def write(**files: str) -> Path:
        folder = tmp_path / "project"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text)
        return folder

    return write


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
